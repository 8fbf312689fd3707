/** Nodes that mean harm: floods, forged senders, forged answers, Sybils. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha1 } from '@noble/hashes/legacy.js';
import fc from 'fast-check';
import { DhtNetwork, type DhtNode } from '../../sim/index.ts';
import { instant } from '../../units/index.ts';
import {
  compareDistance,
  type DhtQuery,
  decodeKrpc,
  EMPTY_REPLY,
  type Endpoint,
  encodeKrpc,
  encodeUtf8,
  type NodeContact,
  nodeIdAtDistance,
  randomNodeId,
} from '../../wire/index.ts';
import { ItemStore } from './item-store.ts';
import { PeerStore } from './peer-store.ts';
import { DHT_LIMITS } from './traffic-limits.ts';

const HASH = new Uint8Array(20).fill(7);
const FIND_NODE = { method: 'find_node', target: HASH, want: null } as const;

function packetOf(net: DhtNetwork, query: DhtQuery): Uint8Array {
  const senderId = randomNodeId(net.random);
  const transactionId = encodeUtf8('tt');
  return encodeKrpc({ kind: 'query', transactionId, senderId, isReadOnly: true, query });
}

/** A node among forty, and what it sends to hosts whose name begins with `prefix`. */
function victimAnd(prefix: string): { net: DhtNetwork; node: DhtNode; sent: number[] } {
  const net = new DhtNetwork({ seed: 11 });
  net.grow(40);
  net.clock.run(60_000);
  const node = net.nodes[0] ?? assert.fail();
  const sent: number[] = [];
  net.datagrams.onSent = ({ packet, to, from }) => {
    if (from.host === node.endpoint.host && to.host.startsWith(prefix)) sent.push(packet.length);
  };
  return { net, node, sent };
}

const sum = (lengths: readonly number[]): number => lengths.reduce((all, one) => all + one, 0);

test('a forged address cannot be flooded: what goes beyond the questions is bounded', () => {
  const { net, node, sent } = victimAnd('80.1.2.');
  let asked = 0;
  for (let second = 0; second < 60; second++) {
    for (let nth = 0; nth < 100; nth++) {
      const packet = packetOf(net, FIND_NODE);
      asked += packet.length;
      node.dht.onPacket(packet, { host: `80.1.2.${nth}`, port: 53 }, net.now);
    }
    net.clock.run(1_000);
  }
  const { prefixExcessBytesPerSecond, prefixQueriesPerSecond } = DHT_LIMITS;
  assert.ok(sent.length <= prefixQueriesPerSecond * 70, `${sent.length} answers`);
  assert.ok(sum(sent) < asked / 4, 'far less comes back than was sent');
  const answered = sent.length * packetOf(net, FIND_NODE).length;
  const excess = sum(sent) - answered;
  assert.ok(excess <= prefixExcessBytesPerSecond * 70, `${excess} bytes in excess`);
});

test('forged addresses all over the world get no more than the budget of all', () => {
  const { net, node, sent } = victimAnd('9');
  let answered = 0;
  for (let second = 0; second < 30; second++) {
    for (let nth = 0; nth < 300; nth++) {
      const host = `9${nth % 9}.${nth & 0xff}.${second}.1`;
      node.dht.onPacket(packetOf(net, FIND_NODE), { host, port: 53 }, net.now);
    }
    net.clock.run(1_000);
  }
  answered = sent.length * packetOf(net, FIND_NODE).length;
  assert.ok(sum(sent) - answered <= DHT_LIMITS.excessBytesPerSecond * 40);
});

test('when the budget is used up, an answer is never larger than its question', () => {
  const { net, node, sent } = victimAnd('80.1.2.');
  const from = { host: '80.1.2.3', port: 53 };
  const questions: readonly DhtQuery[] = [
    FIND_NODE,
    { method: 'ping' },
    { method: 'get_peers', infoHash: HASH, want: [4, 6], isScrape: true, noSeeds: false },
    { method: 'get', target: HASH, want: null, sequence: null },
    { method: 'sample_infohashes', target: HASH, want: null },
  ];
  for (let round = 0; round < 12; round++) {
    for (const query of questions) node.dht.onPacket(packetOf(net, query), from, net.now);
  }
  for (const query of questions) {
    const packet = packetOf(net, query);
    sent.length = 0;
    node.dht.onPacket(packet, from, net.now);
    assert.equal(sent.length, 1, query.method);
    assert.ok(sum(sent) <= packet.length, `${query.method}: ${sum(sent)} for ${packet.length}`);
  }
});

test('no packet but one with an item is longer than 1024 bytes (BEP 32)', () => {
  const net = new DhtNetwork({ seed: 12 });
  let longest = 0;
  net.datagrams.onSent = ({ packet }) => {
    longest = Math.max(longest, packet.length);
  };
  net.grow(60);
  const terms = { port: 7000, isPortImplied: false, isSeed: false };
  const nothing = { onPeers: () => {}, onDone: () => {} };
  for (const { dht } of net.nodes) {
    dht.findPeers({ infoHash: HASH, announce: terms, isScrape: true, ...nothing });
    net.clock.run(500);
  }
  assert.ok(longest > 600 && longest <= 1024, `${longest} bytes`);
});

