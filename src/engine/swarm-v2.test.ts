import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Swarm, type SwarmNode, WirePeer } from '../sim/index.ts';
import {
  decodeHashes,
  encodeBare,
  encodeHashes,
  encodeHashRef,
  type HashRef,
  MERKLE_HASH_BYTES,
  MESSAGE,
} from '../wire/index.ts';

const SEEDS: readonly number[] = [1, 2, 3];
const KIB = 1024;
const MIB = 1024 * KIB;

/** Files of less than a block, of a piece, of a few pieces and one byte, and of many. */
const FILES: readonly number[] = [1, 32 * KIB, 100 * KIB + 1, 5_000, 700 * KIB];

function scenario(name: string, run: (swarm: Swarm) => void): void {
  test(name, () => {
    for (const seed of SEEDS) run(new Swarm({ seed, fileLengths: FILES }));
  });
}

function assertCompletes(swarm: Swarm, nodes: readonly SwarmNode[], durationMs = 60_000): void {
  assert.ok(swarm.runUntilComplete(nodes, durationMs), swarm.describe());
}

scenario('a torrent with v2 hashes alone is downloaded, and no padding with it', (swarm) => {
  swarm.add({ has: 'all' });
  const leecher = swarm.add({ has: 'none' });
  swarm.introduce();
  assertCompletes(swarm, [leecher]);
  const { totalBytes, haveBytes, receivedBytes, remainingBytes } = leecher.torrent.snapshot();
  const wanted = FILES.reduce((sum, length) => sum + length, 0);
  assert.deepEqual(
    [totalBytes, haveBytes, receivedBytes, remainingBytes],
    [wanted, wanted, wanted, 0],
  );
});

scenario('a magnet gets its piece layers from peers, and passes them on', (swarm) => {
  const seed = swarm.add({ has: 'all' });
  const first = swarm.add({ has: 'none', isMagnet: true });
  swarm.introduce();
  assertCompletes(swarm, [first]);
  const second = swarm.add({ has: 'none', isMagnet: true });
  seed.crash();
  swarm.introduce([first, second]);
  assertCompletes(swarm, [second]);
  assert.deepEqual(second.bans, []);
});

scenario('before its layer is here, nothing of a file is asked for', (swarm) => {
  const node = swarm.add({ has: 'none', lacksLayers: true });
  const peer = new WirePeer(swarm, node, { flags: { v2: true } });
  const asked = new Set<number>();
  peer.script.onRequest = (piece) => asked.add(piece);
  swarm.clock.run(200);
  peer.send(encodeBare(MESSAGE.haveAll), encodeBare(MESSAGE.unchoke));
  swarm.clock.run(2_000);
  // Files of one piece need no layer: their roots say it all.
  const short = [0, 1, 6];
  assert.deepEqual(
    [...asked].toSorted((a, b) => a - b),
    short,
    swarm.describe(),
  );
});

scenario(
  'blocks of a piece are told with their proof, and wrong requests are rejected',
  (swarm) => {
    const node = swarm.add({ has: 'all' });
    const peer = new WirePeer(swarm, node, { flags: { v2: true } });
    const heard: string[] = [];
    peer.script.onHashMessage = (id, body) => {
      const { ref, hashes } = decodeHashes(body);
      heard.push(`${id} ${ref.baseLayer} ${ref.length} ${hashes.length / MERKLE_HASH_BYTES}`);
    };
    const root = swarm.memory.content.hashedFiles?.[4]?.root ?? new Uint8Array(32);
    const ask = (ref: Partial<HashRef>): void => {
      const whole = { root, baseLayer: 0, index: 0, length: 2, proofLayers: 0, ...ref };
      peer.send(encodeHashRef(MESSAGE.hashRequest, whole));
    };
    swarm.clock.run(200);
    // 700 KiB are 44 blocks in 22 pieces: the tree has 64 leaves, and 6 layers above them.
    ask({ proofLayers: 5 });
    ask({ baseLayer: 1, length: 32, proofLayers: 4 });
    ask({ baseLayer: 1, length: 8, proofLayers: 4 });
    ask({ baseLayer: 1, length: 22, proofLayers: 4 });
    ask({ root: new Uint8Array(32) });
    ask({ index: 64 });
    ask({ index: 62 });
    ask({ baseLayer: 7 });
    swarm.clock.run(3_000);
    const sorted = heard.toSorted();
    assert.deepEqual(sorted, [
      '22 0 2 7',
      '22 1 22 22',
      '22 1 32 32',
      '22 1 8 10',
      '23 0 2 0',
      '23 0 2 0',
      '23 0 2 0',
      '23 7 2 0',
    ]);
    assert.equal(peer.closed, null);
  },
);

