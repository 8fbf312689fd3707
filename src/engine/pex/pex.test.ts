import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Swarm, type SwarmNode, WirePeer } from '../../sim/index.ts';
import { Bitfield, bytesPerSecond, instant } from '../../units/index.ts';
import {
  decodePex,
  encodeBencode,
  encodeExtended,
  encodePex,
  PEX_FLAG,
  type PexPeer,
} from '../../wire/index.ts';
import { DialWays } from '../dial-ways.ts';
import { type Engine, PeerExchange } from '../index.ts';
import { PeerBook } from '../peer-book.ts';

const MINUTE_MS = 60_000;
/** The id our node gives `ut_pex`: behind the metadata extension. */
const OUR_ID = 2;
const THEIR_ID = 7;

/** A scripted peer that speaks `ut_pex`; what it hears is kept. */
function addTalker(
  swarm: Swarm,
  node: SwarmNode,
  host = '10.9.9.9',
): WirePeer & { heard: Uint8Array[]; hellos: string[] } {
  const heard: Uint8Array[] = [];
  const hellos: string[] = [];
  const talker = Object.assign(new WirePeer(swarm, node, { host, flags: { extended: true } }), {
    ...{ heard, hellos },
  });
  talker.script.onExtended = (id, payload) => {
    if (id === THEIR_ID) heard.push(payload.slice());
    if (id === 0) hellos.push(Buffer.from(payload).toString('latin1'));
  };
  swarm.clock.run(100);
  talker.send(encodeExtended(0, encodeBencode({ m: { ut_pex: THEIR_ID } })));
  return talker;
}

function tell(talker: WirePeer, added: readonly PexPeer[]): void {
  talker.send(encodeExtended(OUR_ID, encodePex({ added, dropped: [] })));
}

const strangers = (count: number): PexPeer[] =>
  Array.from({ length: count }, (_, nth) => ({
    host: `10.7.${nth >> 8}.${nth & 255}`,
    port: 1,
    flags: 0,
  }));

test('a peer that nobody but a peer knows is found, and the download comes from it', () => {
  const swarm = new Swarm({ seed: 1 });
  const seed = swarm.add({ hasPex: true, has: 'all' });
  // It has nothing itself, and is known to both.
  const middle = swarm.add({ hasPex: true, has: 'none' });
  const leecher = swarm.add({ hasPex: true, has: 'none' });
  middle.torrent.addPeers([seed.address], 'tracker');
  leecher.torrent.addPeers([middle.address], 'tracker');
  const hasMet = swarm.clock.run(2 * MINUTE_MS, () =>
    [...leecher.torrent.peers.values()].some((peer) => peer.remoteHost === seed.host),
  );
  assert.ok(hasMet, swarm.describe());
  assert.ok(swarm.runUntilComplete([leecher, middle], MINUTE_MS), swarm.describe());
});

test('a peer that came to us is told of by the port where it listens', () => {
  const swarm = new Swarm({ seed: 2 });
  const middle = swarm.add({ hasPex: true, has: 'none' });
  const inbound = swarm.add({ hasPex: true, has: 'none' });
  inbound.torrent.addPeers([middle.address], 'tracker');
  swarm.clock.run(1_000);
  const talker = addTalker(swarm, middle);
  swarm.clock.run(1_000);
  assert.deepEqual(talker.heard.map(decodePex), [
    { added: [{ ...inbound.address, flags: 0 }], dropped: [] },
  ]);
});

/** It looked for somebody to tell of once a minute: who came a second later was told of late. */
test('who has told nobody yet tells of the first that comes, within seconds', () => {
  const swarm = new Swarm({ seed: 30 });
  const middle = swarm.add({ hasPex: true, has: 'none' });
  const other = swarm.add({ hasPex: true, has: 'none' });
  const talker = addTalker(swarm, middle);
  swarm.clock.run(10_000);
  middle.torrent.addPeers([other.address], 'tracker');
  swarm.clock.run(8_000);
  const [first] = talker.heard.map(decodePex);
  assert.deepEqual(
    first?.added.map(({ host, port }) => ({ host, port })),
    [other.address],
  );
});

