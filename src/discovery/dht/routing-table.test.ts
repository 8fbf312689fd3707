import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Instant, instant, seededRandom, toHex } from '../../units/index.ts';
import {
  compareDistance,
  type NodeContact,
  nodeIdAtDistance,
  parseIp,
  randomNodeId,
  secureNodeId,
  sharedPrefixBits,
} from '../../wire/index.ts';
import { type JudgedContact, judgeContact, prefixOf } from './address-rules.ts';
import { BUCKET_NODES } from './bucket.ts';
import { RoutingTable } from './routing-table.ts';

const LOCAL_ID = new Uint8Array(20);
const T0 = instant(0);
const MINUTE = 60_000;

function judged(contact: NodeContact): JudgedContact {
  return judgeContact(contact, true) ?? assert.fail(contact.host);
}

/** A public address of its own /24, whose id shares so many bits with ours. */
function nodeAt(index: number, bits: number): JudgedContact {
  const host = `20.${index >> 8}.${index & 0xff}.7`;
  const id = nodeIdAtDistance(LOCAL_ID, bits, seededRandom(index));
  return judged({ id, host, port: 6881 });
}

function fill(table: RoutingTable, bits: number, count: number, from = 0, now: Instant = T0) {
  const nodes = Array.from({ length: count }, (_, nth) => nodeAt(from + nth, bits));
  for (const node of nodes) table.onReply(node, now);
  return nodes;
}

function hosts(table: RoutingTable): readonly string[] {
  return table.nodes().map(({ contact }) => contact.host);
}

test('eight nodes of a far region are kept, and the ninth waits', () => {
  const table = new RoutingTable(LOCAL_ID, T0);
  fill(table, 0, 9);
  assert.equal(table.size, BUCKET_NODES);
  // Near nodes make the one bucket split; the far half still holds eight.
  fill(table, 10, 8, 100);
  assert.equal(table.size, 16);
});

test('the one who waits takes the place of a node that stopped answering', () => {
  const table = new RoutingTable(LOCAL_ID, T0);
  fill(table, 5, 8, 100);
  const [first] = fill(table, 0, 9);
  assert.ok(first && !hosts(table).includes(nodeAt(8, 0).contact.host));
  table.onFailure(first.contact, T0);
  assert.ok(hosts(table).includes(first.contact.host), 'one lost datagram is forgiven');
  table.onFailure(first.contact, T0);
  assert.ok(!hosts(table).includes(first.contact.host));
  assert.ok(hosts(table).includes(nodeAt(8, 0).contact.host));
});

test('a node is good for 15 minutes, and questionable afterwards', () => {
  const table = new RoutingTable(LOCAL_ID, T0);
  const [node] = fill(table, 3, 1);
  assert.ok(node);
  const late = instant(15 * MINUTE);
  assert.equal(table.closest(LOCAL_ID, 8, 'good', instant(14 * MINUTE)).length, 1);
  assert.equal(table.closest(LOCAL_ID, 8, 'good', late).length, 0);
  assert.equal(table.closest(LOCAL_ID, 8, 'usable', late).length, 1);
  assert.equal(table.nextToPing(late)?.contact.host, node.contact.host);
  table.onQuery(node.contact, late);
  assert.equal(table.closest(LOCAL_ID, 8, 'good', late).length, 1, 'it asked us something');
});

test('one address is one node, whatever ids and ports it shows', () => {
  const table = new RoutingTable(LOCAL_ID, T0);
  const random = seededRandom(1);
  for (let port = 1; port <= 100; port++) {
    table.onReply(judged({ id: randomNodeId(random), host: '20.1.2.3', port }), T0);
  }
  assert.equal(table.size, 1);
});

test('a /24 has four nodes at most, and one in a bucket', () => {
  const table = new RoutingTable(LOCAL_ID, T0);
  for (let last = 1; last <= 250; last++) {
    const id = nodeIdAtDistance(LOCAL_ID, last % 20, seededRandom(last));
    table.onReply(judged({ id, host: `20.1.2.${last}`, port: 6881 }), T0);
  }
  assert.ok(table.size <= 4, `${table.size}`);
});

