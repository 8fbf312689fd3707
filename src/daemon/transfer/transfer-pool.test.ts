import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AppError } from '../../units/index.ts';
import { encodeBencode } from '../../wire/index.ts';
import { DaemonError } from '../daemon-error.ts';
import { joinSnapshots } from './join-snapshots.ts';
import type { TorrentSpec, TransferRates, TransferSnapshot } from './messages.ts';
import { Transfer, type TransferListener } from './transfer.ts';
import { type Shard, TransferPool } from './transfer-pool.ts';

const UNLIMITED = { upload: Infinity, download: Infinity };

/** A torrent of one file of random bytes. */
interface SmallTorrent {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly whole: Uint8Array;
  readonly key: string;
}

function makeTorrent(name: string, totalBytes = 300_000): SmallTorrent {
  const pieceLengthBytes = 64 * 1024;
  const whole = new Uint8Array(randomBytes(totalBytes));
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < whole.length; at += pieceLengthBytes) {
    pieces.push(hash('sha1', whole.subarray(at, at + pieceLengthBytes), 'buffer'));
  }
  const info = {
    length: whole.length,
    name,
    'piece length': pieceLengthBytes,
    pieces: new Uint8Array(Buffer.concat(pieces)),
  };
  const bytes = encodeBencode({ info });
  return { name, bytes, whole, key: hash('sha1', encodeBencode(info)) };
}

function specOf(torrent: SmallTorrent, root: string, port?: number): TorrentSpec {
  const peers = port === undefined ? [] : [{ host: '127.0.0.1', port }];
  const source = { kind: 'metainfo', bytes: torrent.bytes } as const;
  return { source, root, peers, useTrackers: false, mustBeComplete: port === undefined };
}

/** A shard that only notes what it is asked; `movedBytes` is what it says it has moved. */
class FakeShard implements Shard {
  readonly port: number;
  hasCrashed = false;
  movedBytes = 0;
  refusal: Error | null = null;
  readonly calls: string[] = [];

  constructor(port: number) {
    this.port = port;
  }

  async add({ root }: TorrentSpec): Promise<string> {
    this.calls.push('add');
    if (this.refusal) throw this.refusal;
    return root;
  }
  async addSleeping(torrents: readonly { readonly torrent: string }[]): Promise<void> {
    this.calls.push(`sleep ${torrents.map(({ torrent }) => torrent)}`);
  }
  async remove(): Promise<null> {
    this.calls.push('remove');
    return null;
  }
  async retry(): Promise<void> {}
  async setTrackers(): Promise<void> {
    this.calls.push('setTrackers');
  }
  async trackers(): Promise<[]> {
    return [];
  }

  async rest(): Promise<boolean> {
    return true;
  }

  async goOn(): Promise<void> {}

  async addPeers(): Promise<void> {
    this.calls.push('addPeers');
  }
  async prioritiseFiles(): Promise<void> {
    this.calls.push('prioritiseFiles');
  }
  async setSequential(): Promise<void> {
    this.calls.push('setSequential');
  }
  async whenHere(): Promise<void> {
    this.calls.push('whenHere');
  }
  async forget(): Promise<void> {
    this.calls.push('forget');
  }
  async limit(rates: TransferRates, torrent?: string): Promise<void> {
    this.calls.push(`limit ${rates.upload} ${torrent === undefined ? 'all' : 'one'}`);
  }
  async reachedAt(): Promise<void> {
    this.calls.push('reachedAt');
  }
  async load(): ReturnType<Shard['load']> {
    const unused = { movedBytes: 0, wasShort: false };
    return { upload: { movedBytes: this.movedBytes, wasShort: false }, download: unused };
  }
  async snapshot(): Promise<TransferSnapshot> {
    return { torrents: [], exchange: null };
  }
  async activity(): Promise<[]> {
    return [];
  }
  async settle(): Promise<void> {}
  async stop(): Promise<void> {
    this.calls.push('stop');
    if (this.refusal) throw this.refusal;
  }
}

function fakePool(): { pool: TransferPool; one: FakeShard; two: FakeShard } {
  const [one, two] = [new FakeShard(7001), new FakeShard(7002)];
  return { pool: new TransferPool([one, two], UNLIMITED), one, two };
}

const tiny = ['a', 'b', 'c', 'd'].map((name) => makeTorrent(name, 1_000)) as [
  SmallTorrent,
  SmallTorrent,
  SmallTorrent,
  SmallTorrent,
];

