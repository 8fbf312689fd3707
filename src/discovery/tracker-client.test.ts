import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Instant, instant, seededRandom } from '../units/index.ts';
import type { AnnounceReply } from '../wire/index.ts';
import { backoffMs } from './backoff.ts';
import { TrackerClient, type TrackerEffect } from './tracker-client.ts';
import { shownTracker, TRACKERS_MAX } from './tracker-tiers.ts';

const REPLY: AnnounceReply = {
  intervalSeconds: 1800,
  minIntervalSeconds: 0,
  seeders: 1,
  leechers: 2,
  peers: [],
  warning: null,
  trackerId: null,
  externalIp: null,
};

const FAILURE = { reason: 'refuses connections', retryAfterMs: null };

const [A, B, C] = ['http://a.test/announce', 'http://b.test/announce', 'http://c.test/announce'];

function client(tiers: readonly (readonly string[])[], isPrivate = false): TrackerClient {
  return new TrackerClient({ tiers, isPrivate, random: seededRandom(1) });
}

function at(seconds: number): Instant {
  return instant(seconds * 1000);
}

/** `event tracker` for every announce among the effects. */
function announces(effects: readonly TrackerEffect[]): string[] {
  return effects.flatMap((effect) =>
    effect.kind === 'announce' ? [`${effect.event} ${effect.tracker}`] : [],
  );
}

function messages(effects: readonly TrackerEffect[]): (string | null)[] {
  return effects.flatMap((effect) => (effect.kind === 'status' ? [effect.status.message] : []));
}

test('every tier is announced to at once, one tracker in each', () => {
  const effects = client([[A], [B], [C]]).start(at(0));
  assert.deepEqual(announces(effects), [`started ${A}`, `started ${B}`, `started ${C}`]);
});

test('in a tier the next tracker is tried only when one fails, and a working one moves up', () => {
  const trackers = client([[A, B]]);
  const [first = ''] = announces(trackers.start(at(0))).map((text) => text.slice(8));
  const second = first === A ? B : A;
  assert.deepEqual(announces(trackers.onFailure(first, FAILURE, at(1))), [`started ${second}`]);
  assert.deepEqual(announces(trackers.onReply(second, REPLY, at(2))), []);
  // The first one's retry is due long before, but the tier has a tracker that works (BEP 12).
  assert.deepEqual(announces(trackers.onTimer(at(1801))), []);
  assert.deepEqual(announces(trackers.onTimer(at(1802))), [`none ${second}`]);
});

test('trackers inside a tier are shuffled, tiers keep their order', () => {
  const names = Array.from({ length: 20 }, (_, index) => `http://t${index}.test/announce`);
  const firsts = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    const options = { tiers: [names, [C]], isPrivate: false, random: seededRandom(seed) };
    const [first = '', second] = announces(new TrackerClient(options).start(at(0)));
    firsts.add(first);
    assert.equal(second, `started ${C}`);
  }
  assert.ok(firsts.size > 5);
});

test('a private torrent announces to one tracker at a time (BEP 27)', () => {
  const trackers = client([[A], [B]], true);
  assert.deepEqual(announces(trackers.start(at(0))), [`started ${A}`]);
  assert.deepEqual(announces(trackers.onFailure(A, FAILURE, at(1))), [`started ${B}`]);
});

test('the interval of the tracker is kept, within a minute and a day', () => {
  const delays = [
    [5, 60],
    [1800, 1800],
    [10 ** 9, 86_400],
  ];
  for (const [intervalSeconds = 0, seconds = 0] of delays) {
    const trackers = client([[A]]);
    trackers.start(at(0));
    trackers.onReply(A, { ...REPLY, intervalSeconds }, at(0));
    assert.equal(trackers.wakeAt, at(seconds));
  }
});

