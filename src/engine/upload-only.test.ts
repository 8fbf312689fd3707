/** What a peer says of itself beside its pieces: that it wants nothing, that it lost one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Swarm, type SwarmNode, WirePeer } from '../sim/index.ts';
import {
  decodeBencodeDict,
  encodeBare,
  encodeBencode,
  encodeExtended,
  encodeIndex,
  MESSAGE,
} from '../wire/index.ts';

/** The id our node gives `lt_donthave` when it offers nothing else but metadata. */
const DONT_HAVE_ID = 2;

function dial(swarm: Swarm, node: SwarmNode): WirePeer & { hellos: (number | null)[] } {
  const hellos: (number | null)[] = [];
  const peer = Object.assign(new WirePeer(swarm, node, { flags: { extended: true } }), { hellos });
  peer.script.onExtended = (id, payload) => {
    if (id === 0) hellos.push(decodeBencodeDict(payload.slice()).integer('upload_only'));
  };
  swarm.clock.run(200);
  return peer;
}

function lost(piece: number): Uint8Array {
  const payload = new Uint8Array(4);
  new DataView(payload.buffer).setUint32(0, piece);
  return encodeExtended(DONT_HAVE_ID, payload);
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
