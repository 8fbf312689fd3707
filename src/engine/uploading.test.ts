import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesPerSecond, instant, seededRandom, UNLIMITED } from '../units/index.ts';
import { PieceGeometry } from './content.ts';
import { SERVE_QUEUE_MAX, ServeQueue, type ServeRequest } from './serve-queue.ts';
import { standardChoking } from './standard-choking.ts';
import { TokenBucket } from './token-bucket.ts';
import type { UploadCandidate, UploadPolicy } from './upload-policy.ts';
import { type Servable, UploadScheduler } from './upload-scheduler.ts';

const BLOCK = 16384;
const geometry = new PieceGeometry({ pieceLengthBytes: 64 * BLOCK, totalBytes: 6400 * BLOCK });

/** A peer that asks without end, takes all it is sent, and counts. */
class Taker implements Servable {
  readonly serveQueue: ServeQueue = new ServeQueue();
  readonly geometry: PieceGeometry = geometry;
  readonly store: Servable['store'] = {
    writePiece: () => {},
    read: (_offset, _into, done) => done(null),
  };
  torrentLimit: TokenBucket = new TokenBucket(UNLIMITED);
  weight = 1;
  unsentBytes = 0;
  sendRate = 0;
  sentBytes = 0;
  longestRun = 0;
  credit: (tag: number) => number = () => Infinity;
  /** Whether its requests follow one another in the torrent. */
  readonly #isOrderly: boolean;

  constructor(weight: number, isOrderly = true) {
    this.weight = weight;
    this.#isOrderly = isOrderly;
    this.ask(200);
  }

  ask(count: number, tag = 0): void {
    for (let nth = 0; nth < count; nth++) {
      const index = this.#isOrderly ? nth >> 6 : (nth * 7) % 100;
      this.serveQueue.push({ index, begin: (nth % 64) * BLOCK, length: BLOCK, tag });
    }
  }

  creditBytes(tag: number): number {
    return this.credit(tag);
  }
  onTaken(): void {}
  sendRun(run: readonly ServeRequest[], bytes: Uint8Array, done: () => void): void {
    assert.equal(bytes.length, run.length * BLOCK);
    this.sentBytes += bytes.length;
    this.longestRun = Math.max(this.longestRun, bytes.length);
    if (this.serveQueue.size < 100) this.ask(100);
    done();
  }
  onReadFailed(): void {
    assert.fail('reads do not fail here');
  }
}

/** Serves for some seconds under a limit, and says who got which share. */
function sharesOf(takers: readonly Taker[], rate: number, seconds = 30): number[] {
  const scheduler = new UploadScheduler();
  scheduler.limit(bytesPerSecond(rate));
  for (const taker of takers) scheduler.wake(taker);
  for (let tick = 0; tick < seconds * 20; tick++) scheduler.fill(50);
  const total = takers.reduce((sum, taker) => sum + taker.sentBytes, 0);
  const error = Math.abs(total / seconds - rate) / rate;
  assert.ok(error < 0.05, `${total / seconds} B/s instead of ${rate}`);
  return takers.map((taker) => taker.sentBytes / total);
}

// Under a limit everybody got one block in turn whatever its weight.
test('shares follow weights under any limit, however requests are spread', () => {
  for (const rate of [100_000, 1e6, 1e8]) {
    for (const isOrderly of [true, false]) {
      const weights = [1, 2, 5];
      const shares = sharesOf(
        weights.map((weight) => new Taker(weight, isOrderly)),
        rate,
      );
      for (const [nth, weight] of weights.entries()) {
        const error = Math.abs((shares[nth] ?? 0) - weight / 8);
        assert.ok(error < 0.03, `weight ${weight} got ${shares[nth]} at ${rate}`);
      }
    }
  }
});

test('nobody starves, however small its weight', () => {
  const shares = sharesOf([new Taker(0), new Taker(1e-9), new Taker(1)], 1e7);
  assert.ok((shares[0] ?? 0) > 0 && (shares[1] ?? 0) > 0);
});

// Zero over zero was no number, and a run longer than its buffer was taken.
test('peers that all have weight zero are served alike', () => {
  const shares = sharesOf([new Taker(0), new Taker(0)], 1e6);
  assert.ok(Math.abs((shares[0] ?? 0) - 0.5) < 0.05);
});

test('what one cannot use goes to the others', () => {
  const [full, free] = [new Taker(9), new Taker(1)];
  full.unsentBytes = 1e9;
  assert.deepEqual(sharesOf([full, free], 1e6), [0, 1]);
});

