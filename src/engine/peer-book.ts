/** Addresses of one torrent's peers: whom to connect to next, and whom not. */
import type { Instant } from '../units/index.ts';
import type { OwnAddress } from './canonical-priority.ts';
import { isLoopback } from './meeting-place.ts';

/**
 * Where an address came from. A user's own word is kept and tried for ever, as is a web seed, which
 * the torrent itself names; what strangers say of others (`pex`) is trusted least.
 */
export type PeerSource = 'user' | 'magnet' | 'tracker' | 'dht' | 'lsd' | 'pex' | 'incoming' | 'web';

/** An address to connect to. */
export interface PeerAddress {
  readonly host: string;
  readonly port: number;
  /** Whoever told of it says that it wants encrypted connections. */
  readonly wantsEncryption?: boolean;
  /** Whoever told of it says to have connected to it. */
  readonly isReachable?: boolean;
}

interface Entry extends PeerAddress {
  readonly source: PeerSource;
  /** Canonical priority, and for which version of our own address (-1: none yet). */
  rank: number;
  rankedAt: number;
  failures: number;
  nextTryAt: number;
  isInUse: boolean;
  /** Not tried before: it was a seed as we were, or is connected to us already. */
  restUntil: number;
}

/** Addresses kept per torrent; swarms larger than this need no more. */
const ADDRESSES_MAX = 2000;
/** Of those, what peers told: the rest is kept for sources that a stranger cannot fill. */
const TOLD_ADDRESSES_MAX = 1000;
/** Failures after which an address that no user gave is forgotten. */
const FAILURES_MAX = 5;
/** The same for addresses that peers told: made-up ones must not be knocked at for long. */
const TOLD_FAILURES_MAX = 1;
/** The wait after a failure doubles from this … */
const RETRY_MS = 2_000;
/** … to at most this. */
const RETRY_MS_MAX = 10 * 60_000;
/** A seed does not talk to a seed again for so long. */
const SEED_RETRY_MS = 30 * 60_000;
/** Where too many are connected from one place, others there are not dialled for so long. */
const CROWDED_RETRY_MS = 60_000;
/** A peer that is connected to us by another way is not dialled for so long. */
const DUPLICATE_RETRY_MS = 10 * 60_000;
/** Addresses banned for bad data, per torrent. */
const BANS_MAX = 1000;

/** Whether an address is the URL of a web seed: no host's name has a slash. */
export function isWebSeed({ host }: PeerAddress): boolean {
  return host.includes('/');
}

/** Where a private torrent's peers may come from (BEP 27). */
const PRIVATE_SOURCES: ReadonlySet<PeerSource> = new Set(['user', 'tracker', 'web']);

/** Known addresses and bans of one torrent. */
export class PeerBook {
  readonly #entries = new Map<string, Entry>();
  readonly #banned = new Set<string>();
  /** No address can be tried before this: asking costs nothing until then. */
  #quietUntil = 0;
  #toldCount = 0;

  get size(): number {
    return this.#entries.size;
  }

  /** Whether a connection is being made, or will be for ever because a user named the address. */
  get isCalling(): boolean {
    for (const entry of this.#entries.values()) {
      if (entry.isInUse || isNamed(entry)) return true;
    }
    return false;
  }