test('a peer that left is dropped, once, a minute after the last message', () => {
  const swarm = new Swarm({ seed: 3 });
  const middle = swarm.add({ hasPex: true, has: 'none' });
  const other = swarm.add({ hasPex: true, has: 'none' });
  middle.torrent.addPeers([other.address], 'tracker');
  swarm.clock.run(1_000);
  const talker = addTalker(swarm, middle);
  swarm.clock.run(1_000);
  other.crash();
  swarm.clock.run(MINUTE_MS / 2);
  assert.equal(talker.heard.length, 1);
  swarm.clock.run(3 * MINUTE_MS);
  assert.deepEqual(talker.heard.slice(1).map(decodePex), [{ added: [], dropped: [other.address] }]);
});

test('of a private torrent nothing is offered, told or believed (BEP 27)', () => {
  const swarm = new Swarm({ seed: 4 });
  Object.assign(swarm.memory.content, { isPrivate: true });
  const middle = swarm.add({ hasPex: true, has: 'none' });
  const other = swarm.add({ hasPex: true, has: 'none' });
  middle.torrent.addPeers([other.address], 'tracker');
  const talker = addTalker(swarm, middle);
  tell(talker, strangers(1));
  swarm.clock.run(2 * MINUTE_MS);
  assert.deepEqual(talker.heard, []);
  assert.equal(talker.hellos.length, 1);
  assert.doesNotMatch(`${talker.hellos}`, /ut_pex/);
  assert.equal(middle.torrent.book.size, 1, 'the tracker named one');
});

test('a private torrent is private before its files are checked', () => {
  const swarm = new Swarm({ seed: 8 });
  const node = swarm.add({ hasPex: true, has: 'none', isMagnet: true });
  node.torrent.keepPrivate();
  const talker = addTalker(swarm, node);
  tell(talker, strangers(1));
  swarm.clock.run(MINUTE_MS);
  assert.equal(talker.hellos.length, 1);
  assert.doesNotMatch(`${talker.hellos}`, /ut_pex/);
  assert.equal(node.torrent.book.size, 0);
});

test('what peers told is forgotten when a magnet turns out to be private', () => {
  const swarm = new Swarm({ seed: 5 });
  Object.assign(swarm.memory.content, { isPrivate: true });
  const magnet = swarm.add({ hasPex: true, has: 'none', isMagnet: true });
  magnet.torrent.addPeers(strangers(3), 'pex');
  magnet.torrent.addPeers([{ host: '10.8.0.1', port: 1 }], 'tracker');
  magnet.torrent.begin(swarm.memory.content, new Bitfield(swarm.pieceCount), magnet.store);
  assert.equal(magnet.torrent.book.size, 1);
});

test('one peer adds 200 addresses a message and 500 in all, however much it says', () => {
  const swarm = new Swarm({ seed: 6 });
  const node = swarm.add({ hasPex: true, has: 'none', engine: { connectionsMax: 2 } });
  const talker = addTalker(swarm, node);
  const all = strangers(2_000);
  for (let start = 0; start < all.length; start += 400) {
    tell(talker, all.slice(start, start + 400));
    swarm.clock.run(MINUTE_MS);
    assert.ok(node.torrent.book.size <= 200 * (start / 400 + 1));
  }
  assert.ok(node.torrent.book.size <= 500, `${node.torrent.book.size}`);
});

test('messages that come too often are not read, and a flood of them ends the connection', () => {
  const swarm = new Swarm({ seed: 7 });
  const node = swarm.add({ hasPex: true, has: 'none', engine: { connectionsMax: 2 } });
  const talker = addTalker(swarm, node);
  for (const stranger of strangers(40)) tell(talker, [stranger]);
  swarm.clock.run(1_000);
  assert.equal(node.torrent.book.size, 4);
  assert.equal(talker.closed, null);
  for (const stranger of strangers(20)) tell(talker, [stranger]);
  swarm.clock.run(1_000);
  assert.notEqual(talker.closed, null);
});

