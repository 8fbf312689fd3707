/** When to announce which torrents to our neighbours, and which of their announces to heed. */
import { type Instant, type Random, toHex } from '../../units/index.ts';
import { classifyAddress } from '../address-class.ts';
import { decodeLsd, LSD_TORRENTS_MAX, type LsdAnnounce } from './lsd-message.ts';

/** Each torrent is announced every five minutes (BEP 14). */
const TORRENT_EVERY_MS = 5 * 60_000;
/** Announces a client makes: one a minute (BEP 14) … */
const ANNOUNCE_EVERY_MS = 60_000;
/** … but torrents that are begun one after another shall not wait for that: so many in hand. */
const IN_HAND_MAX = 3;
/** Announces heeded in a second: a network that is louder is up to no good. */
const HEEDED_PER_SECOND_MAX = 100;

/** A neighbour that has a torrent. */
export interface LocalPeer {
  readonly infoHash: Uint8Array;
  readonly host: string;
  readonly port: number;
}

/** The announces of one client. */
export class LocalDiscovery {
  readonly #cookie: string;
  /** By torrent: when it was announced last. */
  readonly #announcedAt = new Map<string, number>();
  #inHand = IN_HAND_MAX;
  #inHandAt: number | null = null;
  #heeded = 0;
  #heededSince = -Infinity;

  /** Whoever can foretell `random` can pass for us, and we would not heed him. */
  constructor(random: Random) {
    this.#cookie = Math.floor(random() * 2 ** 32).toString(16);
  }

  /**
   * The announce that is due, if one is: of up to 20 torrents, those first that were not announced
   * for longest. `torrents` is asked only when something may be said. No private ones (BEP 27).
   */
  next(
    now: Instant,
    port: number,
    torrents: () => Iterable<{ readonly infoHash: Uint8Array }>,
  ): LsdAnnounce | null {
    this.#refill(now);
    if (this.#inHand === 0 || port === 0) return null;
    const current = new Map([...torrents()].map(({ infoHash }) => [toHex(infoHash), infoHash]));
    for (const key of this.#announcedAt.keys()) {
      if (!current.has(key)) this.#announcedAt.delete(key);
    }
    const lastOf = (key: string): number => this.#announcedAt.get(key) ?? -Infinity;
    const due = [...current.keys()]
      .filter((key) => now - lastOf(key) >= TORRENT_EVERY_MS)
      .sort((a, b) => compare(lastOf(a), lastOf(b)))
      .slice(0, LSD_TORRENTS_MAX);
    if (due.length === 0) return null;
    this.#inHand--;
    for (const key of due) this.#announcedAt.set(key, now);
    const infoHashes = due.flatMap((key) => current.get(key) ?? []);
    return { port, infoHashes, cookie: this.#cookie };
  }

  /** Peers that a datagram tells of; none when it is our own, no announce, or not from nearby. */
  receive(view: Uint8Array, host: string, now: Instant): LocalPeer[] {
    if (now - this.#heededSince >= 1_000) {
      this.#heededSince = now;
      this.#heeded = 0;
    }
    if (this.#heeded >= HEEDED_PER_SECOND_MAX || classifyAddress(host) !== 'local') return [];
    this.#heeded++;
    const announce = decodeLsd(view);
    if (!announce || announce.cookie === this.#cookie) return [];
    const { port, infoHashes } = announce;
    return infoHashes.map((infoHash) => ({ infoHash, host, port }));
  }

  #refill(now: Instant): void {
    this.#inHandAt ??= now;
    const minutes = Math.floor((now - this.#inHandAt) / ANNOUNCE_EVERY_MS);
    if (minutes === 0) return;
    this.#inHand = Math.min(IN_HAND_MAX, this.#inHand + minutes);
    this.#inHandAt += minutes * ANNOUNCE_EVERY_MS;
  }
}

function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
