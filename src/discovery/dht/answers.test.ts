/** What a node answers: peers, items, counts and samples, between a few nodes in memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha1 } from '@noble/hashes/legacy.js';
import { type Datagram, DhtNetwork, type DhtNode } from '../../sim/index.ts';
import { equalBytes, fromHex } from '../../units/index.ts';
import {
  type DhtItem,
  type DhtQuery,
  type DhtReply,
  decodeKrpc,
  EMPTY_REPLY,
  type Endpoint,
  encodeKrpc,
  encodeUtf8,
  type KrpcMessage,
  mutableTarget,
  randomNodeId,
  signedBytes,
} from '../../wire/index.ts';
import type { ItemPutResult, PeerSearchResult } from './index.ts';

/** A network of so many nodes that know each other. */
function smallNet(count: number, seed = 3): DhtNetwork {
  const net = new DhtNetwork({ seed });
  net.grow(count);
  net.clock.run(40_000);
  return net;
}

/** Sends one query from an address where nobody is; the answer. */
function ask(net: DhtNetwork, node: DhtNode, query: DhtQuery, from: Endpoint): KrpcMessage {
  const transactionId = encodeUtf8('tt');
  const senderId = randomNodeId(net.random);
  const message = { kind: 'query', transactionId, senderId, isReadOnly: true, query } as const;
  let answer: KrpcMessage | null = null;
  net.datagrams.onSent = ({ packet, to }: Datagram) => {
    if (to.host === from.host) answer = decodeKrpc(packet);
  };
  node.dht.onPacket(encodeKrpc(message), from, net.now);
  net.datagrams.onSent = null;
  assert.ok(answer, 'it was answered');
  return answer;
}

function replyTo(net: DhtNetwork, node: DhtNode, query: DhtQuery, from = STRANGER): DhtReply {
  const message = ask(net, node, query, from);
  assert.ok(message.kind === 'reply', message.kind);
  return message.reply;
}

function codeOf(net: DhtNetwork, node: DhtNode, query: DhtQuery, from = STRANGER): number {
  const message = ask(net, node, query, from);
  return message.kind === 'error' ? message.code : 0;
}

/** Starts something and lets the time pass until it has ended. */
function outcome<T>(net: DhtNetwork, start: (onDone: (result: T) => void) => void): T {
  const results: T[] = [];
  start((result) => results.push(result));
  net.clock.run(30_000, () => results.length > 0);
  const [result] = results;
  assert.ok(result !== undefined, 'it did not end');
  return result;
}

const STRANGER: Endpoint = { host: '80.1.2.3', port: 5000 };
const HASH = new Uint8Array(20).fill(7);
const GET_PEERS = { method: 'get_peers', infoHash: HASH, want: null } as const;
const PLAIN = { ...GET_PEERS, isScrape: false, noSeeds: false };

function announce(net: DhtNetwork, node: DhtNode, from: Endpoint, isSeed = false): number {
  const { token } = replyTo(net, node, PLAIN, from);
  assert.ok(token);
  const terms = { port: 7000, isPortImplied: false, isSeed, token };
  return codeOf(net, node, { method: 'announce_peer', infoHash: HASH, ...terms }, from);
}

test('a peer that announces itself with its token is given to others', () => {
  const net = smallNet(1);
  const [node] = net.nodes;
  assert.ok(node);
  assert.equal(announce(net, node, { host: '81.1.1.1', port: 1 }), 0);
  assert.deepEqual(replyTo(net, node, PLAIN).peers, [{ host: '81.1.1.1', port: 7000 }]);
});

test('a token is good for its address and info-hash, for five to ten minutes', () => {
  const net = smallNet(1);
  const [node] = net.nodes;
  assert.ok(node);
  const { token } = replyTo(net, node, PLAIN);
  assert.ok(token);
  const terms = { port: 7000, isPortImplied: false, isSeed: false, token };
  const query = { method: 'announce_peer', infoHash: HASH, ...terms } as const;
  assert.equal(codeOf(net, node, query, { host: '81.1.1.1', port: 1 }), 203);
  assert.equal(codeOf(net, node, { ...query, infoHash: new Uint8Array(20) }), 203);
  assert.equal(codeOf(net, node, query), 0);
  net.clock.run(5 * 60_000);
  assert.equal(codeOf(net, node, query), 0);
  net.clock.run(6 * 60_000);
  assert.equal(codeOf(net, node, query), 203);
});

