/** A network of real DHT nodes, with delay and loss, that replays from its seed. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha1 } from '@noble/hashes/legacy.js';
import { Dht, type DhtOptions, type DhtPorts } from '../discovery/index.ts';
import { assert, type Instant, type Random, randomInt, seededRandom } from '../units/index.ts';
import { type Endpoint, type Family, parseIp, secureNodeId } from '../wire/index.ts';
import { DatagramNetwork } from './datagram-network.ts';
import { VirtualClock } from './virtual-clock.ts';
import { SIM_PORT } from './virtual-host.ts';

/** How the network behaves. */
export interface DhtNetworkOptions {
  readonly seed: number;
  /** Of all datagrams, 0 to 1. */
  readonly lossRatio?: number;
  /** Shared with others; else one of its own. */
  readonly clock?: VirtualClock;
}

/** A node of the network. */
export interface DhtNode {
  readonly dht: Dht;
  readonly endpoint: Endpoint;
  isUp: boolean;
}

/** How a node is added. */
export interface DhtNodeOptions extends Partial<DhtOptions> {
  readonly host?: string;
  /** An id that does not go with the address. */
  readonly isInsecure?: boolean;
}

const TICK_MS = 250;

/** Nodes that know hardly anybody try again so often, as the program does. */
const REJOIN_MS = 5_000;

/** See the head of this file. */
export class DhtNetwork {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly datagrams: DatagramNetwork;
  readonly nodes: DhtNode[] = [];

  constructor({ seed, lossRatio = 0, clock = new VirtualClock() }: DhtNetworkOptions) {
    this.clock = clock;
    this.random = seededRandom(seed);
    const way = { latencyMs: 20, jitterMs: 130, loss: lossRatio, bytesPerSecond: Infinity };
    this.datagrams = new DatagramNetwork(clock, this.random, way);
    this.#rejoin();
  }

  get now(): Instant {
    return this.clock.now;
  }

  /** A public address of its own /24. */
  hostAt(index: number): string {
    return `${20 + (index >> 16)}.${(index >> 8) & 0xff}.${index & 0xff}.7`;
  }

  add(options: DhtNodeOptions = {}): DhtNode {
    const host = options.host ?? this.hostAt(this.nodes.length);
    const endpoint = { host, port: SIM_PORT };
    const ip = parseIp(host);
    assert(ip, host);
    const family: Family = ip.length === 4 ? 4 : 6;
    const random = seededRandom(Math.floor(this.random() * 2 ** 32));
    const localId = secureNodeId(options.isInsecure ? Uint8Array.of(9, 9, 9, 9) : ip, random);
    const ports: DhtPorts = {
      ...{ random, sha1, verify: (sig, message, key) => ed25519.verify(sig, message, key) },
      send: (packet, to) => this.datagrams.send({ packet, from: endpoint, to }),
    };
    const saved = [{ family, localId, contacts: [] }];
    const all = { families: [family], saved, isReadOnly: false, ...options };
    const node = { dht: new Dht(ports, all, this.now), endpoint, isUp: true };
    this.nodes.push(node);
    this.datagrams.attach(host, (packet, from) => {
      if (node.isUp) node.dht.onPacket(packet, from, this.now);
    });
    const tick = (): void => {
      if (node.isUp) node.dht.tick(this.now);
      this.clock.after(TICK_MS, tick);
    };
    this.clock.after(random() * TICK_MS, tick);
    return node;
  }

  /** Somebody who is there, at random. */
  pick(): DhtNode {
    const up = this.nodes.filter(({ isUp }) => isUp);
    const node = up[randomInt(this.random, up.length)];
    assert(node, 'somebody is there');
    return node;
  }

  /** Adds so many nodes, a few at a time, each knowing some node that is there already. */
  grow(count: number, setup: (index: number) => DhtNodeOptions = () => ({})): void {
    for (let index = 0; index < count; index++) {
      const entrance = this.nodes.length > 0 ? this.pick() : null;
      const node = this.add(setup(index));
      if (entrance) node.dht.bootstrap([entrance.endpoint]);
      this.clock.run(20);
    }
  }

  #rejoin(): void {
    for (const { dht, isUp } of this.nodes) {
      if (isUp && this.nodes.length > 1 && dht.lonely.length > 0) {
        dht.bootstrap([this.pick().endpoint]);
      }
    }
    this.clock.after(REJOIN_MS, () => this.#rejoin());
  }
}