// Every peer was looked at for every block that any of them asked for.
test('what one peer asks for does not make us look at a thousand others', () => {
  const scheduler = new UploadScheduler();
  let looks = 0;
  const look = (): number => {
    looks++;
    return 1e9;
  };
  for (let nth = 0; nth < 1000; nth++) {
    const waiting = new Taker(1);
    Object.defineProperty(waiting, 'unsentBytes', { get: look });
    scheduler.wake(waiting);
  }
  const asking = new Taker(1);
  looks = 0;
  for (let times = 0; times < 10; times++) scheduler.wake(asking);
  assert.ok(asking.sentBytes > 0);
  assert.equal(looks, 0);
});

/** Serves for ten seconds, and says how many bytes a second each got. */
function ratesOf(takers: readonly Taker[], commonLimit: number): number[] {
  const scheduler = new UploadScheduler();
  scheduler.limit(bytesPerSecond(commonLimit));
  for (const taker of takers) scheduler.watch(taker.torrentLimit);
  for (const taker of takers) scheduler.wake(taker);
  for (let tick = 0; tick < 200; tick++) scheduler.fill(50);
  return takers.map((taker) => taker.sentBytes / 10);
}

test('weights count among the peers of a torrent with a limit of its own', () => {
  for (const rate of [200_000, 5e6]) {
    for (const isOrderly of [true, false]) {
      const limit = new TokenBucket(bytesPerSecond(rate));
      const takers = [1, 3].map((weight) => new Taker(weight, isOrderly));
      for (const taker of takers) taker.torrentLimit = limit;
      const [light = 0, heavy = 0] = ratesOf(takers, 1e8);
      assert.ok(Math.abs(light + heavy - rate) < rate * 0.03, `${light + heavy} at ${rate}`);
      assert.ok(Math.abs(heavy / light - 3) < 0.5, `${heavy} to ${light}`);
    }
  }
});

// Turns cut to a torrent's own limit gave it a tenth of its share where the common one was short.
test('a torrent with a limit gets its share of a common limit, however many share it', () => {
  const limited = new Taker(1);
  limited.torrentLimit = new TokenBucket(bytesPerSecond(100_000));
  const takers = [limited, ...Array.from({ length: 49 }, () => new Taker(1))];
  const [rate = 0] = ratesOf(takers, 5e6);
  assert.ok(rate > 80_000 && rate < 103_000, `${rate} B/s`);
});

test('a low limit makes short turns, so that nobody waits for long', () => {
  const taker = new Taker(1);
  sharesOf([taker], 50_000);
  assert.equal(taker.longestRun, BLOCK);
  const quick = new Taker(1);
  sharesOf([quick], 1e8, 2);
  assert.equal(quick.longestRun, 16 * BLOCK);
});

test('credit gates blocks by their tag, in the order they were asked for', () => {
  const scheduler = new UploadScheduler();
  const taker = new Taker(1);
  taker.serveQueue.takeAll();
  taker.ask(3, 7);
  let credit = 2 * BLOCK;
  taker.credit = (tag) => (tag === 7 ? credit - taker.sentBytes : Infinity);
  taker.sendRun = (run, _bytes, done) => {
    taker.sentBytes += run.length * BLOCK;
    done();
  };
  scheduler.wake(taker);
  assert.equal(taker.sentBytes, 2 * BLOCK);
  credit = 3 * BLOCK;
  scheduler.wake(taker);
  assert.equal(taker.sentBytes, 3 * BLOCK);
});

test('a limit of bytes a second is kept from an empty start, and lifted at once', () => {
  const bucket = new TokenBucket(bytesPerSecond(1000));
  assert.equal(bucket.isOpen, false);
  bucket.fill(100);
  assert.equal(bucket.isOpen, true);
  bucket.take(5_000);
  bucket.fill(4_000);
  assert.equal(bucket.isOpen, false);
  bucket.fill(1_000);
  assert.equal(bucket.isOpen, true);
  bucket.take(1e9);
  bucket.limit(bytesPerSecond(Infinity));
  assert.equal(bucket.isOpen, true);
});

test('requests are answered in order, cancelled ones are not', () => {
  const queue = new ServeQueue();
  for (let index = 0; index < 3_000; index++) {
    const isTaken = queue.push({ index, begin: 0, length: BLOCK, tag: 0 });
    assert.equal(isTaken, index < SERVE_QUEUE_MAX);
  }
  assert.equal(queue.cancel(1, 0), true);
  assert.equal(queue.cancel(1, 0), false);
  assert.equal(queue.cancel(2_999, 0), false);
  const order: number[] = [];
  for (let next = queue.peek(); next; next = queue.peek()) {
    order.push(next.index);
    queue.shift();
  }
  assert.deepEqual(order.slice(0, 3), [0, 2, 3]);
  assert.equal(order.length, SERVE_QUEUE_MAX - 1);
  assert.deepEqual(queue.takeAll(), []);
});