test('an implied port is the one the packet came from', () => {
  const net = smallNet(1);
  const [node] = net.nodes;
  assert.ok(node);
  const { token } = replyTo(net, node, PLAIN);
  assert.ok(token);
  const terms = { port: 1, isPortImplied: true, isSeed: false, token };
  assert.equal(codeOf(net, node, { method: 'announce_peer', infoHash: HASH, ...terms }), 0);
  assert.deepEqual(replyTo(net, node, PLAIN).peers, [STRANGER]);
});

test('an announce counts for half an hour', () => {
  const net = smallNet(1);
  const [node] = net.nodes;
  assert.ok(node);
  announce(net, node, STRANGER);
  net.clock.run(29 * 60_000);
  assert.equal(replyTo(net, node, PLAIN).peers.length, 1);
  net.clock.run(3 * 60_000);
  assert.equal(replyTo(net, node, PLAIN).peers.length, 0);
});

test('BEP 33: seeds are left out where they are of no use, and counted apart', () => {
  const net = smallNet(1);
  const [node] = net.nodes;
  assert.ok(node);
  announce(net, node, { host: '81.1.1.1', port: 1 }, true);
  announce(net, node, { host: '82.1.1.1', port: 1 });
  announce(net, node, { host: '83.1.1.1', port: 1 });
  const leechers = replyTo(net, node, { ...PLAIN, noSeeds: true }).peers.map(({ host }) => host);
  assert.deepEqual(leechers.toSorted(), ['82.1.1.1', '83.1.1.1']);
  const scrape = replyTo(net, node, { ...PLAIN, isScrape: true });
  const bits = (view: Uint8Array | null): number =>
    [...(view ?? [])].reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);
  assert.ok(bits(scrape.seedFilter) <= 2 && bits(scrape.seedFilter) > 0);
  assert.ok(bits(scrape.peerFilter) <= 4 && bits(scrape.peerFilter) > 2);
});

test('BEP 33: a scrape through the network counts the swarm', () => {
  const net = smallNet(60);
  for (let nth = 0; nth < 20; nth++) {
    const isSeed = nth < 8;
    const terms = { port: 7000, isPortImplied: false, isSeed };
    net.nodes[nth]?.dht.findPeers({
      ...{ infoHash: HASH, announce: terms, isScrape: false },
      ...{ onPeers: () => {}, onDone: () => {} },
    });
    net.clock.run(2_000);
  }
  net.clock.run(10_000);
  const { swarm } = outcome<PeerSearchResult>(net, (onDone) => {
    const search = { infoHash: HASH, announce: null, isScrape: true, onPeers: () => {}, onDone };
    net.nodes[50]?.dht.findPeers(search);
  });
  assert.ok(swarm && Math.abs(swarm.seeders - 8) <= 1, `${swarm?.seeders} seeders`);
  assert.ok(Math.abs(swarm.leechers - 12) <= 1, `${swarm.leechers} leechers`);
});

test('BEP 51: samples of what is stored, the same ones to whoever asks again', () => {
  const net = smallNet(1);
  const [node] = net.nodes;
  assert.ok(node);
  const query = { method: 'sample_infohashes', target: HASH, want: null } as const;
  assert.deepEqual(replyTo(net, node, query).samples?.infoHashes, []);
  announce(net, node, STRANGER);
  assert.equal(replyTo(net, node, query).samples?.infoHashes.length, 0, 'drawn a moment ago');
  net.clock.run(5 * 60_000);
  const { samples } = replyTo(net, node, query);
  assert.deepEqual(samples, { infoHashes: [HASH], totalCount: 1, intervalSeconds: 300 });
});

