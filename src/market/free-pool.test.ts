import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bytesPerSecond, instant, seededRandom } from '../units/index.ts';
import { type FreeCandidate, FreePool } from './free-pool.ts';
import { networkPrefix } from './network-prefix.ts';

function peer(key: number, host = `10.0.${key}.1`, sentBytes = 0): FreeCandidate {
  return { key, remoteHost: host, receivedBytes: 0, sentBytes };
}

function choose(pool: FreePool, ms: number, candidates: readonly FreeCandidate[], slots = 4) {
  const random = seededRandom(ms + 1);
  return pool.choose({ now: instant(ms), rate: bytesPerSecond(1000), slots, candidates, random });
}

test('half goes to those we owe most, half to chance', () => {
  const peers = [1, 2, 3, 4, 5, 6].map((key) => peer(key, `10.0.${key}.1`, key * 1000));
  const shares = choose(new FreePool(), 0, peers);
  const owed = shares.filter((share) => !share.isOptimistic);
  assert.deepEqual(
    owed.map((share) => share.key),
    [1, 2],
  );
  assert.deepEqual(
    shares.map((share) => share.rate),
    [250, 250, 250, 250],
  );
});

test('a hopeful turn lasts thirty seconds', () => {
  const pool = new FreePool();
  const peers = Array.from({ length: 40 }, (_, key) => peer(key));
  const hopeful = (ms: number) =>
    choose(pool, ms, peers, 2).find((share) => share.isOptimistic)?.key;
  const first = hopeful(0);
  assert.equal(hopeful(10_000), first);
  assert.equal(hopeful(29_999), first);
  assert.notEqual(hopeful(30_000), first);
});

test('one network gets one place while others wait', () => {
  const sybils = Array.from({ length: 50 }, (_, key) => peer(key, `66.6.6.${key}`));
  const others = [100, 101, 102].map((key) => peer(key, `10.0.${key}.1`, 5000));
  const keys = choose(new FreePool(), 0, [...sybils, ...others]).map((share) => share.key);
  assert.equal(keys.filter((key) => key < 100).length, 1);
});

test('and no place stays empty for that', () => {
  const loopback = [1, 2, 3].map((key) => peer(key, '127.0.0.1'));
  assert.equal(choose(new FreePool(), 0, loopback).length, 3);
});

test('a lone free peer gets all of the pool', () => {
  assert.deepEqual(
    choose(new FreePool(), 0, [peer(7)]).map((share) => share.rate),
    [1000],
  );
});

test('property: every share is positive, no peer is chosen twice, the pool is used up', () => {
  fc.assert(
    fc.property(fc.nat(30), fc.nat(10), fc.nat(), (count, slots, seed) => {
      const random = seededRandom(seed);
      const peers = Array.from({ length: count }, (_, key) =>
        peer(key, `10.0.${Math.floor(random() * 5)}.${key}`, Math.floor(random() * 1e6)),
      );
      const pool = new FreePool();
      for (let ms = 0; ms < 100_000; ms += 10_000) {
        const shares = choose(pool, ms, peers, slots);
        assert.equal(new Set(shares.map((share) => share.key)).size, shares.length);
        assert.equal(shares.length, Math.min(count, Math.max(2, slots)));
        const rate = shares.reduce((sum, share) => sum + share.rate, 0);
        if (count > 0) assert.ok(Math.abs(rate - 1000) < 1e-6);
      }
    }),
    { numRuns: 200 },
  );
});

test('addresses of one /24 or /48 have one prefix', () => {
  assert.equal(networkPrefix('192.0.2.7'), '192.0.2.0/24');
  assert.equal(networkPrefix('::ffff:192.0.2.9'), '192.0.2.0/24');
  assert.equal(networkPrefix('2001:db8:0:1::5'), '2001:db8:0::/48');
  assert.equal(networkPrefix('2001:0DB8::1'), networkPrefix('2001:db8:0:ffff:1:2:3:4'));
  assert.notEqual(networkPrefix('2001:db8:1::1'), networkPrefix('2001:db8:2::1'));
  assert.equal(networkPrefix('::1'), '0:0:0::/48');
  assert.equal(networkPrefix('fe80::1%eth0'), 'fe80:0:0::/48');
  assert.equal(networkPrefix('peer.example'), 'peer.example');
});