test('completed is sent once, at once, and only where started was heard', () => {
  const trackers = client([[A], [B]]);
  trackers.start(at(0));
  trackers.onReply(A, REPLY, at(1));
  assert.deepEqual(announces(trackers.complete(at(10))), [`completed ${A}`]);
  assert.deepEqual(announces(trackers.onReply(A, REPLY, at(11))), []);
  assert.deepEqual(announces(trackers.onReply(B, REPLY, at(12))), [`completed ${B}`]);
  trackers.onReply(B, REPLY, at(13));
  assert.deepEqual(announces(trackers.onTimer(at(1813))), [`none ${A}`, `none ${B}`]);
});

test('stopped goes to whoever may list us, and the end is told', () => {
  const trackers = client([[A], [B], [C]]);
  trackers.start(at(0));
  trackers.onReply(A, { ...REPLY, trackerId: 'x' }, at(1));
  trackers.onFailure(C, FAILURE, at(1));
  const effects = trackers.stop(at(2));
  // B's first announce is under way: it may have arrived.
  assert.deepEqual(announces(effects), [`stopped ${A}`, `stopped ${B}`]);
  assert.ok(effects.some((effect) => effect.kind === 'cancel' && effect.tracker === B));
  assert.ok(effects.some((effect) => effect.kind === 'announce' && effect.trackerId === 'x'));
  assert.deepEqual(trackers.onReply(A, REPLY, at(3)), []);
  assert.deepEqual(trackers.onFailure(B, FAILURE, at(3)), [{ kind: 'stopped' }]);
  assert.equal(trackers.wakeAt, null);
});

test('stopping with nobody to tell ends at once', () => {
  const trackers = client([[A]]);
  trackers.start(at(0));
  trackers.onFailure(A, FAILURE, at(1));
  assert.deepEqual(trackers.stop(at(2)), [{ kind: 'stopped' }]);
});

test('a failure is one plain line naming the tracker but not its passkey', () => {
  const name = 'https://t.test/0123456789abcdef/announce';
  const trackers = client([[name]]);
  trackers.start(at(0));
  const effects = trackers.onFailure(name, FAILURE, at(1));
  assert.deepEqual(messages(effects), ['tracker https://t.test refuses connections']);
});

test('a tracker that repeats the passkey does not make us show it', () => {
  const secret = 'http://u:Pa55word@a.test/0123456789abcdef/announce?key=fedcba9876543210';
  const trackers = client([[secret]]);
  trackers.start(at(0));
  const reason = 'refused: 0123456789abcdef is unknown, nor is fedcba9876543210 of Pa55word';
  const failed = trackers.onFailure(secret, { reason, retryAfterMs: null }, at(1));
  assert.deepEqual(messages(failed), [
    'tracker http://a.test refused: … is unknown, nor is … of …',
  ]);
  trackers.onTimer(at(100));
  const warned = trackers.onReply(secret, { ...REPLY, warning: '0123456789abcdef' }, at(101));
  assert.deepEqual(messages(warned), ['tracker http://a.test warns: …']);
});

test('a late answer lets the next tracker of the tier try, and still counts when it comes', () => {
  const trackers = client([[A, B]]);
  const [first = ''] = announces(trackers.start(at(0))).map((text) => text.slice(8));
  const effects = trackers.onLate(first, 15_000, at(15));
  assert.match(messages(effects)[0] ?? '', /did not answer within 15 s, still trying$/);
  assert.equal(announces(effects).length, 1);
  assert.equal(messages(trackers.onReply(first, REPLY, at(16))).length, 1);
  assert.ok(!trackers.isAwaiting(first));
});

test('failures are retried ever more slowly, up to an hour', () => {
  const random = (): number => 0.5;
  assert.deepEqual(
    [1, 2, 3, 8, 9, 1000].map((failures) => backoffMs(failures, random) / 1000),
    [15, 30, 60, 1920, 3600, 3600],
  );
  assert.equal(backoffMs(1, () => 0) / 1000, 12);
});