test('BEP 43: a read-only node answers nobody and is in no table', () => {
  const net = smallNet(20);
  const shy = net.add({ isReadOnly: true });
  const [entrance] = net.nodes;
  assert.ok(entrance);
  shy.dht.bootstrap([entrance.endpoint]);
  net.clock.run(20_000);
  assert.ok((shy.dht.status()[0]?.nodeCount ?? 0) >= 8, 'it knows others');
  for (const { dht } of net.nodes) {
    const hosts = dht.save().flatMap(({ contacts }) => contacts.map(({ host }) => host));
    assert.ok(!hosts.includes(shy.endpoint.host));
  }
  assert.throws(() => ask(net, shy, { method: 'ping' }, STRANGER), /answered/);
});

test('an unknown method with a target is answered like find_node, another is refused', () => {
  const net = smallNet(20);
  const [node] = net.nodes;
  assert.ok(node);
  assert.ok(replyTo(net, node, { method: 'unknown', target: HASH }).nodes.length > 0);
  assert.equal(codeOf(net, node, { method: 'unknown', target: null }), 204);
  assert.equal(codeOf(net, node, { method: 'invalid', problem: '' }), 204);
});

const SECRET = fromHex('01'.repeat(32));
const KEY = ed25519.getPublicKey(SECRET);
const NO_SALT = new Uint8Array();

function signed(sequence: bigint, text: string, salt: Uint8Array = NO_SALT) {
  const part = { value: encodeUtf8(`${text.length}:${text}`), salt, sequence };
  const signature = ed25519.sign(signedBytes(part), SECRET);
  return { kind: 'mutable', publicKey: KEY, signature, ...part } as const;
}

function put(net: DhtNetwork, node: DhtNode, item: DhtItem, cas: bigint | null = null) {
  return outcome<ItemPutResult>(net, (onDone) => {
    node.dht.putItem({ item, expectedSequence: cas, onDone });
  });
}

function getMutable(net: DhtNetwork, node: DhtNode, salt: Uint8Array = NO_SALT): DhtItem | null {
  return outcome<DhtItem | null>(net, (onDone) => {
    node.dht.getItem({ target: mutableTarget(KEY, salt, sha1), salt }, onDone);
  });
}

test('BEP 44: an immutable item is found by its hash', () => {
  const net = smallNet(40);
  const [one, other] = [net.pick(), net.pick()];
  const value = encodeUtf8('d1:ali1ei2eee');
  assert.equal(put(net, one, { kind: 'immutable', value }).storedCount >= 6, true);
  const found = outcome<DhtItem | null>(net, (onDone) => {
    other.dht.getItem({ target: sha1(value), salt: NO_SALT }, onDone);
  });
  assert.deepEqual(found, { kind: 'immutable', value });
});

test('BEP 44: the newest of a key and salt is found; older and forged ones are refused', () => {
  const net = smallNet(40);
  const [one, other] = [net.pick(), net.pick()];
  const salt = encodeUtf8('foobar');
  assert.ok(put(net, one, signed(1n, 'first')).storedCount >= 6);
  assert.ok(put(net, one, signed(2n, 'second')).storedCount >= 6);
  assert.ok(put(net, one, signed(9n, 'salted', salt)).storedCount >= 6);
  assert.deepEqual(getMutable(net, other), signed(2n, 'second'));
  assert.deepEqual(getMutable(net, other, salt), signed(9n, 'salted', salt));
  const isAll = (codes: readonly number[], code: number): boolean =>
    codes.length >= 6 && codes.every((one) => one === code);
  assert.ok(isAll(put(net, one, signed(1n, 'first')).errorCodes, 302));
  assert.ok(isAll(put(net, one, signed(2n, 'other')).errorCodes, 302));
  assert.ok(isAll(put(net, one, signed(3n, 'third'), 1n).errorCodes, 301));
  assert.ok(isAll(put(net, one, { ...signed(4n, 'a'), sequence: 5n }).errorCodes, 206));
  assert.ok(isAll(put(net, one, signed(5n, 'x'.repeat(1001))).errorCodes, 205));
  assert.ok(isAll(put(net, one, signed(6n, 'y', new Uint8Array(65))).errorCodes, 207));
  assert.ok(put(net, one, signed(3n, 'third'), 2n).storedCount >= 6);
  assert.deepEqual(getMutable(net, other), signed(3n, 'third'));
});

