/** What a peer says of itself beside its pieces: that it wants nothing, that it lost one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Swarm, type SwarmNode, WirePeer } from '../sim/index.ts';
import {
  decodeBencodeDict,
  decodeDontHave,
  encodeBare,
  encodeBencode,
  encodeBlockRef,
  encodeDontHave,
  encodeExtended,
  encodeIndex,
  MESSAGE,
} from '../wire/index.ts';

/** The id our node gives `lt_donthave` when it offers nothing else but metadata. */
const DONT_HAVE_ID = 2;

function dial(
  swarm: Swarm,
  node: SwarmNode,
  host: string = '10.9.9.9',
): WirePeer & { hellos: (number | null)[] } {
  const hellos: (number | null)[] = [];
  const peerId = new Uint8Array(20).fill(host.charCodeAt(host.length - 1));
  const options = { host, peerId, flags: { extended: true } };
  const peer = Object.assign(new WirePeer(swarm, node, options), { hellos });
  peer.script.onExtended = (id, payload) => {
    if (id === 0) hellos.push(decodeBencodeDict(payload.slice()).integer('upload_only'));
  };
  swarm.clock.run(200);
  return peer;
}

function lost(piece: number): Uint8Array {
  return encodeExtended(DONT_HAVE_ID, encodeDontHave(piece));
}

test('we say that we want no more as soon as it is so (BEP 21)', () => {
  const swarm = new Swarm({ seed: 1 });
  const seed = swarm.add({ has: 'all' });
  const leecher = swarm.add({ has: 'none' });
  assert.deepEqual(dial(swarm, seed).hellos, [1]);
  const peer = dial(swarm, leecher);
  leecher.torrent.addPeers([seed.address], 'tracker');
  assert.ok(swarm.runUntilComplete([leecher], 60_000));
  swarm.clock.run(1_000);
  assert.deepEqual(peer.hellos, [0, 1]);
});

test('a seed parts from a peer that lacks pieces and says that it wants none', () => {
  const swarm = new Swarm({ seed: 2 });
  const seed = swarm.add({ has: 'all' });
  const peer = dial(swarm, seed);
  peer.send(encodeBare(MESSAGE.haveNone));
  swarm.clock.run(1_000);
  assert.equal(peer.closed, null);
  peer.send(encodeExtended(0, encodeBencode({ upload_only: 1 })));
  swarm.clock.run(1_000);
  assert.notEqual(peer.closed, null);
});

test('a peer that wants nothing is kept while it has what we want', () => {
  const swarm = new Swarm({ seed: 3 });
  const leecher = swarm.add({ has: 'none' });
  const peer = dial(swarm, leecher);
  peer.send(encodeIndex(MESSAGE.have, 0), encodeExtended(0, encodeBencode({ upload_only: 1 })));
  swarm.clock.run(1_000);
  assert.equal(peer.closed, null);
});

test('a piece that a peer lost is not asked of it (BEP 54)', () => {
  for (const first of ['haveAll', 'have'] as const) {
    const swarm = new Swarm({ seed: 4 });
    const leecher = swarm.add({ has: (piece) => piece > 2 });
    const peer = dial(swarm, leecher);
    const asked = new Set<number>();
    peer.script.onRequest = (index) => void asked.add(index);
    if (first === 'haveAll') peer.send(encodeBare(MESSAGE.haveAll));
    else for (const piece of [0, 1, 2]) peer.send(encodeIndex(MESSAGE.have, piece));
    peer.send(lost(1), lost(1), encodeBare(MESSAGE.unchoke));
    swarm.clock.run(2_000);
    assert.deepEqual([...asked].sort(), [0, 2], first);
  }
});

test('a piece that was lost and is there again is asked for', () => {
  const swarm = new Swarm({ seed: 5 });
  const leecher = swarm.add({ has: (piece) => piece > 0 });
  const peer = dial(swarm, leecher);
  const asked = new Set<number>();
  peer.script.onRequest = (index) => void asked.add(index);
  peer.send(encodeBare(MESSAGE.haveAll), lost(0), encodeBare(MESSAGE.unchoke));
  swarm.clock.run(1_000);
  assert.equal(asked.size, 0);
  peer.send(encodeIndex(MESSAGE.have, 0));
  swarm.clock.run(1_000);
  assert.equal(asked.size, 1);
});

