/** One torrent's announces: they go on whether the torrent is at work or asleep. */
import type { PeerAddress, Torrent } from '../../engine/index.ts';
import type { TrackerAnnouncer } from '../../platform/tracker/index.ts';
import type { DhtLine } from './dht-line.ts';
import type { TorrentNews } from './messages.ts';

/** Peers kept for a torrent that is asleep: as many as one tracker names. */
const PEERS_KEPT_MAX = 200;

/** What is announced. */
export interface Announced {
  readonly infoHash: Uint8Array;
  readonly trackers: readonly (readonly string[])[];
  readonly isPrivate: boolean;
}

/** What announcing needs. */
export interface AnnouncingDeps {
  readonly localPeerId: Uint8Array;
  /** Port that peers can reach us at. */
  readonly port: () => number;
  /** Loads the tracker client only when a torrent has trackers. */
  readonly announcer: () => Promise<TrackerAnnouncer>;
  /** null without a DHT. */
  readonly dht: DhtLine | null;
  readonly tell: (news: TorrentNews) => void;
  /** Somebody named peers of a torrent that is asleep. */
  readonly onPeersWhileAsleep: () => void;
  /** A tracker says how it sees us (BEP 24). */
  readonly onExternalHost: (host: string) => void;
}

/** Announces from `start` to `stop`; a torrent at work is `attach`ed meanwhile. */
export class Announcing {
  readonly #deps: AnnouncingDeps;
  readonly #announced: Announced;
  /** One per name. */
  readonly #announcers: TrackerAnnouncer[] = [];
  /** A hybrid torrent's other info-hash, in 20 bytes (BEP 52). */
  #otherHash: Uint8Array | null = null;
  #torrent: Torrent | null = null;
  #isStarted = false;
  #isStopped = false;
  #isInDht = false;
  #peers: readonly PeerAddress[] = [];
  /** What was moved before the torrent last fell asleep. */
  #receivedBytes = 0;
  #sentBytes = 0;

  constructor(announced: Announced, deps: AnnouncingDeps) {
    this.#announced = announced;
    this.#deps = deps;
  }

  /** The torrent is at work: it gets the peers, those found before too. */
  attach(torrent: Torrent): void {
    this.#torrent = torrent;
    torrent.addPeers(this.#peers, 'tracker');
    this.#peers = [];
  }

  /** The torrent falls asleep, complete. */
  detach(): void {
    this.#receivedBytes += this.#torrent?.received.total ?? 0;
    this.#sentBytes += this.#torrent?.sent.total ?? 0;
    this.#torrent = null;
  }

  /** Begins to announce; a second call does nothing. */
  async start(): Promise<void> {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#followInDht();
    for (const name of this.#names) await this.#announce(name);
  }

  /** A hybrid torrent has two names, and a swarm for each: both are announced. */
  async alsoAs(infoHash: Uint8Array): Promise<void> {
    if (this.#otherHash) return;
    this.#otherHash = infoHash;
    if (!this.#isStarted || this.#isStopped) return;
    if (this.#isInDht) this.#followInDht();
    await this.#announce(infoHash);
  }

  get otherHash(): Uint8Array | null {
    return this.#otherHash;
  }

  async #announce(infoHash: Uint8Array): Promise<void> {
    const { trackers, isPrivate } = this.#announced;
    if (trackers.length === 0) return;
    const announcer = await this.#deps.announcer();
    if (this.#isStopped) return;
    this.#announcers.push(announcer);
    announcer.start({
      infoHash,
      peerId: this.#deps.localPeerId,
      port: this.#deps.port(),
      tiers: trackers,
      isPrivate,
      getStats: () => this.#stats(),
      onPeers: (peers) => this.#onPeers(peers, 'tracker'),
      onExternalIp: this.#deps.onExternalHost,
      onStatus: (status) => {
        const isFailure = status.state === 'failing' || status.state === 'disabled';
        const line = status.message ?? `tracker ${status.tracker} is ${status.state}`;
        this.#deps.tell({ kind: 'tracker', line, isFailure });
      },
    });
  }

  /** The download finished in this session. */
  completed(): void {
    for (const announcer of this.#announcers) announcer.completed();
    if (this.#isInDht) this.#followInDht();
  }

  /** Peers reach us at another port now. */
  portChanged(): void {
    for (const announcer of this.#announcers) announcer.moveTo(this.#deps.port());
    if (this.#isInDht) this.#followInDht();
  }

  /** The metadata came, and the torrent is private: only trackers may know of it (BEP 27). */
  leaveDht(): void {
    this.#isInDht = false;
    for (const name of this.#names) this.#deps.dht?.unfollow(name);
  }

  /** Says goodbye; resolves when the trackers have heard it, or after two seconds. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.leaveDht();
    await Promise.all(this.#announcers.map((announcer) => announcer.stop()));
  }

  #followInDht(): void {
    const { dht } = this.#deps;
    if (this.#announced.isPrivate || !dht) return;
    this.#isInDht = true;
    for (const infoHash of this.#names) {
      dht.follow({
        infoHash,
        port: this.#deps.port(),
        isSeed: this.#torrent === null || this.#torrent.phase === 'seeding',
        onPeers: (peers) => this.#onPeers(peers, 'dht'),
      });
    }
  }

  get #names(): readonly Uint8Array[] {
    const { infoHash } = this.#announced;
    return this.#otherHash ? [infoHash, this.#otherHash] : [infoHash];
  }

  #stats(): { uploadedBytes: number; downloadedBytes: number; leftBytes: number } {
    const torrent = this.#torrent;
    // A magnet without metadata does not know what is left; it is not a seed in any case.
    const leftBytes = torrent ? (torrent.missingBytes ?? 1) : 0;
    return {
      downloadedBytes: this.#receivedBytes + (torrent?.received.total ?? 0),
      uploadedBytes: this.#sentBytes + (torrent?.sent.total ?? 0),
      leftBytes,
    };
  }

  #onPeers(peers: readonly PeerAddress[], source: 'tracker' | 'dht'): void {
    if (this.#torrent) {
      this.#torrent.addPeers(peers, source);
      return;
    }
    this.#peers = [...peers, ...this.#peers].slice(0, PEERS_KEPT_MAX);
    this.#deps.onPeersWhileAsleep();
  }
}
