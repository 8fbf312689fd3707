import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { SessionOptions } from './index.ts';
import {
  type FakeTransfer,
  makeFolder,
  openFake,
  seedIn,
  sessionTime,
} from './testing/session-scene.ts';

/** A seed of 40,000 bytes in a folder that goes with the test. */
function scene(t: TestContext) {
  const { path: home, remove } = makeFolder();
  t.after(remove);
  const seed = seedIn(home, 'seed');
  const open = (options: Partial<SessionOptions> = {}) => openFake(t, home, options);
  return { seed, open, key: seed.key, time: sessionTime(t) };
}

/** A peer has woken the torrent and taken so much since. */
function sent(transfer: FakeTransfer, torrent: string, sentBytes: number): void {
  if (transfer.activities.length === 0) transfer.tell(torrent, { kind: 'wanted' });
  transfer.activities = [
    {
      ...{ torrent, phase: 'seeding', haveBytes: 40_000, receivedBytes: 0, sentBytes },
      ...{ receiveRate: 0, sendRate: 0, peerCount: 1 },
    },
  ];
}

test('a torrent that has given back enough stops, and stays so after a restart', async (t) => {
  const { seed, open, key, time } = scene(t);
  const told: string[] = [];
  const first = await open({
    seeding: { ratio: 2 },
    onNews: (_, news) => {
      if (news.kind === 'seeded') told.push(`${news.reason}: ${news.line}`);
    },
  });
  await first.session.add([seed]);
  sent(first.transfer, key, 79_999);
  await time.pass(1_000, 2);
  assert.equal(first.session.get(key)?.state, 'working');
  sent(first.transfer, key, 80_000);
  await time.pass(1_000, 2);
  assert.equal(first.session.get(key)?.state, 'seeded');
  assert.equal(first.session.get(key)?.ratio, 2);
  assert.deepEqual(told, ['ratio: the share ratio of 2 is reached']);
  assert.equal(first.transfer.calls.at(-1), `remove ${key.slice(0, 4)}`);
  await first.session.close();

  const { session, transfer } = await open({ seeding: { ratio: 2 } });
  assert.equal(session.get(key)?.state, 'seeded');
  assert.equal(session.get(key)?.seedingEnd, 'the share ratio of 2 is reached');
  assert.deepEqual(transfer.calls, []);
});

test('who resumes a seeded torrent wants it to go on without limits', async (t) => {
  const { seed, open, key, time } = scene(t);
  const { session } = await open({ seeding: { seedSeconds: 60 } });
  await session.add([seed]);
  await time.pass(1_000, 62);
  assert.equal(session.get(key)?.state, 'seeded');
  await session.resume([key]);
  await time.pass(1_000, 200);
  assert.equal(session.get(key)?.state, 'asleep');
});

test('what was sent, and the time of seeding, add up over restarts', async (t) => {
  const { seed, open, key, time } = scene(t);
  const first = await open();
  await first.session.add([seed]);
  sent(first.transfer, key, 30_000);
  await time.pass(1_000, 101);
  await first.session.close();
  const second = await open();
  sent(second.transfer, key, 20_000);
  await time.pass(1_000, 100);
  const torrent = second.session.get(key);
  assert.equal(torrent?.sentBytes, 50_000);
  assert.equal(torrent?.ratio, 1.25);
  assert.equal(torrent?.seedSeconds, 200);
});

test('time while it was paused or the node was closed is no time of seeding', async (t) => {
  const { seed, open, key, time } = scene(t);
  const first = await open({ seeding: { seedSeconds: 100 } });
  await first.session.add([seed]);
  await time.pass(1_000, 51);
  await first.session.pause([key]);
  await time.pass(1_000, 500);
  await first.session.close();
  time.skip(1_000_000);
  const { session } = await open({ seeding: { seedSeconds: 100 } });
  await session.resume([key]);
  await time.pass(1_000, 40);
  assert.equal(session.get(key)?.state, 'asleep');
  await time.pass(1_000, 15);
  assert.equal(session.get(key)?.state, 'seeded');
});

test('a torrent nobody takes anything of stops; one somebody takes of does not', async (t) => {
  const { seed, open, key, time } = scene(t);
  const { session, transfer } = await open({ seeding: { idleSeconds: 30 } });
  await session.add([seed]);
  for (let round = 1; round <= 5; round++) {
    sent(transfer, key, round * 1_000);
    await time.pass(1_000, 20);
  }
  assert.equal(session.get(key)?.state, 'working');
  assert.ok((session.get(key)?.idleSeconds ?? 0) >= 18);
  await time.pass(1_000, 15);
  assert.equal(session.get(key)?.seedingEnd, 'nobody took anything for 30 s');
});

test("a torrent's own limits stand above the session's, missing ones are the session's", async (t) => {
  const { seed, open, key, time } = scene(t);
  const { session } = await open({ seeding: { seedSeconds: 10 } });
  await session.add([{ ...seed, seeding: { seedSeconds: null } }]);
  await time.pass(1_000, 30);
  assert.equal(session.get(key)?.state, 'asleep');
  session.setSeeding(key, { ratio: 3 });
  await time.pass(1_000, 1);
  assert.equal(session.get(key)?.state, 'seeded');
  session.setSeeding(key, { seedSeconds: 1_000 });
  assert.equal(session.get(key)?.state, 'asleep');
});

test('what was sent since it was last asked counts when a torrent is paused', async (t) => {
  const { seed, open, key, time } = scene(t);
  const { session, transfer } = await open();
  await session.add([seed]);
  sent(transfer, key, 5_000);
  await time.pass(1_000, 1);
  sent(transfer, key, 6_000);
  await session.pause([key]);
  assert.equal(session.get(key)?.sentBytes, 6_000);
});
