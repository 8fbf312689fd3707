/** How much of an engine one address can take: of its connections, and of a torrent's peers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Swarm, type SwarmNode, WirePeer } from '../sim/index.ts';
import { instant } from '../units/index.ts';
import { Connections } from './connections.ts';
import type { Connection } from './ports.ts';

const ATTACKER = '80.4.4.7';
/** Of all connections, and of a torrent's peers: what one address may have. */
const [CONNECTIONS, PEERS] = [50, 10];

const idOf = (nth: number): Uint8Array => new Uint8Array(20).fill(nth);

/** Peers with names of their own dial `node`, the nth from `hostOf(nth)`. */
function dial(swarm: Swarm, node: SwarmNode, count: number, hostOf: (nth: number) => string) {
  return Array.from({ length: count }, (_, nth) => {
    const peerId = idOf(node.torrent.peers.size + nth);
    return new WirePeer(swarm, node, { host: hostOf(nth), peerId });
  });
}

function open(peers: readonly WirePeer[]): readonly WirePeer[] {
  return peers.filter((peer) => peer.closed === null);
}

test('one address has ten places in a torrent; all others are free', () => {
  const swarm = new Swarm({ seed: 7 });
  const node = swarm.add({ has: 'all' });
  const greedy = dial(swarm, node, 40, () => ATTACKER);
  swarm.clock.run(1_000);
  assert.equal(open(greedy).length, PEERS);
  const [last] = dial(swarm, node, 1, () => '80.4.4.8');
  greedy[0]?.connection.close('enough');
  swarm.clock.run(1_000);
  assert.equal(last?.closed, null);
  const next = new WirePeer(swarm, node, { host: ATTACKER, peerId: idOf(77) });
  swarm.clock.run(1_000);
  assert.equal(next.closed, null, 'a place that was given up can be had');
});

test('of IPv6 all addresses of a /64 are one; the next /64 is another', () => {
  const swarm = new Swarm({ seed: 7 });
  const node = swarm.add({ has: 'all' });
  const one = dial(swarm, node, 30, (nth) => `2a00:1:2:3:${nth + 1}::9`);
  swarm.clock.run(1_000);
  assert.equal(open(one).length, PEERS);
  const many = dial(swarm, node, 30, (nth) => `2a00:1:2:${nth + 4}::9`);
  swarm.clock.run(1_000);
  assert.equal(open(many).length, 30);
});

test('neighbours, and all the world behind the router of a container, are not counted', () => {
  for (const host of ['127.0.0.1', '::1', '172.17.0.1', '100.64.0.1', 'fe80::1']) {
    const swarm = new Swarm({ seed: 7 });
    const node = swarm.add({ has: 'all' });
    const peers = dial(swarm, node, 80, () => host);
    swarm.clock.run(1_000);
    assert.equal(open(peers).length, 80, host);
  }
});

test('one address has fifty connections that say nothing, and its next one takes their place', () => {
  const swarm = new Swarm({ seed: 7 });
  const node = swarm.add({ has: 'all' });
  const silent = Array.from({ length: 200 }, () => new WirePeer(swarm, node, { host: ATTACKER }));
  for (const peer of silent) peer.onOpen = () => {};
  swarm.clock.run(1_000);
  assert.equal(open(silent).length, CONNECTIONS);
  const user = new WirePeer(swarm, node, { host: ATTACKER, peerId: idOf(9) });
  swarm.clock.run(1_000);
  assert.equal(user.closed, null, 'a user behind the same address');
  assert.equal(open(silent).length, CONNECTIONS - 1);
  swarm.clock.run(15_000);
  assert.equal(open(silent).length, 0);
  const again = dial(swarm, node, 5, () => ATTACKER);
  swarm.clock.run(1_000);
  assert.equal(open(again).length, 5, 'what is over is counted no more');
});

test('an address that is told of with many ports is dialled ten times, not more', () => {
  const swarm = new Swarm({ seed: 7 });
  const node = swarm.add({ has: 'none' });
  const met: WirePeer[] = [];
  const ports = Array.from({ length: 60 }, (_, nth) => 1_000 + nth);
  for (const port of ports) {
    swarm.network.listen(ATTACKER, port, (connection) => {
      const peer = new WirePeer(swarm, connection, { peerId: idOf(met.length) });
      met.push(peer);
      return peer;
    });
  }
  node.torrent.addPeers(
    ports.map((port) => ({ host: ATTACKER, port })),
    'tracker',
  );
  swarm.clock.run(5_000);
  assert.equal(met.length, PEERS);
  met[0]?.connection.close('enough');
  swarm.clock.run(90_000);
  assert.equal(open(met).length, PEERS, 'another one takes the place that is free');
});

test('what we dial counts as what comes in, over all torrents', () => {
  const connections = new Connections({ max: 500, placeOf: (host) => host });
  const to = (remoteHost: string): Connection => ({
    ...{ remoteHost, remotePort: 1, isOutbound: true, queuedBytes: 0 },
    write: () => {},
    pauseReading: () => {},
    resumeReading: () => {},
    close: () => {},
  });
  const dialled = Array.from({ length: CONNECTIONS }, () => to(ATTACKER));
  for (const one of dialled) connections.add(one, instant(0));
  assert.deepEqual(
    [connections.hasRoom(ATTACKER), connections.makeRoom(ATTACKER), connections.hasRoom('other')],
    [false, false, true],
  );
  for (const one of dialled.slice(0, 1)) connections.remove(one);
  assert.equal(connections.hasRoom(ATTACKER), true);
});
