/** A swarm of engines on a virtual network: what happens in it depends on its seed alone. */
import { equalBytes, type Random, randomInt, seededRandom, shuffle } from '../units/index.ts';
import { DatagramNetwork, type WayOptions } from './datagram-network.ts';
import { type MemoryTorrent, makeMemoryTorrent, type TorrentShape } from './memory-torrent.ts';
import { type NodeOptions, SwarmNode } from './swarm-node.ts';
import { startUtp } from './utp-node.ts';
import { VirtualClock } from './virtual-clock.ts';
import { type Acceptor, type PathOptions, VirtualNetwork } from './virtual-network.ts';

/** What a swarm is made of; all but the seed has a default. */
export interface SwarmOptions extends TorrentShape {
  readonly seed: number;
  readonly path?: Partial<PathOptions>;
  /** Connections are uTP over datagrams of this kind, instead of the network's own. */
  readonly datagrams?: Partial<WayOptions>;
  /** Where the nth node lives; else every host is in a private network of its own. */
  readonly hostOf?: (nth: number) => string;
  /** What every node has beside what it is added with. */
  readonly node?: Omit<NodeOptions, 'has'>;
}

/** The swarm of one torrent. */
export class Swarm {
  readonly seed: number;
  readonly clock: VirtualClock = new VirtualClock();
  readonly random: Random;
  readonly network: VirtualNetwork;
  readonly memory: MemoryTorrent;
  readonly nodes: SwarmNode[] = [];
  /** What was found wrong beside the rules that hold everywhere. */
  readonly faults: string[] = [];
  /** Hosts that are no clients of ours. */
  strangerCount = 0;
  /** Everybody has been told to leave: nobody comes back. */
  isOver = false;
  readonly #node: Omit<NodeOptions, 'has'>;
  readonly #hostOf: (nth: number) => string;
  readonly #datagrams: DatagramNetwork | null;

  constructor(options: SwarmOptions) {
    this.seed = options.seed;
    this.random = seededRandom(options.seed);
    this.network = new VirtualNetwork(this.clock, this.random, options.path);
    this.memory = makeMemoryTorrent(options, this.random);
    this.#node = options.node ?? {};
    this.#hostOf = options.hostOf ?? ((nth) => `10.${nth >> 8}.${nth & 255}.1`);
    this.#datagrams = options.datagrams ? this.#layDatagrams(options.datagrams) : null;
  }

  get pieceCount(): number {
    return this.memory.pieceCount;
  }

  /** A client that runs from now on. */
  add(options: NodeOptions): SwarmNode {
    const host = this.#hostOf(this.nodes.length);
    const engine = { ...this.#node.engine, ...options.engine };
    const accept: Acceptor = (connection) => {
      if (node.isUp) return node.engine.accept(connection);
      connection.close('nobody listens there');
      return { onOpen: () => {}, onBytes: () => {}, onDrain: () => {}, onClosed: () => {} };
    };
    const dialer = this.#datagrams && startUtp(this.#datagrams, host, accept).utp;
    const deps = { ...(dialer && { dialer }), ...options.deps };
    const all = { network: this.network, ...this.#node, ...options, engine, deps };
    const node: SwarmNode = new SwarmNode(host, this.memory, all);
    this.nodes.push(node);
    node.start();
    return node;
  }

  /** So many clients that are alike. */
  addMany(count: number, options: NodeOptions): SwarmNode[] {
    return Array.from({ length: count }, () => this.add(options));
  }

  /** Everybody who runs hears of everybody who runs; or only those named do, of each other. */
  introduce(nodes: readonly SwarmNode[] = this.nodes): void {
    const up = nodes.filter((node) => node.isUp);
    for (const node of up) {
      node.meet(up.filter((other) => other !== node).map((other) => other.address));
    }
  }

  /** `node` asks a tracker, which knows all who run, and learns of about `count` of them. */
  announce(node: SwarmNode, count: number): void {
    const others = this.nodes.filter((other) => other !== node && other.isUp);
    const told =
      others.length <= 2 * count
        ? shuffle(others, this.random).slice(0, count)
        : Array.from({ length: count }, () => others[randomInt(this.random, others.length)]);
    node.meet(told.flatMap((other) => (other ? [other.address] : [])));
  }

  /** Lets time pass until `nodes` have everything; whether they have it, right to the byte. */
  runUntilComplete(nodes: readonly SwarmNode[], durationMs: number): boolean {
    this.clock.run(durationMs, () => nodes.every((node) => node.completeAt !== null));
    const before = this.faults.length;
    for (const { completeAt, host, have, store } of nodes) {
      if (completeAt === null) {
        const { now } = this.clock;
        this.faults.push(`${host} has ${have.count} of ${have.size} pieces at ${now} ms`);
      } else if (!equalBytes(store.bytes, this.memory.whole)) {
        this.faults.push(`${host} has wrong data`);
      }
    }
    return this.faults.length === before;
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

  #layDatagrams(way: Partial<WayOptions>): DatagramNetwork {
    const datagrams = new DatagramNetwork(this.clock, this.random, way);
    datagrams.onSent = ({ packet, from, to }) =>
      this.network.trace.record(`${from.host} ${to.host}`, this.clock.now, packet.length);
    return datagrams;
  }

  /** What was found wrong, and one line per node: for the message of a failure. */
  describe(): string {
    const lines = this.nodes.map((node) => {
      if (!node.isUp) return `${node.host} is gone`;
      const { phase, goodPieces, peers } = node.torrent.snapshot();
      const links = peers.map(
        (peer) =>
          `${peer.host}:${peer.isChokingUs ? 'c' : 'u'}${peer.isInteresting ? 'i' : '-'}` +
          `${peer.isSnubbed ? 's' : ''}${peer.requestsOut}`,
      );
      const pieces = `${phase} ${goodPieces}/${this.pieceCount}`;
      return `${node.host} ${pieces} bans [${node.bans}] ${links.join(' ')}`;
    });
    return [`seed ${this.seed} at ${this.clock.now} ms`, ...this.faults, ...lines].join('\n');
  }
}
