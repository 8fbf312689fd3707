/** One client of a simulated swarm: a real engine on a virtual host, which can leave and return. */
import {
  Engine,
  type EngineOptions,
  type PeerAddress,
  type Torrent,
  type TorrentEvents,
} from '../engine/index.ts';
import { Bitfield } from '../units/index.ts';
import { type TorrentData, VirtualStore, virtualHasher } from './torrent-data.ts';
import type { VirtualNetwork } from './virtual-network.ts';

/** Where every host of the simulation listens. */
export const SIM_PORT = 6881;

/** Bytes of unfinished pieces an engine may hold. Small, so that the bound is met in tests. */
export const SIM_SLAB_BYTES: number = 1024 * 1024;

const TICK_MS = 100;

/** A piece that is being checked and written when the client is closed is told of until then. */
const LATE_PIECE_MS = 3;

/** What a node begins with. */
export interface NodeOptions {
  /** Pieces on its disk. */
  readonly has: 'all' | 'none' | ((piece: number) => boolean);
  readonly engine?: Partial<EngineOptions>;
  /** Knows only the info-hash. */
  readonly isMagnet?: boolean;
  /** What it sends is spoiled: it is not counted among the honest. */
  readonly isCorrupting?: boolean;
}

/** A client. */
export class SimNode {
  readonly host: string;
  readonly store: VirtualStore;
  /** Pieces on its disk. */
  readonly have: Bitfield;
  /** Hosts it banned. */
  readonly bans: string[] = [];
  /** Everything it did that no client may do. */
  readonly faults: string[] = [];
  readonly isHonest: boolean;
  /** When it had everything; null before. */
  completeAt: number | null = null;
  /** Most bytes of unfinished pieces it ever held. */
  heldBytesMax = 0;
  onPiece: (piece: number) => void = () => {};
  readonly #network: VirtualNetwork;
  readonly #data: TorrentData;
  readonly #options: NodeOptions;
  #life = 0;
  #closedAt = 0;
  /** What engines do whose machine has crashed does not count. */
  #lastCrashed = 0;
  #engine: Engine | null = null;
  #torrent: Torrent | null = null;

  constructor(host: string, data: TorrentData, rest: { network: VirtualNetwork } & NodeOptions) {
    const { network, ...options } = rest;
    this.host = host;
    this.#network = network;
    this.#data = data;
    this.#options = options;
    this.isHonest = !options.isCorrupting;
    this.store = new VirtualStore(network.clock, data.content);
    this.have = new Bitfield(data.pieceCount);
    this.#fillDisk(options.has);
    if (options.isCorrupting) {
      this.store.spoil = (_, into) => {
        into[0] = (into[0] ?? 0) ^ 1;
      };
    }
    if (this.have.isComplete) this.completeAt = network.clock.now;
  }

  get address(): PeerAddress {
    return { host: this.host, port: SIM_PORT };
  }

  /** Whether it runs. */
  get isUp(): boolean {
    return this.#engine !== null;
  }

  /** The torrent while it runs. */
  get torrent(): Torrent | null {
    return this.#torrent;
  }

  /** Begins, or begins again with what is on its disk. */
  start(): void {
    const { content, infoHash } = this.#data;
    const { clock, random } = this.#network;
    const life = ++this.#life;
    const engine = new Engine(
      {
        dialer: this.#network.dialerOf(this.host),
        hasher: virtualHasher(clock),
        random,
        extensions: [],
        uploadPolicy: null,
      },
      { clientName: 'simulated', slabBytes: SIM_SLAB_BYTES, ...this.#options.engine },
    );
    engine.tick(clock.now);
    engine.listenPort = SIM_PORT;
    this.#network.listen(this.host, SIM_PORT, (connection) => engine.accept(connection));
    const begin = (): void => {
      if (life === this.#life) torrent.begin(content, this.have.clone(), this.store);
    };
    const torrent = engine.add(infoHash, this.#events(life, begin));
    this.#engine = engine;
    this.#torrent = torrent;
    if (!this.#options.isMagnet) begin();
    const tick = (): void => {
      if (life !== this.#life) return;
      engine.tick(clock.now);
      this.#measure(torrent);
      clock.after(TICK_MS, tick);
    };
    clock.after(random() * TICK_MS, tick);
  }

  /** Leaves as a client does that is closed. */
  stop(): void {
    this.#end();
    this.#engine?.stop();
    this.#network.cutOff(this.host);
    this.#forget();
  }

  /** Its machine loses power: no more ticks, and whoever talks to it hears nothing sensible. */
  crash(): void {
    this.#lastCrashed = this.#life;
    this.#end();
    this.#network.cutOff(this.host);
    this.#forget();
  }

  /** It hears of others. */
  meet(others: Iterable<PeerAddress>): void {
    this.#torrent?.addPeers(others, 'tracker');
  }

  #end(): void {
    this.#closedAt = this.#network.clock.now;
    this.#life++;
  }

  #forget(): void {
    this.#engine = null;
    this.#torrent = null;
  }

  #events(life: number, begin: () => void): TorrentEvents {
    const { clock } = this.#network;
    const note = (what: string): void => {
      if (life !== this.#life) this.faults.push(`${what} after it was closed`);
    };
    return {
      onMetadata: () => {
        note('metadata');
        clock.after(5, begin);
      },
      onPiece: (piece) => {
        if (life <= this.#lastCrashed) return;
        if (clock.now > this.#closedAt + LATE_PIECE_MS) note(`piece ${piece}`);
        if (!this.have.set(piece)) this.faults.push(`piece ${piece} came twice`);
        this.onPiece(piece);
      },
      onComplete: () => {
        note('completion');
        this.completeAt ??= clock.now;
      },
      onFailed: (failure) => this.faults.push(`it failed: ${failure.message}`),
      onBan: (host) => this.bans.push(host),
    };
  }

  #measure(torrent: Torrent): void {
    const pieces = torrent.work?.picker.partials.size ?? 0;
    const held = pieces * this.#data.content.pieceLengthBytes;
    this.heldBytesMax = Math.max(this.heldBytesMax, held);
  }

  #fillDisk(has: NodeOptions['has']): void {
    const { content, whole } = this.#data;
    for (let piece = 0; piece < this.have.size; piece++) {
      if (has === 'none' || (has !== 'all' && !has(piece))) continue;
      const start = piece * content.pieceLengthBytes;
      this.store.bytes.set(whole.subarray(start, start + content.pieceLengthBytes), start);
      this.have.set(piece);
    }
  }
}
