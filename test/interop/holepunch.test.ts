/** Two peers behind routers that let nobody in, and one that both know (BEP 55). */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Child, startChild } from '../support/children.ts';
import { makeTempFolder, sha256OfFile } from '../support/files.ts';
import { namespaceProblem } from '../support/namespace.ts';
import { makeNatWorld, type NatWorld, type WorldHost } from '../support/nat-world.ts';
import { canGoOn, canRun } from './availability.ts';
import { bidwidth, bidwidthCommand } from './clients/bidwidth.ts';
import { libtorrent, libtorrentCommand } from './clients/libtorrent.ts';
import { makeContent } from './content.ts';

const PORT = 6881;
const CONTENT_BYTES = 32 * 1_048_576;
/** So the one in the middle cannot send it, nor has it itself before the two have met. */
const SLOW = ['--upload-limit', '1000', '--download-limit', '256000'];
/** libtorrent tells of peers within a minute. */
const TIMEOUT_MS = 150_000;

type Who = 'ours' | 'theirs';

/** Who the three are; `options` are for ours. */
interface Cast {
  readonly seed: Who;
  readonly relay: Who;
  readonly leecher: Who;
  readonly options?: readonly string[];
}

async function play(t: TestContext, cast: Cast): Promise<void> {
  const isForeign = Object.values(cast).includes('theirs');
  const problem = namespaceProblem();
  const clients = [bidwidth, ...(isForeign ? [libtorrent] : [])];
  if (!canRun(t, clients) || !canGoOn(t, problem === null ? [] : [problem])) return;
  await using temp = await makeTempFolder('holepunch');
  for (const name of ['seed', 'relay', 'leecher']) await mkdir(join(temp.path, name));
  const made = await makeContent(join(temp.path, 'seed'), {
    ...{ shape: 'single-file', lengthBytes: CONTENT_BYTES },
  });
  using net: NatWorld = makeNatWorld(2);
  const [one, two] = net.homes;
  assert.ok(one && two);
  const start = (role: 'seed' | 'relay' | 'leecher', host: WorldHost): Child => {
    const folder = join(temp.path, role);
    const known = role === 'relay' ? [] : [`${net.public.address}:${PORT}`];
    const line = cast[role] === 'ours' ? oursLine : theirsLine;
    const limits = role === 'relay' ? SLOW : [];
    const stay = role === 'relay';
    const isSeed = role === 'seed';
    const job = { isSeed, torrentPath: made.torrentPath, folder, known, stay, host };
    const options = [...limits, ...(cast[role] === 'ours' ? (cast.options ?? []) : [])];
    const [command, ...args] = host.command(line(job, options));
    return startChild(command, args, { env: { HOME: `${folder}-home` }, timeoutMs: TIMEOUT_MS });
  };
  await using relay = start('relay', net.public);
  await relay.waitForLine(({ event }) => event === 'listening');
  await using seed = start('seed', one);
  await seed.waitForLine(({ event }) => event === 'listening');
  await using leecher = start('leecher', two);
  await leecher.waitForLine(({ event, ok }) => event === 'complete' || ok === true);
  assert.equal(
    sha256OfFile(join(temp.path, 'leecher', 'single.bin')),
    sha256OfFile(made.contentPath),
  );
}

interface Job {
  readonly isSeed: boolean;
  readonly torrentPath: string;
  readonly folder: string;
  /** Addresses of peers it is told of. */
  readonly known: readonly string[];
  readonly stay: boolean;
  readonly host: WorldHost;
}

function oursLine(job: Job, options: readonly string[]): readonly [string, ...string[]] {
  const { isSeed, torrentPath, folder, known, stay } = job;
  return bidwidthCommand([
    ...(isSeed ? ['seed', torrentPath, '--from', folder] : ['download', torrentPath]),
    ...(isSeed ? [] : ['--to', folder, ...(stay ? ['--seed'] : [])]),
    ...['--port', `${PORT}`, '--json', '--no-trackers', '--no-dht', '--no-lsd'],
    ...known.flatMap((peer) => ['--peer', peer]),
    ...options,
  ]);
}

function theirsLine(job: Job, options: readonly string[]): readonly [string, ...string[]] {
  const { isSeed, torrentPath, folder, known, stay, host } = job;
  const changes = ['enable_incoming_utp=1', 'enable_outgoing_utp=1', 'peer_connect_timeout=3'];
  return libtorrentCommand([
    ...[isSeed ? 'seed' : 'download', torrentPath, folder],
    ...['--host', host.address, '--port', `${PORT}`],
    ...known.map((peer) => `--peer=${peer}`),
    ...(stay ? ['--stay'] : []),
    ...changes.map((change) => `--set=${change}`),
    ...options,
  ]);
}

const within = { timeout: TIMEOUT_MS };

test('two of ours meet through a third of ours', within, async (t) => {
  await play(t, { seed: 'ours', relay: 'ours', leecher: 'ours' });
});

test('two of ours meet through libtorrent, known to it by uTP', within, async (t) => {
  const options = ['--no-tcp'];
  await play(t, { seed: 'ours', relay: 'theirs', leecher: 'ours', options });
});

test('libtorrent meets a seed of ours through a third of ours', within, async (t) => {
  await play(t, { seed: 'ours', relay: 'ours', leecher: 'theirs' });
});

test('we meet a seed of libtorrent through a third of ours', within, async (t) => {
  await play(t, { seed: 'theirs', relay: 'ours', leecher: 'ours' });
});
