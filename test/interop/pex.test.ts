/** Peer exchange with libtorrent, both ways: a download whose one known peer has almost nothing. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Child, startChild } from '../support/children.ts';
import { makeTempFolder, sha256OfFile, type TempFolder } from '../support/files.ts';
import { canRun } from './availability.ts';
import { bidwidth, bidwidthCommand } from './clients/bidwidth.ts';
import { libtorrent, libtorrentCommand } from './clients/libtorrent.ts';
import { makeContent } from './content.ts';

const HOST = '127.0.0.1';
/** At the limits below it would take the one in the middle minutes to get, hours to send this. */
const CONTENT_BYTES = 16 * 1_048_576;
const LIMITS = ['--upload-limit', '1000', '--download-limit', '64000'];
/** libtorrent tells of peers within a minute. */
const TIMEOUT_MS = 120_000;

interface Scene {
  readonly temp: TempFolder;
  readonly torrentPath: string;
  readonly magnet: string;
  /** A seed of ours that nobody but the one in the middle is told of. */
  readonly seedPort: number;
}

async function withScene(label: string, run: (scene: Scene) => Promise<void>): Promise<void> {
  await using temp = await makeTempFolder(label);
  const source = join(temp.path, 'source');
  for (const name of ['source', 'middle', 'got']) await mkdir(join(temp.path, name));
  const made = await makeContent(source, { shape: 'single-file', lengthBytes: CONTENT_BYTES });
  await using seed = await bidwidth.seed({
    ...{ torrentPath: made.torrentPath, folder: source, host: HOST },
    homeFolder: join(temp.path, 'seed-home'),
  });
  await run({
    temp,
    torrentPath: made.torrentPath,
    magnet: made.magnet,
    seedPort: seed.endpoint.port,
  });
  assert.equal(
    sha256OfFile(join(temp.path, 'got', 'single.bin')),
    sha256OfFile(made.contentPath),
    'the download is right',
  );
}

function start([command, ...args]: readonly [string, ...string[]], home: string): Child {
  return startChild(command, args, { env: { HOME: home }, timeoutMs: TIMEOUT_MS });
}

function ours(scene: Scene, folder: string, args: readonly string[]): Child {
  const { temp, torrentPath } = scene;
  const torrent = folder === 'got' ? scene.magnet : torrentPath;
  const usual = ['--port', '0', '--json', '--no-trackers', '--no-dht', '--no-lsd', '--no-nat'];
  return start(
    bidwidthCommand(['download', torrent, '--to', join(temp.path, folder), ...usual, ...args]),
    join(temp.path, `${folder}-home`),
  );
}

function theirs(scene: Scene, folder: string, args: readonly string[]): Child {
  const { temp, torrentPath } = scene;
  const torrent = folder === 'got' ? scene.magnet : torrentPath;
  return start(
    libtorrentCommand(['download', torrent, join(temp.path, folder), ...args]),
    join(temp.path, `${folder}-home`),
  );
}

test('libtorrent finds a seed that we told it of', { timeout: TIMEOUT_MS }, async (t) => {
  if (!canRun(t, [bidwidth, libtorrent])) return;
  await withScene('pex-ours', async (scene) => {
    await using middle = ours(scene, 'middle', ['--peer', `${HOST}:${scene.seedPort}`, ...LIMITS]);
    const { port } = await middle.waitForLine(({ event }) => event === 'listening');
    await using leecher = theirs(scene, 'got', [`--peer=${HOST}:${port}`]);
    await leecher.waitForLine(({ event }) => event === 'complete');
  });
});

test('we find a seed that libtorrent told us of', { timeout: TIMEOUT_MS }, async (t) => {
  if (!canRun(t, [bidwidth, libtorrent])) return;
  await withScene('pex-theirs', async (scene) => {
    const peer = `--peer=${HOST}:${scene.seedPort}`;
    await using middle = theirs(scene, 'middle', [peer, '--stay', ...LIMITS]);
    const { port } = await middle.waitForLine(({ event }) => event === 'listening');
    await using leecher = ours(scene, 'got', ['--peer', `${HOST}:${port}`]);
    await leecher.success();
  });
});