scenario('who lies about a layer is banned, and another is asked', (swarm) => {
  const magnet = swarm.add({ has: 'none', lacksLayers: true });
  const liar = new WirePeer(swarm, magnet, { host: '10.9.9.9', flags: { v2: true } });
  liar.script.onHashMessage = (id, body) => {
    const { ref } = decodeHashes(body);
    if (id !== MESSAGE.hashRequest) return;
    liar.send(encodeHashes(ref, new Uint8Array(32 * (ref.length + 6)).fill(7)));
  };
  swarm.clock.run(300);
  liar.send(encodeBare(MESSAGE.haveAll));
  const honest = swarm.add({ has: 'all' });
  swarm.introduce([magnet, honest]);
  assertCompletes(swarm, [magnet]);
  assert.deepEqual(magnet.bans, ['10.9.9.9']);
  assert.notEqual(liar.closed, null);
});

scenario('who refuses or is silent about layers is not waited for', (swarm) => {
  const magnet = swarm.add({ has: 'none', lacksLayers: true });
  const refuser = new WirePeer(swarm, magnet, { host: '10.9.9.8', flags: { v2: true } });
  refuser.script.onHashMessage = (_, body) => {
    refuser.send(encodeHashRef(MESSAGE.hashReject, decodeHashes(body).ref));
  };
  const peerId = new Uint8Array(20).fill(5);
  const silent = new WirePeer(swarm, magnet, { host: '10.9.9.7', flags: { v2: true }, peerId });
  swarm.clock.run(300);
  swarm.introduce([magnet, swarm.add({ has: 'all' })]);
  assertCompletes(swarm, [magnet]);
  assert.deepEqual([magnet.bans, refuser.closed, silent.closed], [[], null, null]);
});

scenario('of a piece that several gave, only who gave the bad block is banned', (swarm) => {
  swarm.add({ has: 'all' });
  const liar = swarm.add({ has: 'all' });
  liar.store.spoil = (_, into) => into.fill(0xee);
  const leecher = swarm.add({ has: 'none' });
  swarm.introduce();
  assertCompletes(swarm, [leecher]);
  assert.deepEqual(leecher.bans, [liar.host], swarm.describe());
});

test('of one large piece, the good blocks are kept', () => {
  for (const seed of SEEDS) {
    const swarm = new Swarm({ seed, pieceLengthBytes: 1024 * KIB, fileLengths: [1024 * KIB] });
    const liar = swarm.add({ has: 'all' });
    liar.store.spoil = (_, into) => into.fill(0xee);
    const leecher = swarm.add({ has: 'none' });
    for (let nth = 0; nth < 3; nth++) swarm.add({ has: 'all' });
    swarm.introduce();
    assertCompletes(swarm, [leecher]);
    const { receivedBytes, failedPieces } = leecher.torrent.snapshot();
    assert.deepEqual([leecher.bans, failedPieces], [[liar.host], 1], swarm.describe());
    assert.ok(receivedBytes < 1.8 * 1024 * KIB, `${receivedBytes}`);
  }
});

scenario(
  'a flood of requests for hashes has sixteen places, then costs the connection',
  (swarm) => {
    const seed = swarm.add({ has: 'all' });
    const peer = new WirePeer(swarm, seed, { flags: { v2: true } });
    const heard = new Map<number, number>();
    peer.script.onHashMessage = (id) => void heard.set(id, (heard.get(id) ?? 0) + 1);
    const root = swarm.memory.content.hashedFiles?.[4]?.root ?? new Uint8Array(32);
    const flood = (count: number): void => {
      const ref = { root, baseLayer: 0, index: 0, length: 2, proofLayers: 0 };
      for (let nth = 0; nth < count; nth++) peer.send(encodeHashRef(MESSAGE.hashRequest, ref));
      swarm.clock.run(3_000);
    };
    swarm.clock.run(200);
    flood(120);
    // Each is 32 KiB to read and hash: they are answered one a tick, the others at once.
    assert.ok((heard.get(MESSAGE.hashes) ?? 0) <= 20, `${heard.get(MESSAGE.hashes)}`);
    assert.ok((heard.get(MESSAGE.hashReject) ?? 0) >= 100);
    assert.equal(peer.closed, null);
    flood(200);
    assert.notEqual(peer.closed, null);
  },
);

test('two hundred wrong requests for hashes are rejected, the next costs the connection', () => {
  const right = { baseLayer: 0, index: 0, length: 2, proofLayers: 0 };
  for (const wrong of [
    { root: new Uint8Array(32) },
    { index: 1 },
    { index: 64 },
    { baseLayer: 7 },
    { length: 1_024 },
  ]) {
    const swarm = new Swarm({ seed: 1, fileLengths: FILES });
    const node = swarm.add({ has: 'all' });
    const peer = new WirePeer(swarm, node, { flags: { v2: true } });
    let rejects = 0;
    peer.script.onHashMessage = (id) => {
      if (id === MESSAGE.hashReject) rejects++;
    };
    const root = swarm.memory.content.hashedFiles?.[4]?.root ?? new Uint8Array(32);
    const request = encodeHashRef(MESSAGE.hashRequest, { root, ...right, ...wrong });
    swarm.clock.run(200);
    for (let nth = 0; nth < 200; nth++) peer.send(request);
    swarm.clock.run(1_000);
    assert.deepEqual([rejects, peer.closed], [200, null], JSON.stringify(wrong));
    peer.send(request);
    swarm.clock.run(1_000);
    assert.notEqual(peer.closed, null, JSON.stringify(wrong));
  }
});

