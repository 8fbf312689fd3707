/** One client of a simulated swarm: a real engine on a virtual host, which can leave and return. */
import { classifyAddress } from '../discovery/index.ts';
import {
  type Engine,
  type EngineDeps,
  type EngineOptions,
  type PeerAddress,
  PeerExchange,
  type Torrent,
  type TorrentEvents,
} from '../engine/index.ts';
import { assert, Bitfield } from '../units/index.ts';
import { MemoryStore } from './memory-store.ts';
import { type MemoryTorrent, withoutLayers } from './memory-torrent.ts';
import { SIM_PORT, startEngine } from './virtual-host.ts';
import type { VirtualNetwork } from './virtual-network.ts';

/** A piece that is being checked and written when the client is closed is told of until then. */
const LATE_PIECE_MS = 3;

/** What a node begins with. */
export interface NodeOptions {
  /** Pieces on its disk: all, none, or a choice. */
  readonly has: 'all' | 'none' | ((piece: number) => boolean);
  readonly engine?: Partial<EngineOptions>;
  readonly deps?: Partial<EngineDeps>;
  readonly tickMs?: number;
  /** Knows only the info-hash. */
  readonly isMagnet?: boolean;
  /** Knows the info dictionary of a v2 torrent, but not the piece layers. */
  readonly lacksLayers?: boolean;
  /** Shows its pieces one at a time (BEP 16). */
  readonly isSuperSeed?: boolean;
  /** Tells others of its peers, and hears of theirs (BEP 11). */
  readonly hasPex?: boolean;
  /** What it sends is spoiled: it is not counted among the honest. */
  readonly isCorrupting?: boolean;
}

/** A client. */
export class SwarmNode {
  readonly host: string;
  readonly store: MemoryStore;
  /** Pieces on its disk. */
  readonly have: Bitfield;
  /** Pieces in the order they came. */
  readonly pieces: number[] = [];
  /** Hosts it banned. */
  readonly bans: string[] = [];
  /** Why its torrent stopped. */
  readonly failures: Error[] = [];
  /** Everything it did that no client may do. */
  readonly faults: string[] = [];
  readonly isHonest: boolean;
  readonly addedAt: number;
  /** It began with everything. */
  readonly isSeed: boolean;
  /** When it had everything; null before. */
  completeAt: number | null = null;
  /** Most bytes of unfinished pieces it ever held. */
  heldBytesMax = 0;
  onPiece: (piece: number) => void = () => {};
  readonly #network: VirtualNetwork;
  readonly #memory: MemoryTorrent;
  readonly #options: NodeOptions;
  #past = { receivedBytes: 0, sentBytes: 0 };
  #life = 0;
  #closedAt = 0;
  /** What engines do whose machine has crashed does not count. */
  #lastCrashed = 0;
  #running: { readonly engine: Engine; readonly torrent: Torrent } | null = null;

  constructor(
    host: string,
    memory: MemoryTorrent,
    rest: { readonly network: VirtualNetwork } & NodeOptions,
  ) {
    const { network, ...options } = rest;
    this.host = host;
    this.#network = network;
    this.#memory = memory;
    this.#options = options;
    this.isHonest = !options.isCorrupting;
    this.store = new MemoryStore(network.clock, memory.content);
    this.have = new Bitfield(memory.pieceCount);
    this.#fillDisk(options.has);
    if (options.isCorrupting) {
      this.store.spoil = (_, into) => {
        into[0] = (into[0] ?? 0) ^ 1;
      };
    }
    this.addedAt = network.clock.now;
    this.isSeed = this.have.isComplete;
    if (this.isSeed) this.completeAt = this.addedAt;
  }

  get address(): PeerAddress {
    return { host: this.host, port: SIM_PORT };
  }

  /** Whether it runs. */
  get isUp(): boolean {
    return this.#running !== null;
  }

