import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DatagramNetwork,
  type NodeOptions,
  SIM_PORT,
  Swarm,
  type SwarmNode,
  startUtp,
  WirePeer,
} from '../../sim/index.ts';
import { bytesPerSecond } from '../../units/index.ts';
import {
  decodeHolepunch,
  type Endpoint,
  encodeBencode,
  encodeExtended,
  encodeHolepunch,
  encodePex,
  HOLEPUNCH_ERROR,
  type HolepunchKind,
  type HolepunchMessage,
  PEX_FLAG,
} from '../../wire/index.ts';
import {
  type Connection,
  type ConnectionEvents,
  type Dialer,
  type Engine,
  Holepunch,
  PeerExchange,
} from '../index.ts';

const MINUTE_MS = 60_000;
/** Ids our nodes give: behind the metadata extension. */
const OUR_PEX = 2;
const OUR_HOLEPUNCH = 3;
const THEIR_ID = 9;

function classify(host: string): 'public' | 'local' {
  return host.startsWith('10.') || host.startsWith('127.') ? 'local' : 'public';
}

/** A node that speaks both extensions; `lacksHolepunch` leaves out the one under test. */
function addNode(
  swarm: Swarm,
  utpDialer: Dialer,
  options: NodeOptions & { readonly lacksHolepunch?: boolean },
): SwarmNode {
  const ours: { engine: Engine | null } = { engine: null };
  const torrentOf = (key: string) => ours.engine?.torrents.get(key) ?? null;
  const holepunch = new Holepunch({
    torrentOf,
    classify,
    isAble: () => true,
    isOwn: (address) => ours.engine?.own.isAt(address) ?? false,
    punch: (key, address) => ours.engine?.punch(key, address),
  });
  const pex = new PeerExchange({
    torrentOf,
    classify,
    isHolepuncher: (key) => holepunch.isSpokenBy(key),
    onTold: (key, { host, port, flags }) => {
      if (flags & PEX_FLAG.holepunch) holepunch.onTold(key, { host, port });
    },
  });
  const node = swarm.add({
    ...options,
    deps: {
      extensions: options.lacksHolepunch ? [pex] : [pex, holepunch],
      utpDialer,
      onUnreachable: (key, address) => holepunch.onUnreachable(key, address),
      ...options.deps,
    },
  });
  ours.engine = node.engine;
  return node;
}

/** A swarm whose nodes have uTP beside TCP; those behind a router take neither from strangers. */
function routedSwarm(seed: number) {
  const swarm = new Swarm({ seed });
  const datagrams = new DatagramNetwork(swarm.clock, swarm.random);
  const add = (options: NodeOptions & { isBehindNat?: boolean; lacksHolepunch?: boolean }) => {
    const host = `10.0.${swarm.nodes.length}.1`;
    const ours: { engine: Engine | null } = { engine: null };
    const accept = (connection: Connection): ConnectionEvents => {
      assert.ok(ours.engine);
      return ours.engine.accept(connection);
    };
    const node = addNode(swarm, startUtp(datagrams, host, accept).utp, options);
    assert.equal(node.host, host);
    ours.engine = node.engine;
    for (const network of options.isBehindNat ? [swarm.network, datagrams] : []) network.hide(host);
    return node;
  };
  return { swarm, add };
}

test('two peers behind routers meet through one that both know, and the data flows', () => {
  const { swarm, add } = routedSwarm(1);
  const seed = add({ has: 'all', isBehindNat: true });
  const relay = add({ has: 'none', engine: { uploadLimit: bytesPerSecond(1_000) } });
  const leecher = add({ has: 'none', isBehindNat: true });
  seed.torrent.addPeers([relay.address], 'tracker');
  leecher.torrent.addPeers([relay.address], 'tracker');
  assert.ok(swarm.runUntilComplete([leecher], 3 * MINUTE_MS), swarm.describe());
  const [punched] = leecher.torrent.snapshot().peers.filter(({ host }) => host === seed.host);
  assert.ok((punched?.receivedBytes ?? 0) > 900_000, swarm.describe());
  const peers = [...leecher.torrent.peers.values()];
  assert.deepEqual(
    peers.filter(({ connection }) => connection.isUtp).map(({ remoteHost }) => remoteHost),
    [seed.host],
  );
});

test('without a word of the one in the middle they never meet', () => {
  const { swarm, add } = routedSwarm(2);
  const seed = add({ has: 'all', isBehindNat: true });
  const relay = add({ has: 'none', lacksHolepunch: true });
  const leecher = add({ has: 'none', isBehindNat: true });
  seed.torrent.addPeers([relay.address], 'tracker');
  leecher.torrent.addPeers([relay.address], 'tracker');
  const hasMet = swarm.clock.run(3 * MINUTE_MS, () =>
    [...leecher.torrent.peers.values()].some(({ remoteHost }) => remoteHost === seed.host),
  );
  assert.ok(!hasMet);
});