test('a tracker that says when to retry is obeyed, and one that says never is left alone', () => {
  const trackers = client([[A], [B]]);
  trackers.start(at(0));
  trackers.onFailure(A, { reason: 'refused: busy', retryAfterMs: 600_000 }, at(0));
  trackers.onFailure(B, { reason: 'refused: banned', retryAfterMs: 'never' }, at(0));
  assert.equal(trackers.wakeAt, at(600));
  assert.deepEqual(announces(trackers.onTimer(at(10 ** 6))), [`started ${A}`]);
});

test('more peers are asked for no sooner than the minimum interval allows', () => {
  const trackers = client([[A]]);
  trackers.start(at(0));
  trackers.onReply(A, { ...REPLY, minIntervalSeconds: 300 }, at(1));
  assert.deepEqual(announces(trackers.wantPeers(at(10))), []);
  assert.equal(trackers.wakeAt, at(300));
});

test('trackers we cannot use are named, repeated and surplus ones left out', () => {
  const many = Array.from({ length: 500 }, (_, index) => `http://t${index}.test/announce`);
  const trackers = client([['wss://t.test/', 'nonsense', A, A], [A], ...many.map((one) => [one])]);
  const effects = trackers.start(at(0));
  assert.match(messages(effects)[0] ?? '', /WebSocket/);
  assert.match(messages(effects)[1] ?? '', /'nonsense' is not a URL/);
  assert.ok(announces(effects).length <= TRACKERS_MAX);
  assert.equal(new Set(announces(effects)).size, announces(effects).length);
});

test('an answer nobody awaits changes nothing', () => {
  const trackers = client([[A]]);
  trackers.start(at(0));
  trackers.onReply(A, REPLY, at(1));
  assert.deepEqual(trackers.onReply(A, REPLY, at(2)), []);
  assert.deepEqual(trackers.onFailure(A, FAILURE, at(2)), []);
  assert.deepEqual(trackers.onLate(A, 1, at(2)), []);
});

test('a removed tracker hears stopped, a new one started, and the others go on as they were', () => {
  const trackers = client([[A], [B]]);
  trackers.start(at(0));
  trackers.onReply(A, REPLY, at(1));
  trackers.onReply(B, REPLY, at(1));
  assert.deepEqual(announces(trackers.replace([[A], [C]], at(2))), [
    `stopped ${B}`,
    `started ${C}`,
  ]);
  assert.deepEqual(announces(trackers.onReply(B, REPLY, at(3))), []);
  trackers.onReply(C, REPLY, at(3));
  assert.deepEqual(announces(trackers.onTimer(at(1801))), [`none ${A}`]);
  assert.deepEqual(announces(trackers.stop(at(1802))), [`stopped ${A}`, `stopped ${C}`]);
});

test('a tracker that was never asked, or never answered, is removed without a word or with one', () => {
  const trackers = client([[A], [B]], true);
  trackers.start(at(0));
  const effects = trackers.replace([[C]], at(1));
  // A was asked and may list us though its answer has not come; B was never asked.
  assert.deepEqual(effects.filter(({ kind }) => kind === 'cancel').length, 1);
  assert.deepEqual(announces(effects), [`stopped ${A}`, `started ${C}`]);
  assert.deepEqual(announces(trackers.onFailure(A, FAILURE, at(2))), []);
});

test('a tracker that comes back while it hears stopped begins anew', () => {
  const trackers = client([[A]]);
  trackers.start(at(0));
  trackers.onReply(A, REPLY, at(1));
  trackers.replace([], at(2));
  const effects = trackers.replace([[A]], at(2));
  assert.deepEqual(
    effects.map(({ kind }) => kind),
    ['cancel', 'status', 'announce'],
  );
  assert.deepEqual(announces(effects), [`started ${A}`]);
  trackers.onReply(A, REPLY, at(3));
  assert.deepEqual(announces(trackers.stop(at(4))), [`stopped ${A}`]);
});