test('torrents spread evenly, and each call reaches the shard of its torrent', async () => {
  const { pool, one, two } = fakePool();
  const [a, b, c, d] = tiny;
  for (const torrent of [a, b, c, d]) await pool.add(specOf(torrent, '/x'));
  assert.deepEqual(
    [one.calls, two.calls],
    [
      ['add', 'add'],
      ['add', 'add'],
    ],
  );
  await pool.addPeers(b.key, []);
  await pool.limit({ upload: 5 }, b.key);
  await pool.prioritiseFiles(b.key, [1]);
  await pool.setSequential(b.key, true);
  const range = { firstPiece: 0, lastPiece: 0 };
  await pool.whenHere(b.key, range, 1);
  await pool.forget(b.key, range);
  await pool.remove(b.key);
  assert.deepEqual(two.calls.splice(2), [
    ...['addPeers', 'limit 5 one', 'prioritiseFiles', 'setSequential', 'whenHere', 'forget'],
    'remove',
  ]);
  assert.equal(one.calls.length, 2);
  await pool.add(specOf(b, '/x'));
  assert.deepEqual(two.calls.splice(2), ['add'], 'its place was free again');
});

test('a torrent goes where least is moved, however many torrents rest there', async (t) => {
  t.mock.method(performance, 'now', () => 0);
  const { pool, one, two } = fakePool();
  const [a, b, c, d] = tiny;
  one.movedBytes = 1e9;
  t.mock.method(performance, 'now', () => 1_000);
  for (const torrent of [a, b, c, d]) await pool.add(specOf(torrent, '/x'));
  assert.deepEqual([one.calls.length, two.calls.length], [0, 4]);
});

test('a torrent that is added twice comes to the same shard, which refuses it', async () => {
  const { pool, one, two } = fakePool();
  const [a, b] = tiny;
  await pool.add(specOf(a, '/x'));
  one.refusal = new DaemonError('DAEMON_TORRENT_DUPLICATE', 'it is here');
  await assert.rejects(pool.add(specOf(a, '/x')), AppError);
  assert.deepEqual([one.calls, two.calls], [['add', 'add'], []]);
  await pool.addPeers(a.key, []);
  assert.equal(one.calls.at(-1), 'addPeers', 'its place is still known');
  one.refusal = null;
  two.refusal = new DaemonError('DAEMON_TORRENT_UNSUPPORTED', 'no');
  await assert.rejects(pool.add(specOf(b, '/x')), AppError);
  two.refusal = null;
  await pool.add(specOf(b, '/x'));
  assert.equal(two.calls.length, 2, 'a refused torrent takes no place');
});

test('sleeping torrents are spread, and wake where they are', async () => {
  const { pool, one, two } = fakePool();
  const sleepers = tiny.map(({ key }) => ({ torrent: key, trackers: [], isPrivate: false }));
  await pool.addSleeping(sleepers);
  const [a, b, c, d] = tiny;
  assert.deepEqual(one.calls, [`sleep ${a.key},${c.key}`]);
  assert.deepEqual(two.calls, [`sleep ${b.key},${d.key}`]);
  await pool.add(specOf(d, '/x'));
  assert.equal(two.calls.at(-1), 'add');
});

test('a common limit is divided, a lifted one is lifted for all', async (t) => {
  const { pool, one, two } = fakePool();
  t.after(() => pool.stop());
  await pool.limit({ upload: 1_000 });
  assert.deepEqual([one.calls, two.calls], [['limit 500 all'], ['limit 500 all']]);
  await pool.limit({ upload: Infinity });
  assert.equal(one.calls.at(-1), 'limit Infinity all');
});

test('all shards are stopped, also when one of them fails to', async () => {
  const { pool, one, two } = fakePool();
  one.refusal = new Error('stuck');
  await assert.rejects(pool.stop(), /stuck/);
  assert.deepEqual([one.calls, two.calls], [['stop'], ['stop']]);
});

