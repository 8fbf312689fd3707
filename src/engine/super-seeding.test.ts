import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Swarm, type SwarmNode, WirePeer } from '../sim/index.ts';
import { bytesPerSecond } from '../units/index.ts';
import { encodeBare, encodeIndex, MESSAGE } from '../wire/index.ts';

const MINUTE_MS = 60_000;
const DOWNLOADERS = 8;

/** One seed and some downloaders that all know each other. */
function crowd(seed: number, isSuperSeed: boolean) {
  const engine = { uploadLimit: bytesPerSecond(200_000) };
  const swarm = new Swarm({ seed, totalBytes: 2_000_003 });
  const source = swarm.add({ has: 'all', isSuperSeed, engine });
  const others = swarm.addMany(DOWNLOADERS, { has: 'none', engine });
  swarm.introduce();
  return { swarm, source, others };
}

function copiesSent({ swarm, source }: ReturnType<typeof crowd>): number {
  return source.torrent.sent.total / swarm.memory.content.totalBytes;
}

test('it sends hardly more than one copy before everybody has everything', () => {
  const hidden = crowd(1, true);
  assert.ok(hidden.swarm.runUntilComplete(hidden.others, 5 * MINUTE_MS), hidden.swarm.describe());
  const usual = crowd(1, false);
  assert.ok(usual.swarm.runUntilComplete(usual.others, 5 * MINUTE_MS), usual.swarm.describe());
  const copies = copiesSent(hidden);
  assert.ok(copies >= 1 && copies < 1.05, `${copies} copies`);
  assert.ok(copiesSent(usual) > 1.2, `${copiesSent(usual)} copies`);
});

/** A scripted peer that writes down what it is shown. */
function addViewer(swarm: Swarm, node: SwarmNode, host: string) {
  const shown: number[] = [];
  const said: string[] = [];
  const peerId = Uint8Array.from({ length: 20 }, () => Math.floor(swarm.random() * 256));
  const peer = new WirePeer(swarm, node, { host, peerId });
  peer.script.onHave = (index) => void shown.push(index);
  peer.script.onHaveNone = () => void said.push('none');
  peer.script.onHaveAll = () => void said.push('all');
  peer.script.onAllowedFast = (index) => void said.push(`allowed ${index}`);
  swarm.clock.run(200);
  peer.send(encodeBare(MESSAGE.haveNone));
  swarm.clock.run(1_000);
  return { peer, shown, said };
}

function has(swarm: Swarm, { peer }: ReturnType<typeof addViewer>, piece: number): void {
  peer.send(encodeIndex(MESSAGE.have, piece));
  swarm.clock.run(200);
}

test('a peer is shown two pieces, another two, and a third when one is seen elsewhere', () => {
  const swarm = new Swarm({ seed: 2 });
  const source = swarm.add({ has: 'all', isSuperSeed: true });
  const [one, two] = ['10.8.0.1', '10.9.0.1'].map((host) => addViewer(swarm, source, host));
  assert.ok(one && two);
  assert.deepEqual(one.said, ['none'], 'no piece is allowed fast, either');
  assert.equal(one.shown.length, 2);
  assert.equal(new Set([...one.shown, ...two.shown]).size, 4);
  const [piece = 0] = one.shown;
  has(swarm, one, piece);
  assert.equal(one.shown.length, 2, 'it has not passed it on');
  has(swarm, two, piece);
  assert.equal(one.shown.length, 3);
  assert.equal(two.shown.length, 2);
});

test('a peer that is alone is shown the next piece when it has one', () => {
  const swarm = new Swarm({ seed: 3 });
  const source = swarm.add({ has: 'all', isSuperSeed: true });
  const viewer = addViewer(swarm, source, '10.8.0.1');
  has(swarm, viewer, viewer.shown[0] ?? 0);
  assert.equal(viewer.shown.length, 3);
});

test('what a peer keeps for a minute, or leaves with, is shown to others', () => {
  const swarm = new Swarm({ seed: 4, totalBytes: 4 * 32_768 });
  const source = swarm.add({ has: 'all', isSuperSeed: true });
  const [one, two] = ['10.8.0.1', '10.9.0.1'].map((host) => addViewer(swarm, source, host));
  assert.ok(one && two);
  assert.equal(new Set([...one.shown, ...two.shown]).size, 4, 'nothing is left to show');
  one.peer.connection.close('enough');
  swarm.clock.run(MINUTE_MS + 2_000);
  const three = addViewer(swarm, source, '10.7.0.1');
  assert.ok(three.shown.length + two.shown.length >= 4);
});

test('when others have every piece it is a seed like any other', () => {
  const swarm = new Swarm({ seed: 5, totalBytes: 4 * 32_768 });
  const source = swarm.add({ has: 'all', isSuperSeed: true });
  const [one, two] = ['10.8.0.1', '10.9.0.1'].map((host) => addViewer(swarm, source, host));
  assert.ok(one && two && source.torrent.revealing.isOn);
  for (const piece of [0, 1]) has(swarm, one, piece);
  for (const piece of [2, 3]) has(swarm, two, piece);
  // What was not passed on is waited for no longer than so.
  swarm.clock.run(MINUTE_MS + 1_000);
  assert.ok(!source.torrent.revealing.isOn);
  assert.deepEqual(
    [...new Set(one.shown)].sort((a, b) => a - b),
    [0, 1, 2, 3],
  );
  assert.deepEqual(addViewer(swarm, source, '10.7.0.1').said.slice(0, 1), ['all']);
});

// libtorrent's showed us one piece in ten seconds: it did not know that we had the last.
test('who shows us one piece is told when we have it', () => {
  const swarm = new Swarm({ seed: 7 });
  const node = swarm.add({ has: 'none' });
  const viewer = addViewer(swarm, node, '10.8.0.1');
  has(swarm, viewer, 1);
  swarm.introduce([node, swarm.add({ has: 'all' })]);
  assert.ok(swarm.runUntilComplete([node], MINUTE_MS), swarm.describe());
  assert.ok(viewer.shown.includes(1));
});

test('a torrent that is not complete does not super-seed', () => {
  const swarm = new Swarm({ seed: 6 });
  assert.ok(!swarm.add({ has: (piece) => piece > 0, isSuperSeed: true }).torrent.revealing.isOn);
});