/** A scripted peer that speaks `ut_holepunch`; what it hears is kept. */
interface Talker {
  readonly peer: WirePeer;
  readonly heard: (HolepunchMessage | null)[];
  say(kind: HolepunchKind, target: Endpoint, error?: number): void;
}

function addTalker(
  swarm: Swarm,
  node: SwarmNode,
  options: { readonly host: string; readonly listens?: number; readonly isMute?: boolean },
): Talker {
  const heard: (HolepunchMessage | null)[] = [];
  const peerId = Uint8Array.from({ length: 20 }, () => Math.floor(swarm.random() * 256));
  const peer = new WirePeer(swarm, node, { host: options.host, flags: { extended: true }, peerId });
  peer.script.onExtended = (id, payload) => {
    if (id === THEIR_ID) heard.push(decodeHolepunch(payload));
  };
  swarm.clock.run(100);
  const m = options.isMute ? {} : { ut_holepunch: THEIR_ID };
  peer.send(encodeExtended(0, encodeBencode({ m, p: options.listens ?? 6882 })));
  swarm.clock.run(100);
  const say: Talker['say'] = (kind, target, error = 0) => {
    peer.send(encodeExtended(OUR_HOLEPUNCH, encodeHolepunch({ kind, target, error })));
    swarm.clock.run(100);
  };
  return { peer, heard, say };
}

/** A node whose uTP dials are only written down. */
function addWitness(swarm: Swarm): { node: SwarmNode; dialled: string[] } {
  const dialled: string[] = [];
  const utpDialer: Dialer = {
    connect: (host, port, events) => {
      dialled.push(`${host} ${port}`);
      return swarm.network.dialerOf('10.0.0.1').connect(host, port, events);
    },
  };
  return { node: addNode(swarm, utpDialer, { has: 'none' }), dialled };
}

test('the one in the middle tells each of the other, by where it listens', () => {
  const swarm = new Swarm({ seed: 3 });
  const { node } = addWitness(swarm);
  const asker = addTalker(swarm, node, { host: '8.0.0.1', listens: 1111 });
  const target = addTalker(swarm, node, { host: '8.0.0.2', listens: 2222 });
  asker.say('rendezvous', { host: '8.0.0.2', port: 2222 });
  const connect = { kind: 'connect', error: 0 };
  assert.deepEqual(asker.heard, [{ ...connect, target: { host: '8.0.0.2', port: 2222 } }]);
  assert.deepEqual(target.heard, [{ ...connect, target: { host: '8.0.0.1', port: 1111 } }]);
});

test('a rendezvous that cannot be says why, and names the target as it was asked for', () => {
  const swarm = new Swarm({ seed: 4 });
  const { node } = addWitness(swarm);
  node.engine.own.learn('8.0.0.9');
  const asker = addTalker(swarm, node, { host: '8.0.0.1', listens: 1111 });
  addTalker(swarm, node, { host: '8.0.0.2', listens: 2222, isMute: true });
  addTalker(swarm, node, { host: '10.9.0.3', listens: 3333 });
  const cases: readonly (readonly [Endpoint, number])[] = [
    [{ host: '8.0.0.2', port: 0 }, HOLEPUNCH_ERROR.noSuchPeer],
    [{ host: '8.0.0.7', port: 7 }, HOLEPUNCH_ERROR.notConnected],
    [{ host: '8.0.0.2', port: 2222 }, HOLEPUNCH_ERROR.noSupport],
    [{ host: '8.0.0.9', port: SIM_PORT }, HOLEPUNCH_ERROR.noSelf],
    [{ host: '8.0.0.1', port: 1111 }, HOLEPUNCH_ERROR.noSelf],
    // Strangers do not learn who is in our network.
    [{ host: '10.9.0.3', port: 3333 }, HOLEPUNCH_ERROR.noSuchPeer],
  ];
  for (const [target] of cases) asker.say('rendezvous', target);
  const expected = cases.map(([target, error]) => ({ kind: 'error', target, error }));
  assert.deepEqual(asker.heard, expected);
});

