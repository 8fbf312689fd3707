/** When to announce which torrent in the DHT, and look for its peers. Pure. */
import { type Instant, instant, type Random, toHex } from '../../units/index.ts';

/** A torrent that is due. */
export interface DueTorrent {
  readonly key: string;
  readonly infoHash: Uint8Array;
}

/** The usual pause: half of how long nodes keep an announce (BEP 5 as everybody does it). */
const ROUND_MS = 15 * 60_000;

/** While nobody was found, the pause is shorter: it doubles from here to the usual one. */
const RETRY_MS = 5_000;

/** A round that has not ended by now is forgotten. */
const ROUND_MS_MAX = 2 * 60_000;

/** Rounds begun at once: with a call every 200 ms, ten thousand torrents begin in ten minutes. */
const DUE_MAX = 4;

interface Entry extends DueTorrent {
  nextAt: Instant;
  fruitless: number;
}

/** The torrents announced in the DHT. */
export class TorrentRounds {
  readonly #entries = new Map<string, Entry>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Adds a torrent: it is due at once. Never a private one (BEP 27). */
  add(infoHash: Uint8Array, now: Instant): string {
    const key = toHex(infoHash);
    if (!this.#entries.has(key)) {
      this.#entries.set(key, { key, infoHash, nextAt: now, fruitless: 0 });
    }
    return key;
  }

  remove(infoHash: Uint8Array): void {
    this.#entries.delete(toHex(infoHash));
  }

  /** Some of those whose time has come, a few at a time; each is under way until `onDone`. */
  due(now: Instant): readonly DueTorrent[] {
    const due: DueTorrent[] = [];
    for (const entry of this.#entries.values()) {
      if (entry.nextAt > now) continue;
      entry.nextAt = instant(now + ROUND_MS_MAX);
      due.push(entry);
      if (due.length >= DUE_MAX) break;
    }
    return due;
  }

  /** A round ended with so many peers found. */
  onDone(key: string, peerCount: number, now: Instant): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    entry.fruitless = peerCount > 0 ? 0 : entry.fruitless + 1;
    const doubled = RETRY_MS * 2 ** Math.min(entry.fruitless - 1, 10);
    const pauseMs = entry.fruitless === 0 ? ROUND_MS : Math.min(ROUND_MS, doubled);
    entry.nextAt = instant(now + pauseMs * (0.9 + 0.2 * this.#random()));
  }
}
