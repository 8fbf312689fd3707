import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Swarm, type SwarmNode, WirePeer } from '../sim/index.ts';
import { encodePort, PeerFramer } from '../wire/index.ts';
import type { PeerAddress } from './peer-book.ts';

function meet(dhtPort: number, dht: boolean) {
  const swarm = new Swarm({ seed: 7 });
  const told: PeerAddress[] = [];
  const deps = { onDhtNode: (address: PeerAddress) => told.push(address) };
  const node: SwarmNode = swarm.add({ has: 'all', deps });
  node.engine.dhtPort = dhtPort;
  const ports: number[] = [];
  const peer = new WirePeer(swarm, node, { host: '10.9.9.9', flags: { dht } });
  Object.assign(peer.script, { onPort: (port: number) => ports.push(port) });
  assert.ok(swarm.clock.run(2_000, () => peer.isShaken));
  swarm.clock.run(200);
  return { swarm, peer, told, ports };
}

test('a peer with a DHT node is told the port of ours (BEP 5)', () => {
  assert.deepEqual(meet(7001, true).ports, [7001]);
});

test('a peer without a DHT node is told no port, and nobody is when we have none', () => {
  assert.deepEqual(meet(7001, false).ports, []);
  assert.deepEqual(meet(0, true).ports, []);
});

test('the node of a peer that tells its port is made known, once', () => {
  const { swarm, peer, told } = meet(7001, true);
  peer.send(encodePort(7002), encodePort(7003), encodePort(0));
  swarm.clock.run(200);
  assert.deepEqual(told, [{ host: '10.9.9.9', port: 7002 }]);
});

test('a port message of another length ends the connection', () => {
  const framer = new PeerFramer({} as ConstructorParameters<typeof PeerFramer>[0]);
  assert.throws(() => framer.push(Uint8Array.of(0, 0, 0, 2, 9, 1)), { code: 'WIRE_MESSAGE' });
});