  /** Adds an address; false when it is known, banned, or the book is full. */
  add(address: PeerAddress, source: PeerSource): boolean {
    const key = keyOf(address);
    if (this.#entries.has(key) || this.isBanned(address)) return false;
    if (this.#entries.size >= ADDRESSES_MAX || address.port < 1 || address.port > 65535)
      return false;
    if (source === 'pex' && this.#toldCount >= TOLD_ADDRESSES_MAX) return false;
    if (source === 'pex') this.#toldCount++;
    this.#entries.set(key, {
      ...address,
      source,
      rank: 0,
      rankedAt: -1,
      failures: 0,
      nextTryAt: 0,
      isInUse: false,
      restUntil: 0,
    });
    this.#quietUntil = 0;
    return true;
  }

  /**
   * The next address to try, marked as in use; null when there is none now. Of several the most
   * trusted one, and of these the one whose canonical priority is highest (BEP 40).
   */
  next(now: Instant, own: OwnAddress | null = null): PeerAddress | null {
    if (now < this.#quietUntil) return null;
    let soonest = Infinity;
    let best: Entry | null = null;
    for (const entry of this.#entries.values()) {
      if (entry.isInUse) continue;
      const dueAt = Math.max(entry.nextTryAt, entry.restUntil);
      if (dueAt > now) soonest = Math.min(soonest, dueAt);
      else if (!best || isBetter(ranked(entry, own), ranked(best, own))) best = entry;
    }
    if (best) best.isInUse = true;
    else this.#quietUntil = soonest;
    return best;
  }

  /** A connection ended. `isWorking` when it got as far as exchanging messages. */
  onClosed(address: PeerAddress, now: Instant, isWorking: boolean): void {
    const key = keyOf(address);
    const entry = this.#entries.get(key);
    if (!entry) return;
    entry.isInUse = false;
    entry.failures = isWorking ? 1 : entry.failures + 1;
    const failuresMax = entry.source === 'pex' ? TOLD_FAILURES_MAX : FAILURES_MAX;
    const isKept = isNamed(entry) || entry.source === 'web';
    if (entry.failures > failuresMax && !isKept) {
      this.#delete(entry);
      return;
    }
    const most = isNamed(entry) ? RETRY_MS * 8 : RETRY_MS_MAX;
    entry.nextTryAt = now + Math.min(most, RETRY_MS * 2 ** (entry.failures - 1));
    this.#quietUntil = 0;
  }

  /** It is to be dialled again at once, in another way. */
  onOtherWay(address: PeerAddress): void {
    const entry = this.#entries.get(keyOf(address));
    if (entry) entry.isInUse = false;
    this.#quietUntil = 0;
  }

  /** It was not dialled: we have enough connections to its place. */
  onCrowded(address: PeerAddress, now: Instant): void {
    const entry = this.#entries.get(keyOf(address));
    if (!entry) return;
    entry.isInUse = false;
    entry.nextTryAt = now + CROWDED_RETRY_MS;
    this.#quietUntil = 0;
  }

  /** It has everything and so have we: it may be of use again when it starts anew. */
  onSeed(address: PeerAddress, now: Instant): void {
    const entry = this.#entries.get(keyOf(address));
    if (entry) entry.restUntil = now + SEED_RETRY_MS;
  }

  /** We want something again: seeds and all others may be tried at once. */
  rouse(): void {
    for (const entry of this.#entries.values()) {
      if (entry.restUntil > 0) entry.nextTryAt = 0;
      entry.restUntil = 0;
    }
    this.#quietUntil = 0;
  }

  /** Whoever answers there is connected to us already. */
  onDuplicate(address: PeerAddress, now: Instant): void {
    const entry = this.#entries.get(keyOf(address));
    if (entry) entry.restUntil = now + DUPLICATE_RETRY_MS;
  }

  /** The address turned out to be our own: never try it again. */
  forget(address: PeerAddress): void {
    const entry = this.#entries.get(keyOf(address));
    if (entry) this.#delete(entry);
  }

  /** The torrent turned out to be private: what peers and neighbours told is forgotten (BEP 27). */
  keepPrivate(): void {
    for (const entry of [...this.#entries.values()]) {
      if (!PRIVATE_SOURCES.has(entry.source)) this.#delete(entry);
    }
  }

  /** Whether an address is known, tried or not. */
  knows(address: PeerAddress): boolean {
    return this.#entries.has(keyOf(address));
  }

  /** Nobody at this host is talked to again for this torrent. */
  ban(address: PeerAddress): void {
    if (this.#banned.size < BANS_MAX) this.#banned.add(banKey(address));
    for (const entry of this.#entries.values()) if (this.isBanned(entry)) this.#delete(entry);
  }

  isBanned(address: PeerAddress): boolean {
    return this.#banned.has(banKey(address));
  }

  #delete(entry: Entry): void {
    if (this.#entries.delete(keyOf(entry)) && entry.source === 'pex') this.#toldCount--;
  }
}

/** The entry with its rank for our address of today. */
function ranked(entry: Entry, own: OwnAddress | null): Entry {
  if (own && entry.rankedAt !== own.version) {
    entry.rank = own.rank(entry);
    entry.rankedAt = own.version;
  }
  return entry;
}

function isBetter(a: Entry, b: Entry): boolean {
  const [trustA, trustB] = [trustOf(a), trustOf(b)];
  return trustA === trustB ? a.rank > b.rank : trustA > trustB;
}

/** By the user, or in the link that the user gave. */
function isNamed({ source }: Pick<Entry, 'source'>): boolean {
  return source === 'user' || source === 'magnet';
}

function trustOf({ source, isReachable }: Entry): number {
  if (isNamed({ source })) return 3;
  if (source !== 'pex') return 2;
  return isReachable ? 1 : 0;
}

/** A host is banned whole, but for loopback, where every peer of this machine lives. */
function banKey(address: PeerAddress): string {
  return isLoopback(address.host) ? keyOf(address) : address.host;
}

function keyOf(address: PeerAddress): string {
  return `${address.host} ${address.port}`;
}
