/** Private torrents (BEP 27), and what trackers are told of any torrent. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { FileLayout, makeResume, type ResumeRecord } from '../../platform/disk/index.ts';
import { Bitfield, toHex } from '../../units/index.ts';
import { makeFolder, type TorrentManner, torrentOf } from '../session/testing/session-scene.ts';
import type { TorrentNews, TorrentSpec, TransferOptions } from './messages.ts';
import { NotingTracker } from './testing/noting-tracker.ts';
import { readInput } from './torrent-input.ts';
import { TransferLoop } from './transfer-loop.ts';

const SIZE = 200_000;

/** A loop with peer exchange, and what it told. */
async function startLoop(t: TestContext, options: Partial<TransferOptions> = {}) {
  const told: TorrentNews[] = [];
  let wake = (): void => {};
  const loop = await TransferLoop.start(
    {
      ...{ listenPort: 0, bindHost: '127.0.0.1', resumeDir: null, usePex: true },
      ...{ uploadLimit: Infinity, downloadLimit: Infinity, exchange: null, moneyPort: null },
      ...options,
    },
    (_key, news) => {
      told.push(news);
      wake();
    },
  );
  t.after(() => loop.stop());
  const until = async (fits: (news: TorrentNews) => boolean): Promise<TorrentNews> => {
    for (;;) {
      const found = told.find(fits);
      if (found) return found;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { loop, told, until: (kind: TorrentNews['kind']) => until((news) => news.kind === kind) };
}

/** A torrent whose data lies in `from`, and what adds it there and elsewhere. */
function scene(t: TestContext, manner: TorrentManner) {
  const { path, remove } = makeFolder();
  t.after(remove);
  const from = join(path, 'from');
  fs.mkdirSync(from);
  const content = randomBytes(SIZE);
  fs.writeFileSync(join(from, 'film'), content);
  const { bytes, key } = torrentOf('film', content, manner);
  const source = { kind: 'metainfo', bytes } as const;
  const spec = (root: string, more: Partial<TorrentSpec> = {}): TorrentSpec => ({
    source,
    root,
    peers: [],
    useTrackers: true,
    mustBeComplete: false,
    ...more,
  });
  return { path, from, content, key, source, spec };
}

/** A resume record that says all pieces are right. */
function claim(source: TorrentSpec['source'], root: string): Promise<ResumeRecord> {
  const { infoHash, info } = readInput(source);
  assert.ok(info);
  const { pieceCount } = info;
  const have = new Bitfield(pieceCount);
  have.setAll();
  const key = toHex(infoHash);
  const layout = new FileLayout(root, info.files, join(root, `.${key}.parts`));
  return makeResume({ infoHash: key, layout, pieceCount }, have, false);
}

const here = (port: number) => ({ host: '127.0.0.1', port });

test('a tracker hears started, completed and stopped once each, with exact numbers', async (t) => {
  const tracker = await NotingTracker.start(t);
  const { path, from, key, spec } = scene(t, { isPrivate: true, announce: tracker.url });
  const seed = await startLoop(t);
  await seed.loop.add(spec(from));
  const first = await tracker.until('started');
  assert.deepEqual([first.uploadedBytes, first.downloadedBytes, first.leftBytes], [0, 0, 0]);
  tracker.peers = [here(seed.loop.port)];
  const leech = await startLoop(t);
  await leech.loop.add(spec(join(path, 'to')));
  await leech.until('complete');
  const completed = await tracker.until('completed');
  assert.deepEqual([completed.downloadedBytes, completed.leftBytes], [SIZE, 0]);
  await leech.loop.remove(key);
  await seed.loop.remove(key);
  const ends = tracker.announces.filter(({ event }) => event === 'stopped');
  assert.deepEqual(
    ends.map(({ uploadedBytes, downloadedBytes }) => [uploadedBytes, downloadedBytes]),
    [
      [0, SIZE],
      [SIZE, 0],
    ],
  );
  assert.deepEqual(tracker.events, ['started', 'started', 'completed', 'stopped', 'stopped']);
  assert.ok(tracker.announces.every(({ infoHash }) => infoHash === key));
});

test('what a liar sent is told as corrupt, not as downloaded', async (t) => {
  const tracker = await NotingTracker.start(t);
  const { path, from, content, key, source, spec } = scene(t, { announce: tracker.url });
  const bad = join(path, 'bad');
  fs.mkdirSync(bad);
  fs.writeFileSync(join(bad, 'film'), randomBytes(SIZE));
  const liar = await startLoop(t);
  await liar.loop.add(spec(bad, { useTrackers: false, resume: await claim(source, bad) }));
  await liar.until('complete');
  const leech = await startLoop(t);
  const to = join(path, 'to');
  await leech.loop.add(spec(to, { peers: [here(liar.loop.port)] }));
  await leech.until('ban');
  const seed = await startLoop(t);
  await seed.loop.add(spec(from, { useTrackers: false }));
  await leech.loop.addPeers(key, [here(seed.loop.port)]);
  await leech.until('complete');
  assert.ok(fs.readFileSync(join(to, 'film')).equals(content));
  const { downloadedBytes, corruptBytes, leftBytes } = await tracker.until('completed');
  assert.ok(corruptBytes > 0);
  // A block may have been on its way from both.
  assert.ok(downloadedBytes >= SIZE && downloadedBytes < SIZE + 3 * 16_384, `${downloadedBytes}`);
  assert.equal(leftBytes, 0);
});

test('after a restart a tracker hears what is left, and of nothing moved before', async (t) => {
  const tracker = await NotingTracker.start(t);
  const { path, from, content, key, spec } = scene(t, { announce: tracker.url });
  const to = join(path, 'to');
  fs.mkdirSync(to);
  fs.writeFileSync(join(to, 'film'), content.subarray(0, 6 * 16_384));
  fs.truncateSync(join(to, 'film'), SIZE);
  const seed = await startLoop(t);
  await seed.loop.add(spec(from, { useTrackers: false }));
  const leech = await startLoop(t);
  await leech.loop.add(spec(to, { peers: [here(seed.loop.port)] }));
  const { leftBytes, downloadedBytes } = await tracker.until('started');
  assert.deepEqual([leftBytes, downloadedBytes], [SIZE - 6 * 16_384, 0]);
  const completed = await tracker.until('completed');
  assert.equal(completed.downloadedBytes, SIZE - 6 * 16_384);
  await leech.loop.remove(key);
  await leech.loop.add(spec(to));
  const again = await tracker.until('started', 1);
  assert.deepEqual([again.downloadedBytes, again.uploadedBytes, again.leftBytes], [0, 0, 0]);
  assert.equal(tracker.events.filter((event) => event === 'completed').length, 1);
});

test('pieces that are lost and come again do not complete a torrent twice', async (t) => {
  const tracker = await NotingTracker.start(t);
  const { path, from, key, spec } = scene(t, { announce: tracker.url });
  const seed = await startLoop(t);
  await seed.loop.add(spec(from, { useTrackers: false }));
  const leech = await startLoop(t);
  const to = join(path, 'to');
  await leech.loop.add(spec(to, { peers: [here(seed.loop.port)] }));
  await tracker.until('completed');
  fs.truncateSync(join(to, 'film'), 1_000);
  await leech.until('waiting');
  await leech.loop.retry(key);
  while (fs.statSync(join(to, 'film')).size < SIZE) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await leech.loop.remove(key);
  assert.deepEqual(tracker.events, ['started', 'completed', 'stopped']);
});

test('a private torrent is neither in the DHT nor told to peers; others are', async (t) => {
  for (const isPrivate of [true, false]) {
    const { port1, port2 } = new MessageChannel();
    t.after(() => port1.close());
    const said: unknown[] = [];
    port1.on('message', (message) => said.push(message));
    const { from, key, spec } = scene(t, isPrivate ? { isPrivate } : {});
    const { loop, until } = await startLoop(t, { dhtPort: port2 });
    await loop.add(spec(from));
    await until('complete');
    await loop.remove(key);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const isFollowed = said.some((message) => JSON.stringify(message).includes('follow'));
    assert.equal(isFollowed, !isPrivate, JSON.stringify(said));
  }
});

test('what a link says of peers is not for a private torrent; its trackers are', async (t) => {
  const tracker = await NotingTracker.start(t);
  const { path, from, key, spec } = scene(t, { isPrivate: true });
  const inLink = await startLoop(t);
  await inLink.loop.add(spec(from));
  const copy = join(path, 'copy');
  fs.cpSync(from, copy, { recursive: true });
  const known = await startLoop(t);
  await known.loop.add(spec(copy));
  const leech = await startLoop(t);
  const text =
    `magnet:?xt=urn:btih:${key}&x.pe=127.0.0.1:${inLink.loop.port}` +
    `&tr=${encodeURIComponent(tracker.url)}`;
  await leech.loop.add(spec(join(path, 'to'), { source: { kind: 'magnet', text } }));
  await leech.until('started');
  // Whoever gave the metadata is let go.
  const isAlone = async () => (await leech.loop.snapshot()).torrents[0]?.peers.length === 0;
  while (!(await isAlone())) await new Promise((resolve) => setTimeout(resolve, 10));
  await leech.loop.addPeers(key, [here(known.loop.port)]);
  await leech.until('complete');
  assert.equal((await inLink.loop.snapshot()).torrents[0]?.sentBytes, 0);
});

test('nothing that is told of a tracker has its passkey', async (t) => {
  const key = '0123456789abcdef0123456789abcdef';
  const { from, spec } = scene(t, { isPrivate: true });
  const { loop, told } = await startLoop(t);
  const urls = [
    `http://127.0.0.1:1/announce?passkey=${key}`,
    `http://127.0.0.1:1/${key}/announce`,
    `https://tracker.invalid/${key}/announce`,
    `udp://127.0.0.1:1/${key}`,
    `wss://tracker.invalid/${key}`,
    `nonsense/${key}`,
  ];
  const torrent = await loop.add(spec(from, { trackers: urls.map((url) => [url]) }));
  while (told.filter((news) => news.kind === 'tracker' && news.isFailure).length < 3) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.ok(!JSON.stringify(told).includes(key), JSON.stringify(told));
  // Whoever edits them sees them whole, with the same lines.
  const views = await loop.trackers(torrent);
  assert.deepEqual(
    views.map(({ url }) => url),
    urls,
  );
  assert.ok(views.every(({ message }) => !message?.includes(key)));
});
