/** One torrent's announces: they go on whether the torrent is at work or asleep. */
import { shownTracker, type TrackerStatus } from '../../discovery/index.ts';
import type { PeerAddress, Torrent } from '../../engine/index.ts';
import type { AnnounceStats, TrackerAnnouncer } from '../../platform/tracker/index.ts';
import type { TrackerTiers } from '../trackers/edit-trackers.ts';
import type { DhtLine } from './dht-line.ts';
import type { TorrentNews, TrackerView } from './messages.ts';

/** Peers kept for a torrent that is asleep: as many as one tracker names. */
const PEERS_KEPT_MAX = 200;

/** What is announced. */
export interface Announced {
  readonly infoHash: Uint8Array;
  readonly trackers: TrackerTiers;
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
  readonly #infoHash: Uint8Array;
  #trackers: TrackerTiers;
  #isPrivate: boolean;
  /** By URL. */
  readonly #statuses = new Map<string, TrackerStatus>();
  /** One per name. */
  readonly #announcers: TrackerAnnouncer[] = [];
  /** A hybrid torrent's other info-hash, in 20 bytes (BEP 52). */
  #otherHash: Uint8Array | null = null;
  #torrent: Torrent | null = null;
  #isStarted = false;
  #isStopped = false;
  #isInDht = false;
  /** What `completed` has been said of, or needs not be. */
  #isComplete = false;
  #peers: readonly PeerAddress[] = [];
  /** What was moved before the torrent last fell asleep. */
  #receivedBytes = 0;
  #sentBytes = 0;
  #corruptBytes = 0;

  constructor(announced: Announced, deps: AnnouncingDeps) {
    this.#infoHash = announced.infoHash;
    this.#trackers = announced.trackers;
    this.#isPrivate = announced.isPrivate;
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
    this.#corruptBytes += this.#torrent?.corruptBytes ?? 0;
    this.#torrent = null;
  }

  /** Begins to announce; a second call does nothing. */
  async start(): Promise<void> {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#isComplete = this.#stats().leftBytes === 0;
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
    if (this.#trackers.length === 0) return;
    const announcer = await this.#deps.announcer();
    if (this.#isStopped) return;
    this.#announcers.push(announcer);
    announcer.start({
      infoHash,
      peerId: this.#deps.localPeerId,
      port: this.#deps.port(),
      tiers: this.#trackers,
      isPrivate: this.#isPrivate,
      getStats: () => this.#stats(),
      onPeers: (peers) => this.#onPeers(peers, 'tracker'),
      onExternalIp: this.#deps.onExternalHost,
      onStatus: (status) => this.#onStatus(status),
    });
  }

  /** Announces to these trackers from now on. */
  async setTrackers(tiers: TrackerTiers): Promise<void> {
    this.#trackers = tiers;
    const left = new Set(tiers.flat());
    for (const url of this.#statuses.keys()) if (!left.has(url)) this.#statuses.delete(url);
    for (const announcer of this.#announcers) announcer.replace(tiers);
    if (!this.#isStarted || this.#isStopped || this.#announcers.length > 0) return;
    for (const name of this.#names) await this.#announce(name);
  }

  /** Every tracker and how it does. */
  view(): readonly TrackerView[] {
    return this.#trackers.flatMap((urls, tier) =>
      urls.map((url) => {
        const status = this.#statuses.get(url);
        const { state = 'idle', message = null, seeders = null, leechers = null } = status ?? {};
        return { url, tier, state, message, seeders, leechers };
      }),
    );
  }

  get isPrivate(): boolean {
    return this.#isPrivate;
  }

  /** The download finished. Trackers hear it once, however often pieces are lost and come again. */
  completed(): void {
    if (this.#isComplete) return;
    this.#isComplete = true;
    for (const announcer of this.#announcers) announcer.completed();
    if (this.#isInDht) this.#followInDht();
  }

  /** Peers reach us at another port now. */
  portChanged(): void {
    for (const announcer of this.#announcers) announcer.moveTo(this.#deps.port());
    if (this.#isInDht) this.#followInDht();
  }

  /** The metadata came, and the torrent is private: only trackers may know of it (BEP 27). */
  becomePrivate(): void {
    this.#isPrivate = true;
    this.#leaveDht();
    for (const announcer of this.#announcers) announcer.becomePrivate();
  }

  /** Says goodbye; resolves when the trackers have heard it, or after two seconds. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#leaveDht();
    await Promise.all(this.#announcers.map((announcer) => announcer.stop()));
  }

  #leaveDht(): void {
    this.#isInDht = false;
    for (const name of this.#names) this.#deps.dht?.unfollow(name);
  }

  /** People read of a tracker by its host: what follows may be a passkey. */
  #onStatus(status: TrackerStatus): void {
    this.#statuses.set(status.tracker, status);
    const isFailure = status.state === 'failing' || status.state === 'disabled';
    const line = status.message ?? `tracker ${shownTracker(status.tracker)} is ${status.state}`;
    this.#deps.tell({ kind: 'tracker', line, isFailure });
  }

  #followInDht(): void {
    const { dht } = this.#deps;
    if (this.#isPrivate || !dht) return;
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
    const infoHash = this.#infoHash;
    return this.#otherHash ? [infoHash, this.#otherHash] : [infoHash];
  }

  /** What was thrown away is not downloaded: it is told apart (as libtorrent does). */
  #stats(): AnnounceStats {
    const torrent = this.#torrent;
    const corruptBytes = this.#corruptBytes + (torrent?.corruptBytes ?? 0);
    return {
      corruptBytes,
      downloadedBytes: this.#receivedBytes + (torrent?.received.total ?? 0) - corruptBytes,
      uploadedBytes: this.#sentBytes + (torrent?.sent.total ?? 0),
      // A magnet without metadata does not know what is left; it is not a seed in any case.
      leftBytes: torrent ? (torrent.missingBytes ?? 1) : 0,
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
