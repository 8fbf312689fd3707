import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { standardChoking, type UploadCandidate, type UploadRound } from '../engine/index.ts';
import type { MarketBid } from '../market/index.ts';
import { MemoryBook } from '../sim/money/index.ts';
import {
  attoPerMib,
  attoPerSecond,
  bytesPerSecond,
  instant,
  MIB,
  seededRandom,
  UNLIMITED,
} from '../units/index.ts';
import { paidPolicy } from './paid-policy.ts';
import { SellerDesk, type SellingPeer } from './seller-desk.ts';
import type { Standing } from './session-snapshot.ts';

/** As much of a session as the policy looks at. */
function session(key: number, standing: Standing, budget = 10n ** 6n) {
  const bid: MarketBid = {
    key,
    budget: attoPerSecond(budget),
    maxPrice: attoPerMib(10n ** 9n),
    maxRate: UNLIMITED,
    barterRate: bytesPerSecond(0),
  };
  const offered: bigint[] = [];
  const part = {
    standing,
    marketBid: () => (standing === 'paying' ? bid : null),
    isPricedOut: false,
    offer: (price: bigint) => offered.push(price),
    onBarred: () => {},
  };
  return { offered, session: part as unknown as SellingPeer };
}

function shop() {
  const ask = { kind: 'fixed', price: attoPerMib(100n) } as const;
  const desk = new SellerDesk(new MemoryBook(() => {}), { ask });
  return { desk, policy: paidPolicy(desk, standardChoking()) };
}

function candidate(peerKey: number, rest: Partial<UploadCandidate> = {}): UploadCandidate {
  return {
    peerKey,
    torrentKey: 'ab',
    remoteHost: `10.0.${peerKey}.1`,
    place: null,
    isInterested: true,
    isUnchoked: true,
    isSeeding: true,
    receiveRate: 0,
    sendRate: 0,
    receivedBytes: 0,
    sentBytes: 0,
    connectedAt: instant(0),
    unchokedAt: null,
    ...rest,
  };
}

function round(candidates: readonly UploadCandidate[], rest: Partial<UploadRound> = {}) {
  return {
    now: instant(0),
    capacity: 10 * MIB,
    isLimited: true,
    slots: 4,
    candidates,
    random: seededRandom(1),
    ...rest,
  };
}

test('without a payer the standard choking decides', () => {
  const peers = [1, 2, 3, 4, 5, 6].map((key) => candidate(key, { sendRate: key * 1000 }));
  const paid = shop().policy.allot(round(peers));
  const standard = standardChoking().allot(round(peers));
  assert.deepEqual(paid, standard);
});

test('payers share four fifths by what they bid, the rest is free', () => {
  const { desk, policy } = shop();
  desk.sessions.set(1, session(1, 'paying', 3000n).session);
  desk.sessions.set(2, session(2, 'paying', 1000n).session);
  const grants = policy.allot(round([1, 2, 3].map((key) => candidate(key))));
  assert.deepEqual(
    grants.map(({ peerKey, weight }) => [peerKey, Math.round((weight / MIB) * 10) / 10]),
    [
      [1, 6],
      [2, 2],
      [3, 2],
    ],
  );
});

test('without a limit the price stays at the ask and payers still have four fifths', () => {
  const { desk, policy } = shop();
  const payer = session(1, 'paying');
  desk.sessions.set(1, payer.session);
  const grants = policy.allot(round([candidate(1), candidate(2)], { isLimited: false }));
  assert.deepEqual(payer.offered, [100n]);
  assert.deepEqual(
    grants.map((grant) => Math.round(grant.weight * 100) / 100),
    [0.8, 0.2],
  );
});

test('who owes is not served, who waits for its lane keeps its place', () => {
  const { desk, policy } = shop();
  desk.sessions.set(1, session(1, 'barred').session);
  desk.sessions.set(2, session(2, 'waiting').session);
  const grants = policy.allot(round([candidate(1), candidate(2)]));
  assert.deepEqual(
    grants.map((grant) => grant.peerKey),
    [2],
  );
});

test('quotes go out once a clearing round', () => {
  const { desk, policy } = shop();
  const payer = session(1, 'paying');
  desk.sessions.set(1, payer.session);
  for (let ms = 0; ms < 30_000; ms += 1000) {
    policy.allot(round([candidate(1)], { now: instant(ms) }));
  }
  assert.equal(payer.offered.length, 3);
});

test('simulation: over five minutes of greedy payers a fifth of the upload stays free', () => {
  const { desk, policy } = shop();
  const random = seededRandom(7);
  const sent = new Map<number, number>();
  for (let key = 1; key <= 20; key++) desk.sessions.set(key, session(key, 'paying').session);
  for (let ms = 0; ms < 300_000; ms += 10_000) {
    const peers = Array.from({ length: 60 }, (_, at) =>
      candidate(at + 1, { sentBytes: sent.get(at + 1) ?? 0 }),
    );
    const grants = policy.allot(round(peers, { now: instant(ms), random }));
    const total = grants.reduce((sum, grant) => sum + grant.weight, 0);
    for (const { peerKey, weight } of grants) {
      sent.set(peerKey, (sent.get(peerKey) ?? 0) + (weight / total) * 10 * MIB * 10);
    }
  }
  const all = [...sent.values()].reduce((sum, size) => sum + size, 0);
  const free = [...sent].reduce((sum, [key, size]) => (key > 20 ? sum + size : sum), 0);
  assert.ok(free / all >= 0.1999, `${free / all}`);
  const served = [...sent.keys()].filter((key) => key > 20).length;
  assert.ok(served >= 38, `${served} of 40 free peers were served`);
});

test('property: whoever pays is served, and free peers’ weights are at least a fifth', () => {
  const peer = fc.record({
    standing: fc.constantFrom<Standing>('paying', 'waiting', 'barred', 'free'),
    budget: fc.bigInt(1n, 10n ** 15n),
    isInterested: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(peer, { maxLength: 20 }), fc.boolean(), (peers, isLimited) => {
      const { desk, policy } = shop();
      for (const [key, { standing, budget }] of peers.entries()) {
        if (standing !== 'free') desk.sessions.set(key, session(key, standing, budget).session);
      }
      const candidates = peers.map(({ isInterested }, key) => candidate(key, { isInterested }));
      const grants = policy.allot(round(candidates, { isLimited }));
      const weight = new Map(grants.map((grant) => [grant.peerKey, grant.weight]));
      assert.equal(weight.size, grants.length, 'nobody twice');
      let [all, free, freeCount] = [0, 0, 0];
      for (const [key, { standing, isInterested }] of peers.entries()) {
        const own = weight.get(key) ?? 0;
        all += own;
        if (standing === 'free') {
          free += own;
          freeCount += own > 0 ? 1 : 0;
        }
        if (standing === 'paying' && isInterested) assert.ok(own > 0);
        if (standing === 'barred') assert.equal(own, 0);
      }
      if (freeCount > 0) assert.ok(free >= all * 0.2 * (1 - 1e-3), `${free} of ${all}`);
    }),
    { numRuns: 300 },
  );
});