test('BEP 44: who knows the item already is sent its number alone', () => {
  const net = smallNet(1);
  const [node] = net.nodes;
  assert.ok(node);
  const target = sha1(KEY);
  const get = (sequence: bigint | null): DhtReply =>
    replyTo(net, node, { method: 'get', target, want: null, sequence });
  const { token } = get(null);
  assert.ok(token);
  const item = signed(4n, 'hello');
  const query = { method: 'put', token, item, expectedSequence: null } as const;
  assert.equal(codeOf(net, node, query), 0);
  assert.ok(get(null).item && get(3n).item);
  assert.equal(get(4n).item, null);
  assert.equal(get(4n).sequence, 4n);
  net.clock.run(121 * 60_000);
  assert.equal(get(null).item, null, 'forgotten after two hours');
});

test('a lie about an item is not believed', () => {
  const net = smallNet(1);
  const liar: Endpoint = { host: '90.1.1.1', port: 6881 };
  const senderId = randomNodeId(net.random);
  const forged = { ...signed(7n, 'true'), value: encodeUtf8('4:lies') };
  const [node] = net.nodes;
  assert.ok(node);
  net.datagrams.onSent = ({ packet, to, from }) => {
    if (to.host !== liar.host) return;
    const asked = decodeKrpc(packet);
    if (asked.kind !== 'query') return;
    const { publicKey, signature, value, sequence } = forged;
    const item = { value, signed: { publicKey, signature } };
    const reply = { ...EMPTY_REPLY, token: encodeUtf8('t'), item, sequence };
    const { transactionId } = asked;
    const answer = {
      kind: 'reply',
      transactionId,
      senderId,
      reply,
      externalAddress: null,
    } as const;
    net.datagrams.send({ packet: encodeKrpc(answer), from: liar, to: from });
  };
  node.dht.addNode(liar);
  net.clock.run(5_000);
  assert.equal(node.dht.status()[0]?.nodeCount, 1);
  assert.equal(getMutable(net, node), null);
});

test('BEP 32: nodes of both families join through one of them, and stay apart', () => {
  const net = new DhtNetwork({ seed: 4 });
  net.grow(12, (index) => ({ host: `2001:470:${index + 1}::7` }));
  net.clock.run(40_000);
  for (const { dht } of net.nodes) assert.ok((dht.status()[0]?.nodeCount ?? 0) >= 8);
  const [one, other] = net.nodes;
  assert.ok(one && other);
  const terms = { port: 7000, isPortImplied: false, isSeed: false };
  const nothing = { onPeers: () => {}, onDone: () => {} };
  one.dht.findPeers({ infoHash: HASH, announce: terms, isScrape: false, ...nothing });
  net.clock.run(10_000);
  const found: Endpoint[] = [];
  other.dht.findPeers({
    ...{ infoHash: HASH, announce: null, isScrape: false },
    ...nothing,
    onPeers: (peers) => found.push(...peers),
  });
  net.clock.run(10_000);
  assert.deepEqual(found, [{ host: one.endpoint.host, port: 7000 }]);
});

test('BEP 42: a node whose id does not go with its address takes one that does', () => {
  const net = smallNet(20);
  const stray = net.add({ isInsecure: true });
  const before = stray.dht.status()[0]?.localId ?? assert.fail();
  stray.dht.bootstrap([net.nodes[0]?.endpoint ?? assert.fail()]);
  net.clock.run(30_000);
  const [status] = stray.dht.status();
  assert.equal(status?.externalHost, stray.endpoint.host);
  assert.ok(!equalBytes(status?.localId ?? before, before));
});