test('stopping waits for those removed before as well', () => {
  const trackers = client([[A], [B]]);
  trackers.start(at(0));
  trackers.onReply(A, REPLY, at(1));
  trackers.replace([], at(2));
  assert.deepEqual(trackers.stop(at(3)), []);
  assert.deepEqual(trackers.onReply(A, REPLY, at(4)), []);
  const [last] = trackers.onFailure(B, FAILURE, at(5));
  assert.equal(last?.kind, 'stopped');
});

test('a torrent that turns out to be private keeps to one tracker, and leaves the others', () => {
  const trackers = client([[A], [B], [C]]);
  trackers.start(at(0));
  trackers.onFailure(A, FAILURE, at(1));
  trackers.onReply(B, REPLY, at(1));
  trackers.onReply(C, REPLY, at(1));
  assert.deepEqual(announces(trackers.becomePrivate(at(2))), [`stopped ${C}`]);
  trackers.onReply(C, REPLY, at(3));
  assert.deepEqual(announces(trackers.onTimer(at(4))), []);
  // The first one's turn comes again; once it works, it is the only one.
  const wake = trackers.wakeAt ?? at(0);
  assert.deepEqual(announces(trackers.onTimer(wake)), [`started ${A}`]);
  assert.deepEqual(announces(trackers.onReply(A, REPLY, wake)), [`stopped ${B}`]);
});

test('what people read of a tracker is its host, right or wrong', () => {
  for (const [name, shown] of [
    ['http://h.test/SECRET/announce', 'http://h.test'],
    ['https://u:SECRET@h.test:8443/announce?k=SECRET', 'https://h.test:8443'],
    ['wss://u:SECRET@h.test/SECRET', 'wss://h.test…'],
    ['h.test/SECRET', 'h.test…'],
    ['ftp:h.test?SECRET', 'ftp:h.test…'],
    ['', ''],
  ] as const) {
    assert.equal(shownTracker(name), shown);
  }
});

test('whatever happens, no tracker is asked twice at once, and none in a hurry', () => {
  const step = fc.record({
    action: fc.constantFrom('reply', 'fail', 'late', 'timer', 'complete', 'want'),
    tracker: fc.constantFrom(A, B, C),
    seconds: fc.integer({ min: 0, max: 100 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const trackers = client([[A, B], [C]]);
      const asked = new Map<string, number>();
      const failed = new Set<string>();
      let now = 0;
      const check = (effects: readonly TrackerEffect[]): void => {
        for (const effect of effects) {
          if (effect.kind !== 'announce') continue;
          const last = asked.get(effect.tracker) ?? -Infinity;
          // A minute after an answer, 15 s less jitter after a failure; completed goes at once.
          const soonest = effect.event === 'completed' ? 0 : failed.has(effect.tracker) ? 12 : 60;
          assert.ok(now - last >= soonest, `${effect.event} after ${now - last} s`);
          asked.set(effect.tracker, now);
        }
      };
      check(trackers.start(at(0)));
      for (const { action, tracker, seconds } of steps) {
        now += seconds;
        const isAwaiting = trackers.isAwaiting(tracker);
        if (isAwaiting && action === 'fail') failed.add(tracker);
        if (isAwaiting && action === 'reply') failed.delete(tracker);
        if (action === 'reply') check(trackers.onReply(tracker, REPLY, at(now)));
        if (action === 'fail') check(trackers.onFailure(tracker, FAILURE, at(now)));
        if (action === 'late') check(trackers.onLate(tracker, 15_000, at(now)));
        if (action === 'timer') check(trackers.onTimer(at(now)));
        if (action === 'complete') check(trackers.complete(at(now)));
        if (action === 'want') check(trackers.wantPeers(at(now)));
        if (isAwaiting && action === 'timer') assert.ok(trackers.isAwaiting(tracker));
      }
    }),
    { numRuns: 1000 },
  );
});