test('an answer nobody asked for changes nothing', () => {
  const net = new DhtNetwork({ seed: 13 });
  net.grow(1);
  const node = net.nodes[0] ?? assert.fail();
  const from = { host: '80.1.2.3', port: 6881 };
  // It is asked, and does not answer: somebody else does in its name, and has to guess.
  node.dht.addNode(from);
  for (let guess = 0; guess < 1000; guess++) {
    const transactionId = Uint8Array.of(0, 0, guess >> 8, guess & 0xff);
    const senderId = randomNodeId(net.random);
    const reply = { ...EMPTY_REPLY, nodes: [{ id: randomNodeId(net.random), ...from }] };
    const message = {
      kind: 'reply',
      transactionId,
      senderId,
      reply,
      externalAddress: from,
    } as const;
    node.dht.onPacket(encodeKrpc(message), from, net.now);
  }
  assert.equal(node.dht.status()[0]?.nodeCount, 0);
});

test('an answer from another address than the one asked is not taken', () => {
  const net = new DhtNetwork({ seed: 14 });
  net.grow(1);
  const node = net.nodes[0] ?? assert.fail();
  net.datagrams.onSent = ({ packet, to, from }) => {
    const asked = decodeKrpc(packet);
    if (asked.kind !== 'query') return;
    const { transactionId } = asked;
    const senderId = randomNodeId(net.random);
    const head = { kind: 'reply', transactionId, senderId, externalAddress: null } as const;
    const answer = encodeKrpc({ ...head, reply: EMPTY_REPLY });
    net.datagrams.send({ packet: answer, from: { host: to.host, port: to.port + 1 }, to: from });
  };
  node.dht.addNode({ host: '80.1.2.3', port: 6881 });
  net.clock.run(10_000);
  assert.equal(node.dht.status()[0]?.nodeCount, 0);
});

/** Answers every query that reaches `hosts` with nodes of its own making. */
function answerFor(net: DhtNetwork, hosts: ReadonlyMap<string, Uint8Array>, told: NodeContact[]) {
  let answers = 0;
  net.datagrams.onSent = ({ packet, to, from }) => {
    const senderId = hosts.get(to.host);
    const asked = senderId ? decodeKrpc(packet) : null;
    if (!senderId || asked?.kind !== 'query') return;
    const { transactionId } = asked;
    // Eight others each time.
    const start = (8 * answers++) % told.length;
    const nodes = [...told.slice(start), ...told].slice(0, Math.min(8, told.length));
    const reply = { ...EMPTY_REPLY, token: encodeUtf8('t'), nodes };
    const answer = {
      kind: 'reply',
      transactionId,
      senderId,
      reply,
      externalAddress: null,
    } as const;
    net.datagrams.send({ packet: encodeKrpc(answer), from: to, to: from });
  };
}

/**
 * A hundred nodes were told of Sybils around an info-hash; those near it have room for them. One
 * announces itself, then another looks. Whether it was found, and how many questions the first of
 * them asked Sybils.
 */
function announceAmong(hosts: readonly string[]): { isFound: boolean; askedSybils: number } {
  const net = new DhtNetwork({ seed: 15 });
  net.grow(100);
  net.clock.run(60_000);
  const told = hosts.map((host, nth): NodeContact => {
    return { id: nodeIdAtDistance(HASH, 60 + (nth % 90), net.random), host, port: 6881 };
  });
  const sybils = new Map(told.map(({ host, id }) => [host, id]));
  answerFor(net, sybils, told);
  const victim = net.nodes[50] ?? assert.fail();
  for (const { dht } of net.nodes) for (const contact of told) dht.addNode(contact);
  net.clock.run(6_000);
  const answering = net.datagrams.onSent;
  let askedSybils = 0;
  net.datagrams.onSent = (datagram) => {
    const isQuery = decodeKrpc(datagram.packet).kind === 'query';
    const isOurs = datagram.from.host === victim.endpoint.host;
    if (isQuery && isOurs && sybils.has(datagram.to.host)) askedSybils++;
    answering?.(datagram);
  };
  const terms = { port: 7000, isPortImplied: false, isSeed: true };
  let isDone = false;
  const onDone = (): void => {
    isDone = true;
  };
  const search = { infoHash: HASH, isScrape: false, onPeers: () => {}, onDone };
  victim.dht.findPeers({ ...search, announce: terms });
  net.clock.run(60_000, () => isDone);
  net.datagrams.onSent = null;
  const found: Endpoint[] = [];
  const onPeers = (peers: readonly Endpoint[]): void => {
    found.push(...peers);
  };
  net.nodes[20]?.dht.findPeers({ ...search, announce: null, onPeers });
  net.clock.run(20_000);
  return { isFound: found.some(({ host }) => host === victim.endpoint.host), askedSybils };
}

