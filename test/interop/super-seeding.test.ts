/** A super-seed (BEP 16) and two downloaders that know each other, with libtorrent both ways. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Child, startChild } from '../support/children.ts';
import { makeTempFolder, sha256OfFile } from '../support/files.ts';
import { canRun } from './availability.ts';
import { bidwidth, bidwidthCommand } from './clients/bidwidth.ts';
import { libtorrent, libtorrentCommand } from './clients/libtorrent.ts';
import { makeContent } from './content.ts';

const HOST = '127.0.0.1';
const CONTENT_BYTES = 16 * 1_048_576;
/** So slow that ordinary seeding would send both of them all. */
const SEED_RATE = 4 * 1_048_576;
const TIMEOUT_MS = 180_000;

type Command = readonly [string, ...string[]];

/** How a client is told to do either. */
interface Client {
  superSeed(torrent: string, folder: string): Command;
  download(torrent: string, folder: string, peers: readonly string[]): Command;
  /** What the seed has sent, in bytes; ends it. */
  sentBytes(seed: Child): Promise<number>;
}

const ALONE = ['--port', '0', '--json', '--no-trackers', '--no-dht', '--no-lsd', '--no-nat'];

const ours: Client = {
  superSeed: (torrent, folder) =>
    bidwidthCommand([
      ...['seed', torrent, '--from', folder, '--super', '--upload-limit', `${SEED_RATE}`],
      ...ALONE,
    ]),
  download: (torrent, folder, peers) => {
    const known = peers.flatMap((peer) => ['--peer', peer]);
    return bidwidthCommand(['download', torrent, '--to', folder, '--seed', ...ALONE, ...known]);
  },
  sentBytes: async (seed) => {
    await seed.stop();
    return Number((await seed.waitForLine(({ ok }) => ok === true))['sentBytes']);
  },
};

const theirs: Client = {
  superSeed: (torrent, folder) =>
    libtorrentCommand([
      ...['seed', torrent, folder, '--super', '--upload-limit', `${SEED_RATE}`],
      '--report-uploaded',
    ]),
  download: (torrent, folder, peers) =>
    libtorrentCommand([
      ...['download', torrent, folder, '--stay'],
      ...peers.map((peer) => `--peer=${peer}`),
    ]),
  sentBytes: async (seed) => {
    // It tells of what it sends a little later.
    await seed.waitForLine(({ bytes }) => Number(bytes) >= CONTENT_BYTES);
    return Number(seed.lines().findLast(({ event }) => event === 'uploaded')?.bytes);
  },
};

/** How many copies the seed has sent when both have one. */
async function copiesFor(seeder: Client, downloader: Client): Promise<number> {
  await using temp = await makeTempFolder('super');
  for (const name of ['source', 'one', 'two']) await mkdir(join(temp.path, name));
  const source = join(temp.path, 'source');
  const made = await makeContent(source, { shape: 'single-file', lengthBytes: CONTENT_BYTES });
  const start = ([command, ...args]: Command, home: string): Child =>
    startChild(command, args, { env: { HOME: join(temp.path, home) }, timeoutMs: TIMEOUT_MS });
  const nameOnceListening = async (child: Child): Promise<string> =>
    `${HOST}:${(await child.waitForLine(({ event }) => event === 'listening')).port}`;
  await using seed = start(seeder.superSeed(made.torrentPath, source), 'seed-home');
  const seedName = await nameOnceListening(seed);
  const download = (name: string, peers: readonly string[]): Child =>
    start(downloader.download(made.torrentPath, join(temp.path, name), peers), `${name}-home`);
  await using one = download('one', [seedName]);
  await using two = download('two', [seedName, await nameOnceListening(one)]);
  for (const [name, child] of [['one', one] as const, ['two', two] as const]) {
    await child.waitForLine(({ event }) => event === 'complete');
    const got = sha256OfFile(join(temp.path, name, 'single.bin'));
    assert.equal(got, sha256OfFile(made.contentPath));
  }
  return (await seeder.sentBytes(seed)) / CONTENT_BYTES;
}

const within = { timeout: TIMEOUT_MS };

test('two of libtorrent get it from us for little more than one copy', within, async (t) => {
  if (!canRun(t, [bidwidth, libtorrent])) return;
  const copies = await copiesFor(ours, theirs);
  assert.ok(copies >= 1 && copies < 1.25, `${copies} copies`);
});

test('two of ours get it from libtorrent for little more than one copy', within, async (t) => {
  if (!canRun(t, [bidwidth, libtorrent])) return;
  const copies = await copiesFor(theirs, ours);
  assert.ok(copies >= 1 && copies < 1.25, `${copies} copies`);
});