test('the local network may hold many nodes at one address (BEP 42)', () => {
  const table = new RoutingTable(LOCAL_ID, T0);
  for (let port = 1; port <= 8; port++) {
    const id = nodeIdAtDistance(LOCAL_ID, 3, seededRandom(port));
    table.onReply(judged({ id, host: '127.0.0.1', port }), T0);
  }
  assert.equal(table.size, 8);
});

test('an id that goes with its address displaces one that does not (BEP 42)', () => {
  const table = new RoutingTable(LOCAL_ID, T0);
  fill(table, 10, 8, 100);
  fill(table, 0, 8);
  const host = '30.1.2.3';
  const ip = parseIp(host) ?? assert.fail();
  for (let seed = 0; ; seed++) {
    const id = secureNodeId(ip, seededRandom(seed));
    if (sharedPrefixBits(id, LOCAL_ID) > 0) continue;
    const secure = judged({ id, host, port: 6881 });
    assert.equal(secure.isSecure, true);
    table.onReply(secure, T0);
    break;
  }
  assert.ok(hosts(table).includes(host));
  assert.equal(table.size, 16);
});

test('nobody takes the id of a node that is good', () => {
  const table = new RoutingTable(LOCAL_ID, T0);
  const [node] = fill(table, 3, 1);
  assert.ok(node);
  table.onReply(judged({ ...node.contact, host: '40.1.2.3' }), T0);
  assert.deepEqual(hosts(table), [node.contact.host]);
});

test('a region without news for 15 minutes is looked up', () => {
  const table = new RoutingTable(LOCAL_ID, T0);
  fill(table, 10, 8, 100);
  fill(table, 0, 8);
  const random = seededRandom(1);
  assert.equal(table.refreshTarget(random, instant(14 * MINUTE)), null);
  const target = table.refreshTarget(random, instant(15 * MINUTE));
  assert.ok(target);
  assert.equal(sharedPrefixBits(target, LOCAL_ID), 0);
});

test('told addresses of the local network are believed from neighbours alone', () => {
  const contact = { id: LOCAL_ID, host: '192.168.1.9', port: 6881 };
  assert.equal(judgeContact(contact, false), null);
  assert.equal(judgeContact(contact, true)?.isSecure, true);
  for (const host of ['0.0.0.0', '255.255.255.255', '224.0.0.1', '::']) {
    assert.equal(judgeContact({ ...contact, host }, true), null, host);
  }
  assert.equal(prefixOf('2001:db8:7::1'), prefixOf('2001:db8:7:ffff::1'));
});

const event = fc.record({
  index: fc.nat(300),
  bits: fc.nat(12),
  isReply: fc.boolean(),
  afterMs: fc.nat(5 * MINUTE),
});

test('whatever happens: no bucket over eight, no address twice, closest is truly closest', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 150 }), fc.integer(), (events, seed) => {
      const table = new RoutingTable(LOCAL_ID, T0);
      let now = 0;
      for (const { index, bits, isReply, afterMs } of events) {
        now += afterMs;
        const node = nodeAt(index, bits);
        if (isReply) table.onReply(node, instant(now));
        else table.onFailure(node.contact, instant(now));
      }
      const nodes = table.nodes();
      assert.equal(nodes.length, table.size);
      assert.equal(new Set(hosts(table)).size, nodes.length);
      assert.equal(new Set(nodes.map(({ contact }) => toHex(contact.id))).size, nodes.length);
      const last = table.bucketCount - 1;
      const counts = new Map<number, number>();
      for (const { contact } of nodes) {
        const bucket = Math.min(sharedPrefixBits(contact.id, LOCAL_ID), last);
        counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
      }
      for (const count of counts.values()) assert.ok(count <= BUCKET_NODES);
      const target = randomNodeId(seededRandom(seed));
      const good = table.closest(target, 1000, 'good', instant(now));
      const sorted = good.toSorted((a, b) => compareDistance(target, a.contact.id, b.contact.id));
      assert.deepEqual(good, sorted);
      assert.deepEqual(table.closest(target, 8, 'good', instant(now)), good.slice(0, 8));
    }),
    { numRuns: 300 },
  );
});