test('for hashes of blocks 8 MiB a second are read, and 16 MiB for one request', () => {
  const pieceLengthBytes = 128 * KIB;
  const fileLengths = [16 * MIB + pieceLengthBytes];
  const swarm = new Swarm({ seed: 1, pieceLengthBytes, fileLengths });
  const peer = new WirePeer(swarm, swarm.add({ has: 'all' }), { flags: { v2: true } });
  const heard: number[] = [];
  peer.script.onHashMessage = (id) => void heard.push(id);
  const root = swarm.memory.content.hashedFiles?.[0]?.root ?? new Uint8Array(32);
  // Each hash of the second layer stands for 64 KiB.
  const ask = (length: number, baseLayer = 2): void => {
    const ref = { root, baseLayer, index: 0, length, proofLayers: 0 };
    peer.send(encodeHashRef(MESSAGE.hashRequest, ref));
  };
  swarm.clock.run(200);
  ask(512);
  ask(1_024, 0);
  swarm.clock.run(1_000);
  assert.deepEqual(heard.splice(0), [MESSAGE.hashReject, MESSAGE.hashReject], 'too much at once');
  ask(256);
  swarm.clock.run(1_000);
  assert.deepEqual(heard.splice(0), [MESSAGE.hashes]);
  for (let nth = 0; nth < 4; nth++) ask(64);
  swarm.clock.run(900);
  assert.equal(heard.length, 0, '16 MiB are two seconds of reading');
  // 4 MiB each: the first when those are over, then two a second.
  swarm.clock.run(300);
  assert.equal(heard.length, 1);
  swarm.clock.run(1_200);
  assert.equal(heard.length, 3);
  swarm.clock.run(600);
  assert.equal(heard.length, 4);
});

test('while the disk is slow, it reads for one request for hashes of blocks', () => {
  const swarm = new Swarm({ seed: 1, fileLengths: FILES });
  const node = swarm.add({ has: 'all' });
  const peer = new WirePeer(swarm, node, { flags: { v2: true } });
  let reads = 0;
  node.store.read = () => void reads++;
  const root = swarm.memory.content.hashedFiles?.[4]?.root ?? new Uint8Array(32);
  const ref = { root, baseLayer: 0, index: 0, length: 2, proofLayers: 0 };
  swarm.clock.run(200);
  for (let nth = 0; nth < 10; nth++) peer.send(encodeHashRef(MESSAGE.hashRequest, ref));
  swarm.clock.run(5_000);
  assert.deepEqual([reads, peer.closed], [1, null]);
});

test('who asks for more than eight mebibytes beside blocks, and reads none of it, is cut off', () => {
  const swarm = new Swarm({ seed: 1, pieceLengthBytes: 16 * KIB, fileLengths: [16_384 * KIB] });
  const seed = swarm.add({ has: 'all' });
  const peer = new WirePeer(swarm, seed, { flags: { v2: true } });
  swarm.clock.run(200);
  peer.connection.pauseReading();
  const root = swarm.memory.content.hashedFiles?.[0]?.root ?? new Uint8Array(32);
  const ref = { root, baseLayer: 0, index: 0, length: 512, proofLayers: 1 };
  const ask = (count: number): void => {
    for (let nth = 0; nth < count; nth++) peer.send(encodeHashRef(MESSAGE.hashRequest, ref));
    swarm.clock.run(1_000);
  };
  ask(480);
  assert.equal(peer.closed, null);
  for (let second = 0; second < 3; second++) ask(80);
  assert.notEqual(peer.closed, null);
});

// Layers were given as often as they were asked for, whatever the upload limit.
test('hashes of a layer are given at a rate, and a flood of requests costs the connection', () => {
  const swarm = new Swarm({ seed: 1, pieceLengthBytes: 16 * KIB, fileLengths: [16_384 * KIB] });
  const seed = swarm.add({ has: 'all' });
  const peer = new WirePeer(swarm, seed, { flags: { v2: true } });
  let given = 0;
  peer.script.onHashMessage = (id, body) => {
    if (id === MESSAGE.hashes) given += body.length;
  };
  const root = swarm.memory.content.hashedFiles?.[0]?.root ?? new Uint8Array(32);
  const ask = (count: number): void => {
    const ref = { root, baseLayer: 0, index: 0, length: 512, proofLayers: 1 };
    for (let nth = 0; nth < count; nth++) peer.send(encodeHashRef(MESSAGE.hashRequest, ref));
  };
  swarm.clock.run(200);
  ask(480);
  swarm.clock.run(500);
  assert.ok(given > 7.4 * MIB, 'the layers of a large torrent come at once');
  for (let second = 0; second < 3; second++) {
    ask(100);
    swarm.clock.run(1_000);
  }
  assert.ok(given > 10.5 * MIB && given < 11.9 * MIB, `${given} bytes`);
  assert.equal(peer.closed, null);
  ask(400);
  swarm.clock.run(1_000);
  assert.notEqual(peer.closed, null);
});