  /** Only while it runs. */
  get engine(): Engine {
    assert(this.#running, `${this.host} runs`);
    return this.#running.engine;
  }

  /** Only while it runs. */
  get torrent(): Torrent {
    assert(this.#running, `${this.host} runs`);
    return this.#running.torrent;
  }

  /** Payload of all its lives. */
  get receivedBytes(): number {
    return this.#past.receivedBytes + (this.#running?.torrent.received.total ?? 0);
  }

  /** Payload of all its lives. */
  get sentBytes(): number {
    return this.#past.sentBytes + (this.#running?.torrent.sent.total ?? 0);
  }

  /** Begins, or begins again with what is on its disk. */
  start(): void {
    const { content, infoHash, infoHashV2 } = this.#memory;
    const { isMagnet, lacksLayers, hasPex, deps, tickMs } = this.#options;
    const life = ++this.#life;
    const extensions = hasPex ? [this.#peerExchange()] : [];
    const engine = startEngine(this.#network, this.host, {
      deps: { extensions, ...deps },
      engine: this.#options.engine ?? {},
      ...(tickMs && { tickMs }),
      onTick: () => this.#measure(torrent),
    });
    // Piece layers are not in the info dictionary: a magnet does not get them with it.
    const known = isMagnet || lacksLayers ? withoutLayers(content) : content;
    const begin = (): void => {
      if (life === this.#life) torrent.begin(known, this.have.clone(), this.store);
    };
    const torrent = engine.add(infoHash, this.#events(life, begin), infoHashV2);
    const isHybrid = content.pieceHashes !== null && infoHashV2 !== null;
    if (isHybrid) engine.identify(torrent, { v1: infoHash, v2: infoHashV2 });
    torrent.revealing.isWanted = this.#options.isSuperSeed ?? false;
    this.#running = { engine, torrent };
    if (!isMagnet) begin();
  }

  /** Leaves as a client does that is closed. */
  stop(): void {
    this.#end();
    this.#running?.engine.stop();
    this.#network.cutOff(this.host);
    this.#running = null;
  }

  /** Its machine loses power: no more ticks, and whoever talks to it hears nothing sensible. */
  crash(): void {
    this.#lastCrashed = this.#life;
    this.#end();
    this.#network.cutOff(this.host);
    this.#running = null;
  }

  /** It hears of others, as from a tracker. */
  meet(others: Iterable<PeerAddress>): void {
    if (this.isUp) this.torrent.addPeers(others, 'tracker');
  }

  #end(): void {
    this.#closedAt = this.#network.clock.now;
    this.#past = { receivedBytes: this.receivedBytes, sentBytes: this.sentBytes };
    this.#life++;
  }

  #peerExchange(): PeerExchange {
    return new PeerExchange({
      torrentOf: (key) => this.#running?.engine.torrents.get(key) ?? null,
      classify: classifyAddress,
    });
  }

  #events(life: number, begin: () => void): TorrentEvents {
    const { clock } = this.#network;
    const note = (what: string): void => {
      if (life !== this.#life) this.faults.push(`${what} after it was closed`);
    };
    const isLate = (): boolean => clock.now > this.#closedAt + LATE_PIECE_MS;
    return {
      onMetadata: () => {
        note('metadata');
        clock.after(5, begin);
      },
      onPiece: (piece) => {
        if (life <= this.#lastCrashed) return;
        if (isLate()) note(`piece ${piece}`);
        if (!this.have.set(piece)) this.faults.push(`piece ${piece} came twice`);
        this.pieces.push(piece);
        this.onPiece(piece);
      },
      onComplete: () => {
        if (life <= this.#lastCrashed) return;
        if (isLate()) note('completion');
        this.completeAt ??= clock.now;
      },
      onFailed: (failure) => this.failures.push(failure),
      onBan: (host) => this.bans.push(host),
    };
  }

  #measure({ work }: Torrent): void {
    let held = 0;
    for (const piece of work?.picker.partials.keys() ?? []) {
      held += work?.geometry.pieceLength(piece) ?? 0;
    }
    this.heldBytesMax = Math.max(this.heldBytesMax, held);
  }

  #fillDisk(has: NodeOptions['has']): void {
    const { content, whole } = this.#memory;
    for (let piece = 0; piece < this.have.size; piece++) {
      if (has === 'none' || (has !== 'all' && !has(piece))) continue;
      const start = piece * content.pieceLengthBytes;
      this.store.bytes.set(whole.subarray(start, start + content.pieceLengthBytes), start);
      this.have.set(piece);
    }
  }
}