function candidate(peerKey: number, facts: Partial<UploadCandidate> = {}): UploadCandidate {
  return {
    peerKey,
    torrentKey: 't',
    remoteHost: '192.0.2.1',
    place: null,
    isInterested: true,
    isUnchoked: false,
    isSeeding: false,
    receiveRate: 0,
    sendRate: 0,
    receivedBytes: 0,
    sentBytes: 0,
    connectedAt: instant(0),
    unchokedAt: null,
    ...facts,
  };
}

function choose(
  policy: UploadPolicy,
  now: number,
  candidates: UploadCandidate[],
  slots = 5,
): number[] {
  const random = seededRandom(now);
  const round = { now: instant(now), capacity: 1e6, isLimited: true, slots, candidates, random };
  return policy.allot(round).map((grant) => grant.peerKey);
}

test('the best partners are unchoked, and one by chance for thirty seconds', () => {
  const policy = standardChoking();
  const peers = Array.from({ length: 20 }, (_, at) =>
    candidate(at, { receiveRate: 1000 - at * 10 }),
  );
  const chance = (now: number): number | undefined => choose(policy, now, peers)[4];
  const chosen = choose(policy, 0, peers);
  assert.deepEqual(chosen.slice(0, 4), [0, 1, 2, 3]);
  assert.equal(chosen.length, 5);
  assert.equal(chance(10_000), chosen[4]);
  assert.equal(chance(29_000), chosen[4]);
  const later = new Set([30_000, 60_000, 90_000, 120_000, 150_000].map(chance));
  assert.ok(later.size > 1, 'the optimistic slot rotates');
});

test('nobody who is not interested is unchoked, and all are while there are slots', () => {
  const peers = [candidate(1), candidate(2, { isInterested: false }), candidate(3)];
  assert.deepEqual(choose(standardChoking(), 0, peers).toSorted(), [1, 3]);
});

test('a seed serves the fastest, and lets others have their turn after a minute', () => {
  const policy = standardChoking();
  const peers = (now: number): UploadCandidate[] =>
    Array.from({ length: 12 }, (_, at) =>
      candidate(at, {
        isSeeding: true,
        sendRate: 1000 - at,
        isUnchoked: at < 4,
        unchokedAt: at < 4 ? instant(0) : null,
      }),
    ).map((peer) => ({ ...peer, connectedAt: instant(now) }));
  assert.deepEqual(choose(policy, 50_000, peers(0)).slice(0, 4), [0, 1, 2, 3]);
  const later = choose(policy, 61_000, peers(0)).slice(0, 4);
  assert.deepEqual(later, [4, 5, 6, 7]);
});

test('who opens many connections from one address gains three slots, or a quarter of few', () => {
  const greedy = Array.from({ length: 20 }, (_, at) =>
    candidate(at, { place: 'one', isSeeding: true, sendRate: 1000 }),
  );
  const others = Array.from({ length: 30 }, (_, at) =>
    candidate(100 + at, { place: `${at}`, isSeeding: true, sendRate: 10 }),
  );
  for (const [slots, share] of [
    [4, 1],
    [8, 2],
    [30, 3],
  ] as const) {
    const chosen = choose(standardChoking(), 0, [...greedy, ...others], slots);
    assert.equal(chosen.length, slots);
    assert.equal(chosen.filter((key) => key < 20).length, share, `of ${slots} slots`);
  }
});

test('slots that nobody else wants are not withheld, and are worth three together', () => {
  const users = [0, 1, 2, 3, 4, 5].map((at) => candidate(at, { place: 'one', isSeeding: true }));
  const other = candidate(9, { place: 'two', isSeeding: true });
  const round = { now: instant(0), capacity: 1e6, isLimited: false, random: seededRandom(1) };
  const weightOf = (candidates: UploadCandidate[]): ReadonlyMap<number, number> =>
    new Map(
      standardChoking()
        .allot({ ...round, slots: 100, candidates })
        .map(({ peerKey, weight }) => [peerKey, weight]),
    );
  const shared = weightOf([...users, other]);
  assert.deepEqual([shared.size, shared.get(0), shared.get(9)], [7, 0.5, 1]);
  const few = weightOf([...users.slice(0, 3), other]);
  assert.deepEqual([few.get(0), few.get(9)], [1, 1]);
});

test('who gives while we download keeps its slot whatever its address', () => {
  const partners = Array.from({ length: 10 }, (_, at) =>
    candidate(at, { place: 'one', receiveRate: 1000 - at }),
  );
  const takers = Array.from({ length: 10 }, (_, at) => candidate(50 + at, { place: `${at}` }));
  const chosen = choose(standardChoking(), 0, [...takers, ...partners]);
  assert.deepEqual(chosen.slice(0, 4), [0, 1, 2, 3]);
});
