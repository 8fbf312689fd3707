/** A swarm on a virtual network: what happens in it depends on its seed alone. */
import { type Random, randomInt, seededRandom, shuffle } from '../units/index.ts';
import { type NodeOptions, SIM_PORT, SimNode } from './sim-node.ts';
import { type Manner, Stranger } from './stranger.ts';
import { makeTorrentData, type TorrentData } from './torrent-data.ts';
import { VirtualClock } from './virtual-clock.ts';
import { type PathOptions, VirtualNetwork } from './virtual-network.ts';

/** What a world is made of; all but the seed has a default. */
export interface WorldOptions {
  readonly seed: number;
  readonly pieceLengthBytes?: number;
  readonly totalBytes?: number;
  readonly path?: Partial<PathOptions>;
}

/** The swarm of one torrent, and those that come to it. */
export class World {
  readonly seed: number;
  readonly clock: VirtualClock = new VirtualClock();
  readonly random: Random;
  readonly network: VirtualNetwork;
  readonly data: TorrentData;
  readonly nodes: SimNode[] = [];
  /** Addresses of strangers. */
  readonly strangers: string[] = [];
  /** What a scenario found wrong beside the rules that hold everywhere. */
  readonly faults: string[] = [];
  /** Everybody has been told to leave: nobody comes back. */
  isOver = false;

  constructor(options: WorldOptions) {
    this.seed = options.seed;
    this.random = seededRandom(options.seed);
    this.network = new VirtualNetwork(this.clock, this.random, options.path);
    const { pieceLengthBytes = 32 * 1024, totalBytes = 1_000_003 } = options;
    this.data = makeTorrentData({ pieceLengthBytes, totalBytes }, this.random);
  }

  /** A client that runs from now on. */
  add(options: NodeOptions): SimNode {
    const nth = this.nodes.length;
    // Every host is in a network of its own.
    const host = `10.${nth >> 8}.${nth & 255}.1`;
    const node = new SimNode(host, this.data, { network: this.network, ...options });
    this.nodes.push(node);
    node.start();
    return node;
  }

  /** So many clients that are alike. */
  addMany(count: number, options: NodeOptions): SimNode[] {
    return Array.from({ length: count }, () => this.add(options));
  }

  /** A peer of bad manners, which dials `victims` and can be dialled. */
  addStranger(manner: Manner, victims: readonly SimNode[]): void {
    const { network, data } = this;
    const host = `172.16.${this.strangers.length}.9`;
    this.strangers.push(host);
    const make = (): Stranger => new Stranger({ host, manner, network, data });
    network.listen(host, SIM_PORT, (connection) => make().bind(connection));
    const dialer = network.dialerOf(host);
    for (const victim of victims) {
      const stranger = make();
      stranger.bind(dialer.connect(victim.host, SIM_PORT, stranger));
    }
    for (const victim of victims) victim.meet([{ host, port: SIM_PORT }]);
  }

  /** Everybody who runs hears of everybody, or each of `count` others, as from a tracker. */
  introduce(count: number = Infinity): void {
    const up = this.nodes.filter((node) => node.isUp);
    for (const node of up) {
      if (count >= up.length) {
        node.meet(up.filter((other) => other !== node).map((other) => other.address));
      } else this.announce(node, count);
    }
  }

  /** `node` asks a tracker, which knows all who run, and learns of `count` of them. */
  announce(node: SimNode, count: number): void {
    const others = this.nodes.filter((other) => other !== node && other.isUp);
    if (others.length <= 2 * count) {
      node.meet(
        shuffle(others, this.random)
          .slice(0, count)
          .map((other) => other.address),
      );
      return;
    }
    for (let nth = 0; nth < count; nth++) {
      const other = others[randomInt(this.random, others.length)];
      if (other) node.meet([other.address]);
    }
  }

  /** Lets time pass until `nodes` have everything; notes who has not. */
  runUntilComplete(nodes: readonly SimNode[], durationMs: number): void {
    this.clock.run(durationMs, () => nodes.every((node) => node.completeAt !== null));
    for (const { completeAt, host, have } of nodes) {
      if (completeAt !== null) continue;
      this.faults.push(`${host} has ${have.count} of ${have.size} pieces at ${this.clock.now} ms`);
    }
  }

  /** Every `everyMs`, until `untilMs` from now. */
  repeat(everyMs: number, untilMs: number, action: () => void): void {
    const end = this.clock.now + untilMs;
    const again = (): void => {
      if (this.clock.now >= end) return;
      action();
      this.clock.after(everyMs, again);
    };
    this.clock.after(everyMs, again);
  }
}