test('torrents and trade of all shards are shown as one', () => {
  const seller = { reserve: 3n, price: 7n, earned: 5n, soldBytes: 10, graceOutstandingBytes: 1 };
  const buyer = {
    ...{ maxPrice: 9n, budget: 50n, spent: 1n, committed: 2n, boughtBytes: 3, voucherCount: 4 },
  };
  const one = { torrents: [{ key: 'a' }], exchange: { seller, buyer, peers: [1] } };
  const other = { ...seller, reserve: 2n, price: 6n };
  const two = { torrents: [{ key: 'b' }], exchange: { seller: other, buyer, peers: [2] } };
  // Branded amounts and whole torrents would say no more here.
  const joined = joinSnapshots([one, two] as unknown as TransferSnapshot[]);
  assert.deepEqual(joined, {
    torrents: [{ key: 'a' }, { key: 'b' }],
    exchange: {
      seller: { reserve: 2n, price: 7n, earned: 10n, soldBytes: 20, graceOutstandingBytes: 2 },
      buyer: {
        ...{ maxPrice: 9n, budget: 100n, spent: 2n, committed: 4n, boughtBytes: 6 },
        voucherCount: 8,
      },
      peers: [1, 2],
    },
  });
  assert.equal(joinSnapshots([{ torrents: [], exchange: null }]).exchange, null);
});

/** Two real threads; what they tell goes to `listener`. */
async function realPool(
  t: TestContext,
  listener: TransferListener,
): Promise<{ pool: TransferPool; shards: readonly Transfer[] }> {
  const options = {
    ...{ listenPort: 0, bindHost: '127.0.0.1', uploadLimit: Infinity, downloadLimit: Infinity },
    ...{ resumeDir: null, exchange: null, moneyPort: null },
  };
  const shards = await Promise.all([0, 1].map(() => Transfer.start(options, listener)));
  const pool = new TransferPool(shards, UNLIMITED);
  t.after(() => pool.stop());
  return { pool, shards };
}

/** Resolves when this many torrents are complete. */
function completions(count: number): { listener: TransferListener; all: Promise<void> } {
  const { promise: all, resolve, reject } = Promise.withResolvers<void>();
  const complete = new Set<string>();
  const listener: TransferListener = {
    onNews: (torrent, news) => {
      if (news.kind === 'complete' && complete.add(torrent).size === count) resolve();
    },
    onCrash: reject,
  };
  return { listener, all };
}

function makeFolder(t: TestContext): string {
  const folder = fs.mkdtempSync(join(tmpdir(), 'bidwidth-pool-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('two threads seed two torrents, and two others download them', async (t) => {
  const folder = makeFolder(t);
  const torrents = [makeTorrent('x'), makeTorrent('y')];
  const seeding = completions(2);
  const seeds = await realPool(t, seeding.listener);
  for (const torrent of torrents) {
    fs.writeFileSync(join(folder, torrent.name), torrent.whole);
    await seeds.pool.add(specOf(torrent, folder));
  }
  await seeding.all;
  const downloading = completions(2);
  const leeches = await realPool(t, downloading.listener);
  for (const [nth, torrent] of torrents.entries()) {
    const port = seeds.pool.ports[nth];
    await leeches.pool.add(specOf(torrent, join(folder, 'to'), port));
  }
  await downloading.all;
  for (const torrent of torrents) {
    const got = fs.readFileSync(join(folder, 'to', torrent.name));
    assert.ok(got.equals(torrent.whole));
  }
  for (const shard of leeches.shards) {
    assert.equal((await shard.snapshot()).torrents.length, 1);
  }
  const { torrents: shown } = await leeches.pool.snapshot();
  assert.deepEqual(
    shown.map(({ key }) => key).toSorted(),
    torrents.map(({ key }) => key).toSorted(),
  );
  const { download } = await leeches.pool.load();
  assert.equal(download.movedBytes, 600_000);
});

test("a thread's crash is told, its calls are refused, and the others are stopped in order", async (t) => {
  const folder = makeFolder(t);
  const torrents = [makeTorrent('x'), makeTorrent('y')];
  const crash = Promise.withResolvers<Error>();
  const { pool, shards } = await realPool(t, { onNews: () => {}, onCrash: crash.resolve });
  for (const torrent of torrents) await pool.add(specOf(torrent, folder, 1));
  // A mistake of ours, such as no code of ours makes: the thread dies of it.
  const dying = shards[1]?.addPeers(torrents[1]?.key ?? '', null as never);
  assert.match((await crash.promise).message, /iterable/);
  await assert.rejects(async () => dying, /iterable/);
  await assert.rejects(pool.addPeers(torrents[1]?.key ?? '', []), /iterable/);
  await pool.addPeers(torrents[0]?.key ?? '', []);
  await assert.rejects(pool.snapshot(), /iterable/);
  await pool.stop();
});
