import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { NotingTracker } from '../transfer/testing/noting-tracker.ts';
import type { AddRequest } from './index.ts';
import { openReal } from './testing/session-real.ts';
import { makeFolder, type TorrentManner, torrentOf } from './testing/session-scene.ts';

/** A torrent, as a seed in `from` and as a download to `to`. */
function scene(t: TestContext, manner: TorrentManner = {}) {
  const { path, remove } = makeFolder();
  t.after(remove);
  const [from, to] = [join(path, 'from'), join(path, 'to')];
  const content = randomBytes(100_000);
  fs.mkdirSync(from);
  fs.writeFileSync(join(from, 'film'), content);
  const { bytes, key } = torrentOf('film', content, manner);
  const source = { kind: 'metainfo', bytes } as const;
  const seed: AddRequest = { source, root: from, isSaidToBeComplete: true };
  return { path, key, seed, download: { source, root: to } satisfies AddRequest };
}

test('a sleeping seed follows its trackers as they are added, removed and replaced', async (t) => {
  const [a, b, c] = [
    await NotingTracker.start(t),
    await NotingTracker.start(t),
    await NotingTracker.start(t),
  ];
  const { path, key, seed } = scene(t, { announce: a.url });
  const first = await openReal(t, join(path, 'home'));
  await first.session.add([seed]);
  assert.equal((await a.until('started')).leftBytes, 0);
  await first.session.editTrackers(key, { kind: 'add', urls: [b.url] });
  await b.until('started');
  await first.session.editTrackers(key, { kind: 'remove', urls: [a.url] });
  await a.until('stopped');
  assert.equal(first.session.get(key)?.state, 'asleep');
  await first.session.editTrackers(key, { kind: 'replace', from: b.url, to: c.url });
  await Promise.all([b.until('stopped'), c.until('started')]);
  const views = await first.session.trackers(key);
  assert.deepEqual(
    views.map(({ url, tier }) => [url, tier]),
    [[c.url, 0]],
  );
  await first.session.close();
  assert.deepEqual(
    [a.events, b.events, c.events],
    [
      ['started', 'stopped'],
      ['started', 'stopped'],
      ['started', 'stopped'],
    ],
  );
  const again = await openReal(t, join(path, 'home'));
  await c.until('started', 1);
  assert.deepEqual(again.session.get(key)?.trackers, [[c.url]]);
  assert.equal(a.events.length + b.events.length, 4);
});

test('a download without trackers finds its peers by one that is added', async (t) => {
  const { path, key, seed, download } = scene(t);
  const seeder = await openReal(t, join(path, 'seeder'));
  await seeder.session.add([seed]);
  const tracker = await NotingTracker.start(t);
  tracker.peers = [{ host: '127.0.0.1', port: seeder.port }];
  const { session, until } = await openReal(t, join(path, 'home'));
  await session.add([download]);
  assert.deepEqual(await session.trackers(key), []);
  await session.editTrackers(key, { kind: 'add', urls: [tracker.url] });
  await until('complete');
  assert.ok(fs.existsSync(join(download.root, 'film')));
  await tracker.until('completed');
  const [view] = await session.trackers(key);
  assert.equal(view?.state, 'working');
});

test('a seed that was announced nowhere is announced where it is told, asleep or paused', async (t) => {
  const { path, key, seed } = scene(t, { isPrivate: true });
  const tracker = await NotingTracker.start(t);
  const { session } = await openReal(t, join(path, 'home'));
  await session.add([seed]);
  await session.pause([key]);
  await session.editTrackers(key, { kind: 'add', urls: [tracker.url] });
  const [view] = await session.trackers(key);
  assert.deepEqual([view?.url, view?.state], [tracker.url, 'idle']);
  assert.deepEqual(tracker.events, []);
  await session.resume([key]);
  await tracker.until('started');
  const second = await NotingTracker.start(t);
  await session.editTrackers(key, { kind: 'replace', from: tracker.url, to: second.url });
  await Promise.all([tracker.until('stopped'), second.until('started')]);
});

test('what is no tracker changes nothing', async (t) => {
  const { path, key, seed } = scene(t, { announce: 'udp://tracker.invalid:1/announce' });
  const { session } = await openReal(t, join(path, 'home'));
  await session.add([{ ...seed, isPaused: true }]);
  const bad = session.editTrackers(key, { kind: 'add', urls: ['nonsense'] });
  await assert.rejects(bad, { code: 'DAEMON_TRACKER_INVALID' });
  const unknown = session.editTrackers(key, { kind: 'remove', urls: ['http://a.test/'] });
  await assert.rejects(unknown, { code: 'DAEMON_TRACKER_UNKNOWN' });
  assert.deepEqual(session.get(key)?.trackers, [['udp://tracker.invalid:1/announce']]);
});