test('a hundred Sybils around an info-hash, all in one /24, count as one', () => {
  const hosts = Array.from({ length: 100 }, (_, nth) => `66.6.6.${nth + 1}`);
  const { isFound, askedSybils } = announceAmong(hosts);
  assert.equal(isFound, true);
  // The lookup, the announce, and the pings of a routing table that holds four at most.
  assert.ok(askedSybils <= 6, `${askedSybils} questions to Sybils`);
});

test('Sybils in many networks, whose ids do not go with these, do not catch every announce', () => {
  const hosts = Array.from({ length: 8 }, (_, nth) => `66.${nth + 1}.6.6`);
  assert.equal(announceAmong(hosts).isFound, true);
});

test('a stranger who tells of local addresses does not make us send there', () => {
  const net = new DhtNetwork({ seed: 17 });
  net.grow(1);
  const node = net.nodes[0] ?? assert.fail();
  const id = randomNodeId(net.random);
  const told = ['127.0.0.1', '10.0.0.1', '192.168.0.1', '169.254.1.1'].map((host) => {
    return { id: randomNodeId(net.random), host, port: 53 };
  });
  const reached = new Set<string>();
  answerFor(net, new Map([['80.1.2.3', id]]), told);
  const answering = net.datagrams.onSent;
  net.datagrams.onSent = (datagram) => {
    reached.add(datagram.to.host);
    answering?.(datagram);
  };
  node.dht.addNode({ host: '80.1.2.3', port: 6881 });
  net.clock.run(60_000);
  node.dht.findPeers({
    ...{ infoHash: HASH, announce: null, isScrape: false },
    ...{ onPeers: () => {}, onDone: () => {} },
  });
  net.clock.run(20_000);
  assert.deepEqual(
    [...reached].filter((host) => host !== node.endpoint.host),
    ['80.1.2.3'],
  );
});

test('a flood of invented info-hashes displaces itself, not a swarm in use', () => {
  const net = new DhtNetwork({ seed: 18 });
  const store = new PeerStore(net.random);
  const now = instant(0);
  for (let nth = 0; nth < 5; nth++) {
    store.add(HASH, { host: `81.1.${nth}.1`, port: 1, isSeed: false }, now);
  }
  for (let nth = 0; nth < 10_000; nth++) {
    store.add(randomNodeId(net.random), { host: '66.6.6.6', port: 1, isSeed: false }, now);
  }
  assert.equal(store.torrentCount, 2000);
  assert.equal(store.pick({ infoHash: HASH, countMax: 50, noSeeds: false }).length, 5);
  for (let nth = 0; nth < 1000; nth++) {
    store.add(HASH, { host: `82.${nth >> 8}.${nth & 0xff}.1`, port: 1, isSeed: false }, now);
  }
  assert.equal(store.isOpenTo(HASH), false);
  assert.equal(store.pick({ infoHash: HASH, countMax: 2000, noSeeds: false }).length, 500);
});

test('of a flood of items the seven hundred nearest to us are kept', () => {
  const localId = new Uint8Array(20);
  const store = new ItemStore({ sha1, verify: () => true });
  const context = { expectedSequence: null, localId, now: instant(0) };
  const items = Array.from({ length: 1_000 }, (_, nth) => {
    return { kind: 'immutable', value: encodeUtf8(`i${nth}e`) } as const;
  });
  for (const item of items) store.put(item, context);
  const targets = items
    .map((item) => store.targetOf(item))
    .sort((a, b) => compareDistance(localId, a, b));
  const kept = targets.map((target) => store.get(target) !== null);
  assert.deepEqual([kept.indexOf(false), kept.filter(Boolean).length], [700, 700]);
});

test('whatever bytes come, nothing is thrown and nobody is believed', () => {
  const net = new DhtNetwork({ seed: 19 });
  net.grow(1);
  const node = net.nodes[0] ?? assert.fail();
  const packets = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.uint8Array({ minLength: 2000, maxLength: 3000 }),
    fc.tuple(fc.nat(90), fc.nat(255)).map(([at, byte]) => {
      const packet = packetOf(net, FIND_NODE);
      packet[at] = byte;
      return packet;
    }),
  );
  fc.assert(
    fc.property(packets, (packet) => {
      node.dht.onPacket(packet, { host: '80.1.2.3', port: 6881 }, net.now);
    }),
    { numRuns: 1000 },
  );
  assert.equal(node.dht.status()[0]?.nodeCount, 0);
});

test('the nodes nearest to a target are sorted by distance in every answer', () => {
  const { net, node } = victimAnd('nobody');
  let nodes: readonly NodeContact[] = [];
  net.datagrams.onSent = ({ packet, to }) => {
    const message = decodeKrpc(packet);
    if (to.host === '80.1.2.3' && message.kind === 'reply') nodes = message.reply.nodes;
  };
  node.dht.onPacket(packetOf(net, FIND_NODE), { host: '80.1.2.3', port: 53 }, net.now);
  assert.equal(nodes.length, 8);
  assert.deepEqual(
    nodes,
    nodes.toSorted((a, b) => compareDistance(HASH, a.id, b.id)),
  );
});
