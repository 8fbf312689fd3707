import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant, seededRandom } from '../../units/index.ts';
import { compareDistance, nodeIdAtDistance } from '../../wire/index.ts';
import type { JudgedContact } from './address-rules.ts';
import { Lookup } from './lookup.ts';

const TARGET = new Uint8Array(20).fill(7);
const T0 = instant(0);

/** A node that shares so many bits with the target, in a network of its own. */
function nodeAt(nth: number, bits: number, isSecure = true): JudgedContact {
  const host = `20.${nth >> 8}.${nth & 0xff}.7`;
  const id = nodeIdAtDistance(TARGET, bits, seededRandom(nth));
  const contact = { id, host, port: 6881 };
  return { contact, prefix: host.slice(0, -2), isLocal: false, isSecure };
}

function nodes(count: number, bits: (nth: number) => number, isSecure = true, from = 0) {
  return Array.from({ length: count }, (_, nth) => nodeAt(from + nth, bits(nth), isSecure));
}

function lookup(known: readonly JudgedContact[]): Lookup {
  return new Lookup({ target: TARGET, known, entrances: [] });
}

/** Everybody who is asked answers at once, and knows nobody. */
function answerAll(of: Lookup): string[] {
  const asked: string[] = [];
  for (let asks = of.next(T0); asks.length > 0; asks = of.next(T0)) {
    for (const { endpoint, candidate } of asks) {
      asked.push(endpoint.host);
      if (candidate) candidate.state = 'replied';
    }
  }
  return asked;
}

test('four are asked at a time, the nearest first', () => {
  const known = nodes(20, (nth) => nth);
  const asked = lookup(known).next(T0);
  const hosts = asked.map(({ endpoint }) => endpoint.host);
  assert.deepEqual(
    hosts,
    [19, 18, 17, 16].map((nth) => known[nth]?.contact.host),
  );
});

test('it ends when the eight nearest have answered', () => {
  const one = lookup(nodes(20, (nth) => nth));
  assert.equal(one.isDone(T0), false);
  assert.equal(answerAll(one).length, 8);
  assert.equal(one.isDone(T0), true);
  const ids = one.closest(T0).map(({ contact }) => contact.id);
  assert.equal(ids.length, 8);
  assert.deepEqual(
    ids,
    ids.toSorted((a, b) => compareDistance(TARGET, a, b)),
  );
});

test('nodes whose ids do not go with their addresses do not count among the eight (BEP 42)', () => {
  const sybils = nodes(8, (nth) => 100 + nth, false);
  const honest = nodes(8, (nth) => nth, true, 100);
  const one = lookup([...sybils, ...honest]);
  answerAll(one);
  assert.equal(one.closest(T0).filter(({ isSecure }) => isSecure).length, 8);
  assert.equal(one.closest(T0).length, 16);
});

test('where nobody has such an id, sixteen are enough', () => {
  const one = lookup(nodes(40, (nth) => nth, false));
  assert.equal(answerAll(one).length, 16);
  assert.equal(one.isDone(T0), true);
});

test('a node that does not answer for 1.5 s is no longer waited for, and counts if it does', () => {
  const one = lookup(nodes(9, (nth) => nth));
  const [slow, ...rest] = one.next(T0);
  for (const { candidate } of rest) if (candidate) candidate.state = 'replied';
  answerAll(one);
  assert.equal(one.isDone(T0), false);
  const late = instant(1_500);
  const [other] = one.next(late);
  assert.ok(other?.candidate);
  other.candidate.state = 'replied';
  assert.equal(one.isDone(late), true);
  assert.equal(one.closest(late).length, 8);
  if (slow?.candidate) slow.candidate.state = 'replied';
  assert.equal(one.closest(late)[0], slow?.candidate);
});

test('who fails makes room for another contact at the same address', () => {
  const old = nodeAt(1, 5);
  const one = lookup([old]);
  const [ask] = one.next(T0);
  assert.ok(ask?.candidate);
  const renamed = { ...old.contact, id: nodeIdAtDistance(TARGET, 9, seededRandom(99)) };
  one.onNodes(null, [renamed], false);
  assert.equal(one.next(T0).length, 0, 'one contact per address');
  one.onFailed(ask.candidate);
  one.onNodes(null, [old.contact, renamed], false);
  assert.deepEqual(
    one.next(T0).map(({ candidate }) => candidate?.contact),
    [renamed],
  );
});

test('an entrance is asked first and is no part of the result', () => {
  const entrance = { host: '20.9.9.9', port: 6881 };
  const one = new Lookup({ target: TARGET, known: nodes(2, (nth) => nth), entrances: [entrance] });
  const [first] = one.next(T0);
  assert.deepEqual(first?.endpoint, entrance);
  assert.equal(first?.candidate, null);
  assert.equal(one.isDone(T0), false);
  one.onEntranceDone(entrance);
  answerAll(one);
  assert.equal(one.closest(T0).length, 0, 'the two asked before are still awaited');
});

test('however many nodes it is told of, it asks at most 150 and ends', () => {
  const one = lookup(nodes(1, () => 0));
  let nth = 1;
  let askedCount = 0;
  for (let asks = one.next(T0); asks.length > 0; asks = one.next(T0)) {
    askedCount += asks.length;
    for (const { candidate } of asks) {
      if (!candidate) continue;
      candidate.state = 'replied';
      const nearer = nodes(16, (at) => Math.min(158, nth + at), false, nth * 16);
      one.onNodes(
        candidate,
        nearer.map(({ contact }) => contact),
        false,
      );
      nth++;
    }
  }
  assert.ok(askedCount <= 150, `${askedCount}`);
  assert.equal(one.isDone(T0), true);
});