test('many ports of one host count once', () => {
  const swarm = new Swarm({ seed: 8 });
  const node = swarm.add({ hasPex: true, has: 'none', engine: { connectionsMax: 2 } });
  const talker = addTalker(swarm, node);
  tell(
    talker,
    Array.from({ length: 100 }, (_, nth) => ({ host: '10.7.0.1', port: nth + 1, flags: 0 })),
  );
  swarm.clock.run(1_000);
  assert.equal(node.torrent.book.size, 1);
});

test('a stranger is not believed about addresses of our own network, nor told of them', () => {
  const swarm = new Swarm({ seed: 9 });
  const node = swarm.add({ hasPex: true, has: 'none', engine: { connectionsMax: 3 } });
  const local = swarm.add({ hasPex: true, has: 'none' });
  node.torrent.addPeers([local.address], 'tracker');
  swarm.clock.run(1_000);
  const talker = addTalker(swarm, node, '203.0.114.1');
  tell(talker, [...strangers(3), { host: '203.0.114.2', port: 1, flags: 0 }]);
  swarm.clock.run(2_000);
  assert.equal(node.torrent.book.size, 2);
  assert.deepEqual(talker.heard, []);
});

test('what a contact can do is told with it: encrypted, a seed, uTP, able to be met, reachable', () => {
  const swarm = new Swarm({ seed: 10 });
  const engine: { current: Engine | null } = { current: null };
  const pex = new PeerExchange({
    torrentOf: (key) => engine.current?.torrents.get(key) ?? null,
    classify: () => 'local',
    isHolepuncher: () => true,
  });
  const utp = swarm.network.dialerOf('10.0.0.1');
  const middle = swarm.add({
    has: 'none',
    deps: {
      extensions: [pex],
      dialer: {
        connect: (...to) => Object.assign(utp.connect(...to), { isUtp: true, isEncrypted: true }),
      },
    },
  });
  engine.current = middle.engine;
  const seed = swarm.add({ has: 'all', engine: { uploadLimit: bytesPerSecond(1) } });
  middle.torrent.addPeers([seed.address], 'tracker');
  swarm.clock.run(1_000);
  const talker = addTalker(swarm, middle);
  swarm.clock.run(1_000);
  const { prefersEncryption, seed: isSeed, utp: isUtp, holepunch, reachable } = PEX_FLAG;
  const flags = prefersEncryption | isSeed | isUtp | holepunch | reachable;
  assert.deepEqual(talker.heard.map(decodePex), [
    { added: [{ ...seed.address, flags }], dropped: [] },
  ]);
});

test('of those it is told of, one that can be reached is dialled before one that perhaps cannot', () => {
  const book = new PeerBook();
  book.add({ host: '10.7.0.1', port: 1, isReachable: false }, 'pex');
  book.add({ host: '10.7.0.2', port: 1, isReachable: true }, 'pex');
  book.add({ host: '10.7.0.3', port: 1 }, 'tracker');
  const hosts = [1, 2, 3].map(() => book.next(instant(0))?.host);
  assert.deepEqual(hosts, ['10.7.0.3', '10.7.0.2', '10.7.0.1']);
});

test('one that is said to want encryption is dialled encrypted, until we know better', () => {
  const ways = new DialWays(['plain', 'encrypted']);
  const told = { host: '10.7.0.1', port: 1, wantsEncryption: true };
  assert.equal(ways.next(told), 'encrypted');
  assert.ok(ways.onCutOff(told, 'encrypted'));
  assert.equal(ways.next(told), 'plain');
  assert.equal(new DialWays(['plain']).next(told), 'plain', 'not where it is switched off');
});

test('a neighbour is not believed about this machine', () => {
  const swarm = new Swarm({ seed: 11 });
  const engine: { current: Engine | null } = { current: null };
  const pex = new PeerExchange({
    torrentOf: (key) => engine.current?.torrents.get(key) ?? null,
    classify: () => 'local',
  });
  const node = swarm.add({ has: 'none', deps: { extensions: [pex] } });
  engine.current = node.engine;
  tell(addTalker(swarm, node), [{ host: '127.0.0.1', port: 80, flags: 0 }, ...strangers(1)]);
  swarm.clock.run(100);
  assert.equal(node.torrent.book.size, 1);
});
