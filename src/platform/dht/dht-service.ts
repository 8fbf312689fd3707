/** The DHT node with real sockets and the real clock: one per process, for all its torrents. */
import { performance } from 'node:perf_hooks';
import {
  Dht,
  type DhtStatus,
  type ItemPutResult,
  type PeerSearchResult,
  TorrentRounds,
} from '../../discovery/index.ts';
import { type Instant, instant, toHex } from '../../units/index.ts';
import { type DhtItem, type Endpoint, type NodeContact, parseIp } from '../../wire/index.ts';
import { Egress, type ProxyAddress } from '../egress/index.ts';
import { systemRandom } from '../system-random.ts';
import { sha1, verifyEd25519 } from './dht-crypto.ts';
import { loadDhtFile, saveDhtFile } from './dht-file.ts';
import { DhtRelay } from './dht-relay.ts';
import { type DhtRouter, RouterLookup } from './dht-routers.ts';
import { type DhtCarrier, DhtSockets } from './dht-sockets.ts';
import { RouterCall } from './router-call.ts';

/** How the node is run. */
export interface DhtServiceOptions {
  /** UDP port; any other if it is taken. 0 lets the system choose. */
  readonly port: number;
  /** A literal address that everything is sent from; null for all. */
  readonly bindHost: string | null;
  /**
   * A SOCKS5 proxy that everything goes through; left out or null, none. Nobody is answered then,
   * nothing is announced, and `file` is left alone: its id is bound to our own address (BEP 42).
   */
  readonly proxy?: ProxyAddress | null;
  /** Told in one line when the proxy or the bound address goes, or comes back. */
  readonly onNotice?: (line: string) => void;
  /** Where id and nodes are kept; null keeps nothing. */
  readonly file: string | null;
  /** Whom to ask first when nobody is known. Looked up only then. */
  readonly routers: readonly DhtRouter[];
  /** Asks, but answers nobody (BEP 43). */
  readonly isReadOnly: boolean;
}

/** A torrent that is announced and whose peers are wanted. Never a private one (BEP 27). */
export interface DhtTorrent {
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  /** Where its peers reach us. */
  readonly port: number;
  /** Asked at each announce (BEP 33). */
  readonly isSeed: () => boolean;
  readonly onPeers: (peers: readonly Endpoint[]) => void;
}

/** What one lookup said of a torrent. */
export interface FoundPeers extends Pick<PeerSearchResult, 'swarm' | 'askedCount'> {
  readonly peers: readonly Endpoint[];
}

/** Fine enough for lookups, whose steps take a tenth of a second and more. */
const TICK_MS = 200;

/** So often it is looked whether the bound address is still here. */
const LOOK_MS = 1_000;

/** What is asked before we know anybody waits at most so long. */
const JOIN_MS = 20_000;

/** The file is written so often, and at the end. */
const SAVE_MS: number = 10 * 60_000;

/** The wait before the routers are asked again doubles from here … */
const REJOIN_MS = 10_000;
/** … to this. */
const REJOIN_MS_MAX: number = 15 * 60_000;

/** What a service is made of. */
interface ServiceParts {
  readonly sockets: DhtCarrier;
  readonly dht: Dht;
  readonly call: RouterCall | null;
}

/** A running node. `stop` it at the end. */
export class DhtService {
  readonly #options: DhtServiceOptions;
  readonly #sockets: DhtCarrier;
  readonly #dht: Dht;
  readonly #lookup: RouterLookup;
  /** Null without a proxy. */
  readonly #call: RouterCall | null;
  readonly #rounds = new TorrentRounds(systemRandom);
  readonly #torrents = new Map<string, DhtTorrent>();
  readonly #timer: NodeJS.Timeout;
  #rejoinAt: Instant = instant(0);
  #rejoinWaitMs = REJOIN_MS;
  #saveAt: Instant;
  #lookAt: Instant = instant(0);
  /** The bound address is there. */
  #isHere = true;
  #isStopped = false;
  #waiting: { readonly resolve: () => void; readonly until: number }[] = [];