test('losing a piece past the end, or half a piece, ends the connection', () => {
  for (const message of [lost(9_999), encodeExtended(DONT_HAVE_ID, new Uint8Array(3))]) {
    const swarm = new Swarm({ seed: 6 });
    const peer = dial(swarm, swarm.add({ has: 'none' }));
    peer.send(message);
    swarm.clock.run(1_000);
    assert.notEqual(peer.closed, null);
  }
});

/** The id that the scripted peers give `lt_donthave`. */
const THEIR_ID = 9;

/** A peer that is served by a seed, and what it hears of pieces from now on. */
function servedBy(swarm: Swarm, seed: SwarmNode, isTellable: boolean) {
  const peer = dial(swarm, seed, isTellable ? '10.9.9.8' : '10.9.9.7');
  const log: string[] = [];
  const onHello = peer.script.onExtended;
  peer.script.onExtended = (id, payload) => {
    if (id === THEIR_ID) log.push(`lost ${decodeDontHave(payload)}`);
    else onHello?.(id, payload);
  };
  peer.script.onChoke = (isChoking) => void log.push(isChoking ? 'choke' : 'unchoke');
  peer.script.onHave = (piece) => void log.push(`have ${piece}`);
  peer.script.onReject = (piece) => void log.push(`reject ${piece}`);
  peer.script.onBlockEnd = (piece) => void log.push(`block ${piece}`);
  const m = isTellable ? { lt_donthave: THEIR_ID } : {};
  peer.send(encodeExtended(0, encodeBencode({ m })), encodeBare(MESSAGE.haveNone));
  peer.send(encodeBare(MESSAGE.interested));
  swarm.clock.run(12_000);
  assert.deepEqual(log.splice(0), ['unchoke']);
  return { peer, log };
}

function ask(piece: number): Uint8Array {
  return encodeBlockRef(MESSAGE.request, { index: piece, begin: 0, length: 16_384 });
}

test('who understands it is told what we have lost, and stays (BEP 54)', () => {
  const swarm = new Swarm({ seed: 7 });
  const seed = swarm.add({ has: 'all' });
  const { peer, log } = servedBy(swarm, seed, true);
  const { peer: old } = servedBy(swarm, seed, false);
  seed.torrent.stop('its files are looked at', true);
  swarm.clock.run(1_000);
  assert.notEqual(old.closed, null, 'who cannot be told must connect again');
  peer.send(ask(0), encodeIndex(MESSAGE.have, 3));
  swarm.clock.run(12_000);
  assert.deepEqual(log.splice(0), ['choke', 'reject 0']);
  const have = seed.have.clone();
  for (const piece of [1, 4]) have.clear(piece);
  seed.torrent.begin(swarm.memory.content, have, seed.store);
  swarm.clock.run(12_000);
  assert.equal(peer.closed, null);
  assert.deepEqual(log.splice(0), ['lost 1', 'lost 4', 'unchoke']);
  peer.send(ask(0), ask(1));
  swarm.clock.run(1_000);
  assert.deepEqual(log.splice(0).sort(), ['block 0', 'reject 1']);
  const other = swarm.add({ has: 'all' });
  seed.torrent.addPeers([other.address], 'tracker');
  swarm.clock.run(12_000);
  assert.deepEqual(log.filter((line) => line !== 'unchoke').sort(), ['have 1', 'have 4']);
});

test('what a disk gives no more is refused, and told as lost when it is found out', () => {
  const swarm = new Swarm({ seed: 8 });
  const seed = swarm.add({ has: 'all' });
  const { peer, log } = servedBy(swarm, seed, true);
  seed.store.failure = new Error('gone');
  peer.send(ask(2));
  swarm.clock.run(1_000);
  assert.deepEqual(log.splice(0), ['reject 2', 'choke']);
  assert.equal(peer.closed, null);
  assert.equal(seed.torrent.phase, 'failed');
});
