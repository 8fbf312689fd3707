/**
 * Download limits: while one is used up, reading stops; for everybody when it is the common one,
 * for the torrent's peers alone when it is a torrent's own. A limit of 0 leaves the tap open, since
 * peers have more to say than blocks: they are not asked for any.
 */
import { type BytesPerSecond, UNLIMITED } from '../units/index.ts';
import { type BucketUsage, TokenBucket, TokenBuckets } from './token-bucket.ts';
import type { TorrentLimits } from './torrent-limits.ts';

/** Whom the tap is turned for. */
export interface Tapped {
  readonly limits: TorrentLimits;
  readonly peers: ReadonlyMap<number, { pauseReading(isPaused: boolean): void }>;
}

/** The tap of one engine. Without limits it does nothing at all. */
export class DownloadTap {
  readonly #common = new TokenBucket(UNLIMITED);
  readonly #buckets = new TokenBuckets();
  readonly #torrents: () => Iterable<Tapped>;
  /** Torrents that have used up their own limit. */
  readonly #closed = new Set<Tapped>();
  #isOpen = true;
  #openings = 0;

  /** `torrents` are all there are. */
  constructor(torrents: () => Iterable<Tapped>) {
    this.#torrents = torrents;
  }

  /** Limits all torrents together; effective at once. */
  limit(rate: BytesPerSecond): void {
    this.#common.limit(rate);
    this.#buckets.watch(this.#common);
    this.#open();
  }

  /** A torrent's own limit was changed. */
  watch(torrent: Tapped): void {
    this.#buckets.watch(torrent.limits.download);
    this.#open();
  }

  /** Payload received by now, and whether the limit held any back since last asked. */
  takeUsage(): BucketUsage {
    return this.#common.takeUsage();
  }

  /** Whether blocks may be asked for at all. */
  mayAsk({ limits }: Pick<Tapped, 'limits'>): boolean {
    return !this.#common.isStopped && !limits.download.isStopped;
  }

  isOpenFor(torrent: Tapped): boolean {
    return this.#isOpen && !this.#closed.has(torrent);
  }

  /**
   * Block payload came in. A used-up limit closes the tap at once: a tick is long for a fast peer.
   */
  take(torrent: Tapped, byteCount: number): void {
    const own = torrent.limits.download;
    if (own.isLimited) {
      this.#buckets.take(own, byteCount);
      if (isUsedUp(own) && !this.#closed.has(torrent)) {
        this.#closed.add(torrent);
        pause(torrent);
      }
    }
    this.#buckets.take(this.#common, byteCount);
    if (!isUsedUp(this.#common) || !this.#isOpen) return;
    this.#isOpen = false;
    for (const each of this.#torrents()) pause(each);
  }

  fill(elapsedMs: number): void {
    this.#buckets.fill(elapsedMs);
    this.#open();
  }

  /** Reads on where there is something left again. */
  #open(): void {
    const torrents: Tapped[] = [];
    for (const torrent of this.#closed) {
      if (isUsedUp(torrent.limits.download)) continue;
      this.#closed.delete(torrent);
      if (this.#isOpen) torrents.push(torrent);
    }
    if (!this.#isOpen && !isUsedUp(this.#common)) {
      this.#isOpen = true;
      for (const torrent of this.#torrents()) {
        if (torrent.peers.size > 0 && !this.#closed.has(torrent)) torrents.push(torrent);
      }
    }
    if (torrents.length > 0) this.#resume(torrents);
  }

  /** Each time another one reads first, or the last would get only what the others leave. */
  #resume(torrents: readonly Tapped[]): void {
    const peers = torrents.flatMap((torrent) => [...torrent.peers.values()]);
    const start = this.#openings++ % Math.max(1, peers.length);
    for (const peer of peers.slice(start)) peer.pauseReading(false);
    for (const peer of peers.slice(0, start)) peer.pauseReading(false);
  }
}

function isUsedUp(bucket: TokenBucket): boolean {
  return !bucket.isOpen && !bucket.isStopped;
}

function pause(torrent: Tapped): void {
  for (const peer of torrent.peers.values()) peer.pauseReading(true);
}
