/** Local discovery on loopback: ours with ours, and with libtorrent both ways. No peer is named. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Child, startChild } from '../support/children.ts';
import { makeTempFolder, sha256OfFile } from '../support/files.ts';
import { canRun } from './availability.ts';
import { bidwidth, bidwidthCommand } from './clients/bidwidth.ts';
import { libtorrent, libtorrentCommand } from './clients/libtorrent.ts';
import { type Content, makeContent } from './content.ts';

const TIMEOUT_MS = 180_000;
const ON_LOOPBACK = ['--bind', '127.0.0.1', '--port', '0', '--json', '--no-trackers', '--no-dht'];

/** The files of one transfer. */
interface Scene {
  readonly folder: string;
  readonly made: Content;
}

type Starter = (scene: Scene) => Child;

function start([command, ...args]: readonly [string, ...string[]], home: string): Child {
  return startChild(command, args, { env: { HOME: home }, timeoutMs: TIMEOUT_MS });
}

const ourSeed: Starter = ({ folder, made }) =>
  start(
    bidwidthCommand(['seed', made.torrentPath, '--from', join(folder, 'source'), ...ON_LOOPBACK]),
    join(folder, 'seed-home'),
  );

const ourDownload: Starter = ({ folder, made }) =>
  start(
    bidwidthCommand(['download', made.magnet, '--to', join(folder, 'got'), ...ON_LOOPBACK]),
    join(folder, 'got-home'),
  );

const theirSeed: Starter = ({ folder, made }) =>
  start(
    libtorrentCommand(['seed', made.torrentPath, join(folder, 'source'), '--lsd']),
    join(folder, 'seed-home'),
  );

const theirDownload: Starter = ({ folder, made }) =>
  start(
    libtorrentCommand(['download', made.magnet, join(folder, 'got'), '--lsd']),
    join(folder, 'got-home'),
  );

async function meet(seed: Starter, download: Starter): Promise<void> {
  await using temp = await makeTempFolder('lsd');
  const folder = temp.path;
  for (const name of ['source', 'got']) await mkdir(join(folder, name));
  const source = join(folder, 'source');
  const made = await makeContent(source, { shape: 'single-file', lengthBytes: 1_000_003 });
  await using seeding = seed({ folder, made });
  await seeding.waitForLine(({ event }) => event === 'seeding' || event === 'complete');
  await using downloading = download({ folder, made });
  await downloading.waitForLine(({ event, ok }) => event === 'complete' || ok === true);
  assert.equal(sha256OfFile(join(folder, 'got', made.name)), sha256OfFile(made.contentPath));
}

function needs(t: TestContext, hasLibtorrent: boolean): boolean {
  return canRun(t, hasLibtorrent ? [bidwidth, libtorrent] : [bidwidth]);
}

test('two nodes of one machine find each other', { timeout: TIMEOUT_MS }, async (t) => {
  if (needs(t, false)) await meet(ourSeed, ourDownload);
});

test('we find a neighbour that is libtorrent', { timeout: TIMEOUT_MS }, async (t) => {
  if (needs(t, true)) await meet(theirSeed, ourDownload);
});

test('libtorrent finds us as its neighbour', { timeout: TIMEOUT_MS }, async (t) => {
  if (needs(t, true)) await meet(ourSeed, theirDownload);
});
