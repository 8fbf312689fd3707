import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { AppError } from '../../units/index.ts';
import { encodeBencode } from '../../wire/index.ts';
import type { DhtWish } from '../dht/index.ts';
import type { TorrentSpec } from './messages.ts';
import { startLoop } from './testing/test-loop.ts';

const PIECE = 64 * 1024;

/** A file of a megabyte on disk, its torrent, and an empty folder to download it to. */
function makeTorrent(t: TestContext): {
  bytes: Uint8Array;
  infoHash: string;
  from: string;
  to: string;
} {
  const folder = fs.mkdtempSync(join(tmpdir(), 'bidwidth-transfer-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const [from, to] = [join(folder, 'from'), join(folder, 'to')];
  fs.mkdirSync(from);
  const whole = randomBytes(1_000_003);
  fs.writeFileSync(join(from, 'file'), whole);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < whole.length; at += PIECE) {
    pieces.push(hash('sha1', whole.subarray(at, at + PIECE), 'buffer'));
  }
  const info = {
    length: whole.length,
    name: 'file',
    'piece length': PIECE,
    pieces: new Uint8Array(Buffer.concat(pieces)),
  };
  const infoHash = hash('sha1', encodeBencode(info));
  return { bytes: encodeBencode({ info }), infoHash, from, to };
}

function specOf(source: TorrentSpec['source'], root: string, port?: number): TorrentSpec {
  const peers = port === undefined ? [] : [{ host: '127.0.0.1', port }];
  return { source, root, peers, useTrackers: false, mustBeComplete: port === undefined };
}

test('a seed and a downloader move a file, by torrent and by magnet', async (t) => {
  const { bytes, infoHash, from, to } = makeTorrent(t);
  const seed = await startLoop(t);
  await seed.loop.add(specOf({ kind: 'metainfo', bytes }, from));
  await seed.until('complete');
  for (const source of [
    { kind: 'metainfo', bytes },
    { kind: 'magnet', text: `magnet:?xt=urn:btih:${infoHash}` },
  ] as const) {
    const leech = await startLoop(t);
    const root = join(to, source.kind);
    await leech.loop.add(specOf(source, root, seed.loop.port));
    await leech.until('complete');
    const got = fs.readFileSync(join(root, 'file'));
    assert.ok(got.equals(fs.readFileSync(join(from, 'file'))));
  }
});

test('a file that changed since the resume record was written is hashed again', async (t) => {
  const { bytes, from, to } = makeTorrent(t);
  const seed = await startLoop(t, { resumeDir: join(to, 'resume') });
  const key = await seed.loop.add(specOf({ kind: 'metainfo', bytes }, from));
  await seed.until('complete');
  await seed.loop.remove(key);
  const path = join(from, 'file');
  const spoiled = fs.readFileSync(path);
  spoiled[0] = (spoiled[0] ?? 0) ^ 1;
  fs.writeFileSync(path, spoiled);
  assert.equal(fs.readdirSync(join(to, 'resume')).length, 1);
  fs.utimesSync(path, new Date(), new Date(1e12));
  const again = await startLoop(t, { resumeDir: join(to, 'resume') });
  await again.loop.add(specOf({ kind: 'metainfo', bytes }, from));
  const news = await again.until('failed');
  assert.ok(news.kind === 'failed' && news.code === 'DAEMON_DATA_INCOMPLETE');
});

test('a torrent is worked on once, and an unknown one is said to be unknown', async (t) => {
  const { bytes, from } = makeTorrent(t);
  const { loop } = await startLoop(t);
  await loop.add(specOf({ kind: 'metainfo', bytes }, from));
  const isAppError = (failure: unknown): boolean => failure instanceof AppError;
  await assert.rejects(loop.add(specOf({ kind: 'metainfo', bytes }, from)), isAppError);
  await assert.rejects(loop.remove('00'), isAppError);
});

test('a folder in the way of the file fails the torrent with the reason', async (t) => {
  const { bytes, from, to } = makeTorrent(t);
  const seed = await startLoop(t);
  await seed.loop.add(specOf({ kind: 'metainfo', bytes }, from));
  fs.mkdirSync(join(to, 'file'), { recursive: true });
  const leech = await startLoop(t);
  await leech.loop.add(specOf({ kind: 'metainfo', bytes }, to, seed.loop.port));
  const news = await leech.until('failed');
  assert.ok(news.kind === 'failed' && /in the way/.test(news.line));
});

test('when the router gives us another port, that one is announced, and ours again after it', async (t) => {
  const { bytes, from } = makeTorrent(t);
  const { port1: near, port2: far } = new MessageChannel();
  t.after(() => near.close());
  const { loop, until } = await startLoop(t, { dhtPort: far });
  const followed = async (): Promise<number> => {
    const [wish] = (await once(near, 'message')) as [DhtWish];
    assert.ok(wish.type === 'follow');
    return wish.port;
  };
  const first = followed();
  await loop.add(specOf({ kind: 'metainfo', bytes }, from));
  await until('complete');
  const { port } = loop;
  assert.equal(await first, port);
  const outside = followed();
  await loop.reachedAt(new Map([[port, { port: 40_000, host: '8.8.8.1' }]]));
  assert.equal(await outside, 40_000);
  assert.equal(loop.port, port, 'where we listen stays what it was');
  const own = followed();
  await loop.reachedAt(new Map());
  assert.equal(await own, port);
});
