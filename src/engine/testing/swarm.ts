/** A swarm of engines on one virtual clock: what it does depends on its seed alone. */
import { Bitfield, type Random, seededRandom } from '../../units/index.ts';
import {
  Engine,
  type EngineDeps,
  type EngineOptions,
  type PeerAddress,
  type Torrent,
} from '../index.ts';
import { MemoryNetwork, type PathOptions } from './memory-network.ts';
import {
  MemoryStore,
  type MemoryTorrent,
  makeMemoryTorrent,
  testHasher,
} from './memory-torrent.ts';
import { makeV2Torrent, withoutLayers } from './v2-torrent.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Where every node of a swarm listens. */
export const SWARM_PORT = 6881;

const TICK_MS = 50;

/** What a swarm is made of; all but the seed has a default. */
export interface SwarmOptions {
  readonly seed: number;
  readonly pieceLengthBytes?: number;
  readonly totalBytes?: number;
  /** Makes it a torrent with v2 hashes alone, of files of these lengths. */
  readonly fileLengths?: readonly number[];
  readonly path?: Partial<PathOptions>;
}

/** What a node begins with. */
export interface NodeOptions {
  /** Pieces on its disk: all, none, or a choice. */
  readonly has: 'all' | 'none' | ((piece: number) => boolean);
  readonly engine?: Partial<EngineOptions>;
  readonly deps?: Partial<EngineDeps>;
  /** Knows only the info-hash. */
  readonly isMagnet?: boolean;
  /** Knows the info dictionary of a v2 torrent, but not the piece layers. */
  readonly lacksLayers?: boolean;
}

/** One client of the swarm. */
export interface SwarmNode {
  readonly host: string;
  readonly address: PeerAddress;
  readonly engine: Engine;
  readonly torrent: Torrent;
  readonly store: MemoryStore;
  readonly bans: string[];
  /** Pieces in the order they came. */
  readonly pieces: number[];
  readonly failures: Error[];
  /** When it had everything; null before. */
  completeAt: number | null;
  /** Whether its clock runs. */
  isTicking: boolean;
}

/** The swarm of one torrent. */
export class Swarm {
  readonly seed: number;
  readonly clock: VirtualClock = new VirtualClock();
  readonly random: Random;
  readonly network: MemoryNetwork;
  readonly memory: MemoryTorrent;
  readonly nodes: SwarmNode[] = [];

  constructor(options: SwarmOptions) {
    this.seed = options.seed;
    this.random = seededRandom(options.seed);
    this.network = new MemoryNetwork(this.clock, this.random, options.path);
    const { pieceLengthBytes = 32 * 1024, totalBytes = 1_000_003 } = options;
    const { fileLengths } = options;
    this.memory = fileLengths
      ? makeV2Torrent({ pieceLengthBytes, fileLengths }, this.random)
      : makeMemoryTorrent({ pieceLengthBytes, totalBytes }, this.random);
  }

  get pieceCount(): number {
    const { totalBytes, pieceLengthBytes } = this.memory.content;
    return Math.ceil(totalBytes / pieceLengthBytes);
  }

  add(options: NodeOptions): SwarmNode {
    const host = `10.0.${this.nodes.length}.1`;
    const { clock, network, memory } = this;
    const engine = new Engine(
      {
        dialer: network.dialerOf(host),
        hasher: testHasher,
        random: this.random,
        extensions: [],
        uploadPolicy: null,
        ...options.deps,
      },
      { clientName: 'swarm', ...options.engine },
    );
    engine.tick(clock.now);
    engine.listenPort = SWARM_PORT;
    network.listen(host, SWARM_PORT, (connection) => engine.accept(connection));
    const store = new MemoryStore(clock, memory.content);
    const have = this.#fill(store, options.has);
    // Piece layers are not in the info dictionary: a magnet does not get them with it.
    const isBare = options.isMagnet || options.lacksLayers;
    const content = isBare ? withoutLayers(memory.content) : memory.content;
    const begin = (): void => node.torrent.begin(content, have, store);
    const node: SwarmNode = {
      host,
      address: { host, port: SWARM_PORT },
      engine,
      torrent: engine.add(
        memory.infoHash,
        {
          onMetadata: () => clock.after(5, begin),
          onPiece: (piece) => node.pieces.push(piece),
          onComplete: () => {
            node.completeAt = clock.now;
          },
          onFailed: (failure) => node.failures.push(failure),
          onBan: (banned) => node.bans.push(banned),
        },
        memory.infoHashV2 ?? null,
      ),
      store,
      bans: [],
      pieces: [],
      failures: [],
      completeAt: have.isComplete ? clock.now : null,
      isTicking: true,
    };
    if (!options.isMagnet) begin();
    const tick = (): void => {
      if (!node.isTicking) return;
      engine.tick(clock.now);
      clock.after(TICK_MS, tick);
    };
    clock.after(this.random() * TICK_MS, tick);
    this.nodes.push(node);
    return node;
  }

  /** Everybody is told of everybody, or only those named. */
  introduce(nodes: readonly SwarmNode[] = this.nodes): void {
    for (const node of nodes) {
      const others = nodes.filter((other) => other !== node).map((other) => other.address);
      node.torrent.addPeers(others, 'tracker');
    }
  }

  /** The node's machine is gone. */
  kill(node: SwarmNode): void {
    node.isTicking = false;
    this.network.cutOff(node.host);
  }

  /** Lets time pass until `nodes` have everything; whether they did. Every byte is compared. */
  runUntilComplete(nodes: readonly SwarmNode[], durationMs: number): boolean {
    const isDone = this.clock.run(durationMs, () =>
      nodes.every((node) => node.completeAt !== null),
    );
    for (const node of nodes) {
      if (node.completeAt === null) continue;
      if (Buffer.compare(node.store.bytes, this.memory.whole) !== 0) {
        throw new Error(`seed ${this.seed}: ${node.host} has wrong data`);
      }
    }
    return isDone;
  }

  /** One line per node, for the message of a failure. */
  describe(): string {
    const lines = this.nodes.map(({ host, torrent, bans }) => {
      const { phase, goodPieces, peers } = torrent.snapshot();
      const links = peers.map(
        (peer) =>
          `${peer.host}:${peer.isChokingUs ? 'c' : 'u'}${peer.isInteresting ? 'i' : '-'}` +
          `${peer.isSnubbed ? 's' : ''}${peer.requestsOut}`,
      );
      return `${host} ${phase} ${goodPieces}/${this.pieceCount} bans [${bans}] ${links.join(' ')}`;
    });
    return `seed ${this.seed} at ${this.clock.now} ms\n${lines.join('\n')}`;
  }

  #fill(store: MemoryStore, has: NodeOptions['has']): Bitfield {
    const { content, whole } = this.memory;
    const have = new Bitfield(this.pieceCount);
    for (let piece = 0; piece < have.size; piece++) {
      if (has === 'none' || (has !== 'all' && !has(piece))) continue;
      const start = piece * content.pieceLengthBytes;
      store.bytes.set(whole.subarray(start, start + content.pieceLengthBytes), start);
      have.set(piece);
    }
    return have;
  }
}