  private constructor(options: DhtServiceOptions, parts: ServiceParts) {
    this.#options = options;
    this.#lookup = new RouterLookup(options.bindHost);
    this.#sockets = parts.sockets;
    this.#call = parts.call;
    this.#dht = parts.dht;
    this.#saveAt = instant(now() + SAVE_MS);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  /** Opens the sockets and joins. Throws PLATFORM_LISTEN when there is no UDP at all. */
  static async start(wanted: DhtServiceOptions): Promise<DhtService> {
    const { port, bindHost, proxy = null, onNotice = () => {} } = wanted;
    const options = proxy ? { ...wanted, file: null, isReadOnly: true } : wanted;
    const { file, isReadOnly } = options;
    const saved = file === null ? [] : await loadDhtFile(file);
    let dht: Dht | null = null;
    let call: RouterCall | null = null;
    const egress = new Egress({ bindHost, proxy }, onNotice);
    const onPacket = (packet: Uint8Array, from: Endpoint): void => {
      if (call?.isAnswer(packet)) dht?.bootstrap([from]);
      else dht?.onPacket(packet, from, now());
    };
    const sockets = proxy
      ? new DhtRelay(egress, onPacket)
      : await DhtSockets.open({ port, egress, onPacket });
    if (proxy) call = new RouterCall((packet, to) => sockets.send(packet, to));
    const ports = {
      send: (packet: Uint8Array, to: Endpoint): void => sockets.send(packet, to),
      ...{ random: systemRandom, sha1, verify: verifyEd25519 },
    };
    dht = new Dht(ports, { families: sockets.families, saved, isReadOnly }, now());
    dht.bootstrap([]);
    return new DhtService(options, { sockets, dht, call });
  }

  /** The UDP port, for the PORT message (BEP 5). */
  get port(): number {
    return this.#sockets.port;
  }

  /** One entry per address family. */
  status(): readonly DhtStatus[] {
    return this.#dht.status();
  }

  /** Announces a torrent and looks for its peers, now and every 15 minutes. */
  follow(torrent: DhtTorrent): void {
    this.#torrents.set(toHex(torrent.infoHash), torrent);
    this.#rounds.add(torrent.infoHash, now());
  }

  /** Announces it no more; what was announced is forgotten by the others in half an hour. */
  unfollow(infoHash: Uint8Array): void {
    this.#torrents.delete(toHex(infoHash));
    this.#rounds.remove(infoHash);
  }

  /** A peer says its DHT node is there. */
  addNode(endpoint: Endpoint): void {
    this.#dht.addNode(endpoint);
  }

  /** The nodes we know: those that answered last. */
  contacts(): readonly NodeContact[] {
    return this.#dht.save().flatMap(({ contacts }) => contacts);
  }

  /** Resolves when joined, or after a while in vain: whether anybody is there to be asked. */
  async join(): Promise<boolean> {
    await this.#joined();
    return this.#dht.isReady;
  }

  /**
   * The item at a target (BEP 44), of a mutable one the newest; null when nobody has it, or nobody
   * is there. Without its salt (empty for none) a mutable item is not believed.
   */
  async getItem(target: Uint8Array, salt: Uint8Array = new Uint8Array()): Promise<DhtItem | null> {
    await this.#joined();
    return new Promise((resolve) => this.#dht.getItem({ target, salt }, resolve));
  }

  /** Stores an item; says how many nodes took it. To keep it alive, repeat it every hour. */
  async putItem(item: DhtItem): Promise<ItemPutResult> {
    await this.#joined();
    return new Promise((onDone) => this.#dht.putItem({ item, expectedSequence: null, onDone }));
  }

  /** Asks for a torrent's peers once, announces nothing, and counts its swarm (BEP 33). */
  async findPeers(infoHash: Uint8Array): Promise<FoundPeers> {
    await this.#joined();
    const peers: Endpoint[] = [];
    return new Promise((resolve) => {
      this.#dht.findPeers({
        ...{ infoHash, announce: null, isScrape: true },
        onPeers: (found) => peers.push(...found),
        onDone: ({ swarm, askedCount }) => resolve({ peers, swarm, askedCount }),
      });
    });
  }

  /** Writes the file and closes the sockets. A file that cannot be written costs a slow start. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    clearInterval(this.#timer);
    this.#lookup.cancel();
    for (const { resolve } of this.#waiting.splice(0)) resolve();
    await this.#save();
    this.#sockets.close();
  }

  /** Resolves when somebody is known, or after a while in vain: then nothing will be found. */
  #joined(): Promise<void> {
    if (this.#dht.isReady || this.#isStopped) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ resolve, until: now() + JOIN_MS });
    });
  }

  #tick(): void {
    const time = now();
    if (time >= this.#lookAt) {
      this.#lookAt = instant(time + LOOK_MS);
      const wasHere = this.#isHere;
      this.#isHere = this.#sockets.look();
      if (wasHere && !this.#isHere) this.#lookup.cancel();
    }
    // Nodes that could not be asked have not failed to answer.
    if (this.#isHere) this.#dht.tick(time);
    const isReady = this.#dht.isReady;
    const done = this.#waiting.filter(({ until }) => isReady || time >= until);
    this.#waiting = this.#waiting.filter((one) => !done.includes(one));
    for (const { resolve } of done) resolve();
    if (time >= this.#saveAt) {
      this.#saveAt = instant(time + SAVE_MS);
      void this.#save();
    }
    if (!this.#isHere) return;
    if (this.#dht.lonely.length > 0) this.#rejoin(time);
    else this.#rejoinWaitMs = REJOIN_MS;
    if (!this.#dht.isReady) return;
    for (const { key } of this.#rounds.due(time)) this.#round(key);
  }

  #rejoin(time: Instant): void {
    if (time < this.#rejoinAt) return;
    this.#rejoinAt = instant(time + this.#rejoinWaitMs);
    this.#rejoinWaitMs = Math.min(2 * this.#rejoinWaitMs, REJOIN_MS_MAX);
    const { routers } = this.#options;
    const isNamed = ({ host }: DhtRouter): boolean => parseIp(host) === null;
    this.#call?.call(routers.filter(isNamed));
    const toLookUp = this.#call ? routers.filter((router) => !isNamed(router)) : routers;
    void this.#lookup.resolve(toLookUp).then((endpoints) => {
      if (!this.#isStopped && endpoints.length > 0) this.#dht.bootstrap(endpoints);
    });
  }

  #round(key: string): void {
    const torrent = this.#torrents.get(key);
    if (!torrent) return;
    const { infoHash, port } = torrent;
    const announce = { port, isPortImplied: false, isSeed: torrent.isSeed() };
    this.#dht.findPeers({
      ...{ infoHash, announce: port > 0 && !this.#call ? announce : null, isScrape: false },
      onPeers: (peers) => {
        if (this.#torrents.get(key) === torrent) torrent.onPeers(peers);
      },
      onDone: ({ peerCount }) => this.#rounds.onDone(key, peerCount, now()),
    });
  }

  async #save(): Promise<void> {
    const { file } = this.#options;
    if (file === null) return;
    await saveDhtFile(file, this.#dht.save()).catch(() => {});
  }
}

function now(): Instant {
  return instant(performance.now());
}
