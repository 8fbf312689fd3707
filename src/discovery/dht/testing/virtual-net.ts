/** A network of DHT nodes in memory, with delay and loss, that replays from its seed. */
import { createHash } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import {
  assert,
  type Instant,
  instant,
  type Random,
  randomInt,
  seededRandom,
} from '../../../units/index.ts';
import { type Endpoint, type Family, parseIp, secureNodeId } from '../../../wire/index.ts';
import { Dht, type DhtOptions, type DhtPorts } from '../index.ts';

/** SHA-1 for tests. */
export const sha1 = (view: Uint8Array): Uint8Array =>
  Uint8Array.from(createHash('sha1').update(view).digest());

/** How the network behaves. */
export interface NetOptions {
  readonly seed: number;
  /** Of all datagrams, 0 to 1. */
  readonly lossRatio?: number;
}

/** A datagram on its way. */
export interface Datagram {
  readonly packet: Uint8Array;
  readonly from: Endpoint;
  readonly to: Endpoint;
}

/** A node of the network. */
export interface NetNode {
  readonly dht: Dht;
  readonly endpoint: Endpoint;
  isUp: boolean;
}

/** How a node is added. */
export interface NodeSetup extends Partial<DhtOptions> {
  readonly host?: string;
  /** An id that does not go with the address. */
  readonly isInsecure?: boolean;
}

const TICK_MS = 250;

/** Nodes that know hardly anybody try again so often, as the program does. */
const REJOIN_MS = 5_000;

/** See the head of this file. */
export class VirtualNet {
  readonly nodes: NetNode[] = [];
  readonly random: Random;
  /** Watches every datagram sent. */
  onSend: ((datagram: Datagram) => void) | null = null;
  readonly #lossRatio: number;
  readonly #byHost = new Map<string, NetNode>();
  readonly #queue = new Map<number, Datagram[]>();
  #now = 0;

  constructor({ seed, lossRatio = 0 }: NetOptions) {
    this.random = seededRandom(seed);
    this.#lossRatio = lossRatio;
  }

  get now(): Instant {
    return instant(this.#now);
  }

  /** A public address of its own /24. */
  hostAt(index: number): string {
    return `${20 + (index >> 16)}.${(index >> 8) & 0xff}.${index & 0xff}.7`;
  }

  add(setup: NodeSetup = {}): NetNode {
    const host = setup.host ?? this.hostAt(this.nodes.length);
    const endpoint = { host, port: 6881 };
    const ip = parseIp(host);
    assert(ip, host);
    const family: Family = ip.length === 4 ? 4 : 6;
    const random = seededRandom(Math.floor(this.random() * 2 ** 32));
    const localId = secureNodeId(setup.isInsecure ? Uint8Array.of(9, 9, 9, 9) : ip, random);
    const ports: DhtPorts = {
      ...{ random, sha1, verify: (sig, message, key) => ed25519.verify(sig, message, key) },
      send: (packet, to) => this.send({ packet, from: endpoint, to }),
    };
    const saved = [{ family, localId, contacts: [] }];
    const options = { families: [family], saved, isReadOnly: false, ...setup };
    const node = { dht: new Dht(ports, options, this.now), endpoint, isUp: true };
    this.nodes.push(node);
    this.#byHost.set(host, node);
    return node;
  }

  /** Puts a datagram on its way; also for forged ones. */
  send(datagram: Datagram): void {
    this.onSend?.(datagram);
    if (this.random() < this.#lossRatio) return;
    const at = this.#now + 20 + Math.floor(this.random() * 130);
    const due = this.#queue.get(at);
    if (due) due.push(datagram);
    else this.#queue.set(at, [datagram]);
  }

  /** Lets so much time pass. */
  run(durationMs: number): void {
    for (const end = this.#now + durationMs; this.#now < end; ) {
      this.#now++;
      for (const { packet, from, to } of this.#queue.get(this.#now) ?? []) {
        const node = this.#byHost.get(to.host);
        if (node?.isUp) node.dht.onPacket(packet, from, this.now);
      }
      this.#queue.delete(this.#now);
      const phase = this.#now % TICK_MS;
      for (let at = phase; at < this.nodes.length; at += TICK_MS) {
        const node = this.nodes[at];
        if (node?.isUp) node.dht.tick(this.now);
      }
      if (this.#now % REJOIN_MS === 0) this.#rejoin();
    }
  }

  /** Runs until `isDone`, at most so long. */
  runUntil(isDone: () => boolean, durationMsMax: number): void {
    for (const end = this.#now + durationMsMax; this.#now < end && !isDone(); ) this.run(50);
  }

  /** Somebody who is there, at random. */
  pick(): NetNode {
    const up = this.nodes.filter(({ isUp }) => isUp);
    const node = up[randomInt(this.random, up.length)];
    assert(node, 'somebody is there');
    return node;
  }

  #rejoin(): void {
    for (const { dht, isUp } of this.nodes) {
      if (isUp && this.nodes.length > 1 && dht.lonely.length > 0) {
        dht.bootstrap([this.pick().endpoint]);
      }
    }
  }

  /** Adds so many nodes, a few at a time, each knowing some node that is there already. */
  grow(count: number, setup: (index: number) => NodeSetup = () => ({})): void {
    for (let index = 0; index < count; index++) {
      const entrance = this.nodes.length > 0 ? this.pick() : null;
      const node = this.add(setup(index));
      if (entrance) node.dht.bootstrap([entrance.endpoint]);
      this.run(20);
    }
  }
}