test('nobody gets us to dial where he could not himself', () => {
  const swarm = new Swarm({ seed: 5 });
  const { node, dialled } = addWitness(swarm);
  const stranger = addTalker(swarm, node, { host: '8.0.0.1' });
  stranger.say('connect', { host: '10.0.0.7', port: 80 });
  stranger.say('connect', { host: '127.0.0.1', port: 8080 });
  stranger.say('connect', { host: '8.0.0.7', port: 0 });
  stranger.say('connect', { host: '8.0.0.7', port: 7 });
  assert.deepEqual(dialled, ['8.0.0.7 7']);
  const neighbour = addTalker(swarm, node, { host: '10.9.0.2' });
  neighbour.say('connect', { host: '127.0.0.1', port: 8080 });
  neighbour.say('connect', { host: '10.9.0.7', port: 7 });
  assert.deepEqual(dialled.slice(1), ['10.9.0.7 7']);
  const self = addTalker(swarm, node, { host: '127.0.0.1' });
  self.say('connect', { host: '127.0.0.1', port: 7 });
  assert.deepEqual(dialled.slice(2), ['127.0.0.1 7']);
});

test('of one peer twenty connects a minute are followed, and a flood ends it', () => {
  const swarm = new Swarm({ seed: 6 });
  const { node, dialled } = addWitness(swarm);
  const relay = addTalker(swarm, node, { host: '8.0.0.1' });
  const say = (from: number, count: number): void => {
    for (let nth = from; nth < from + count; nth++) {
      relay.say('connect', { host: `8.1.0.${nth}`, port: 7 });
    }
  };
  say(0, 30);
  assert.equal(dialled.length, 20);
  swarm.clock.run(MINUTE_MS);
  say(30, 10);
  assert.equal(dialled.length, 30);
  say(40, 120);
  assert.match(relay.peer.closed ?? '', /hung up/);
});

test('of one peer twenty rendezvous a minute are served', () => {
  const swarm = new Swarm({ seed: 7 });
  const { node } = addWitness(swarm);
  const asker = addTalker(swarm, node, { host: '8.0.0.1' });
  for (let nth = 0; nth < 30; nth++) asker.say('rendezvous', { host: '8.0.0.7', port: 7 });
  assert.equal(asker.heard.length, 20);
});

test('a peer is told to dial twenty others a minute, however many ask for it', () => {
  const swarm = new Swarm({ seed: 8 });
  const { node } = addWitness(swarm);
  const target = addTalker(swarm, node, { host: '8.0.0.2', listens: 2222 });
  for (const asking of ['8.0.1.1', '8.0.1.2']) {
    const asker = addTalker(swarm, node, { host: asking });
    for (let nth = 0; nth < 15; nth++) asker.say('rendezvous', { host: '8.0.0.2', port: 2222 });
  }
  assert.equal(target.heard.length, 20);
});

test('in a private torrent it is not offered, and nobody is dialled on the word of a peer', () => {
  const swarm = new Swarm({ seed: 9 });
  Object.assign(swarm.memory.content, { isPrivate: true });
  const { node, dialled } = addWitness(swarm);
  const hellos: string[] = [];
  const relay = new WirePeer(swarm, node, { host: '8.0.0.1', flags: { extended: true } });
  relay.script.onExtended = (id, payload) => {
    if (id === 0) hellos.push(Buffer.from(payload).toString('latin1'));
  };
  swarm.clock.run(1_000);
  const connect = { kind: 'connect', target: { host: '8.0.0.7', port: 7 }, error: 0 } as const;
  relay.send(encodeExtended(OUR_HOLEPUNCH, encodeHolepunch(connect)));
  swarm.clock.run(1_000);
  assert.ok(hellos.length > 0 && hellos.every((hello) => !hello.includes('ut_holepunch')));
  assert.deepEqual(dialled, []);
});

test('who told of a peer that cannot be reached is asked; when it cannot help, another is', () => {
  const swarm = new Swarm({ seed: 10 });
  const { node } = addWitness(swarm);
  const relays = ['8.0.0.1', '8.0.0.2'].map((host) => addTalker(swarm, node, { host }));
  const target = { host: '8.0.0.7', port: 7 };
  for (const { peer } of relays) {
    const added = [{ ...target, flags: PEX_FLAG.holepunch }];
    peer.send(encodeExtended(OUR_PEX, encodePex({ added, dropped: [] })));
  }
  swarm.clock.run(1_000);
  const heard = (): number[] => relays.map((relay) => relay.heard.length);
  assert.deepEqual(heard(), [1, 0]);
  assert.deepEqual(relays[0]?.heard, [{ kind: 'rendezvous', target, error: 0 }]);
  relays[0]?.say('error', target, HOLEPUNCH_ERROR.notConnected);
  assert.deepEqual(heard(), [1, 1]);
  relays[1]?.say('error', target, HOLEPUNCH_ERROR.notConnected);
  swarm.clock.run(MINUTE_MS);
  assert.deepEqual(heard(), [1, 1], 'nobody is asked twice');
});
