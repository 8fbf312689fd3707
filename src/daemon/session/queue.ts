/**
 * Which torrents may work: so many downloads and so many seeds at a time, the first of the queue
 * first. Those that hardly move anything take no place, so that they do not hold up the others.
 */
import type { Instant } from '../../units/index.ts';

/** How many torrents work at a time; `Infinity` for no limit. */
export interface QueueLimits {
  readonly downloadsMax: number;
  readonly seedsMax: number;
}

/** libtorrent's numbers (`active_downloads`, `active_seeds`). */
export const QUEUE_LIMITS: QueueLimits = { downloadsMax: 3, seedsMax: 5 };

/** A torrent that is not paused and has not failed. */
export interface QueueEntry {
  readonly key: string;
  readonly isSeed: boolean;
  /** At work, or asleep and ready. */
  readonly isRunning: boolean;
  readonly isSlow: boolean;
}

/** The torrents that may work, of `entries` in the order of the queue. */
export function chooseRunning(
  entries: Iterable<QueueEntry>,
  limits: QueueLimits,
): ReadonlySet<string> {
  const running = new Set<string>();
  let { downloadsMax: downloadsLeft, seedsMax: seedsLeft } = limits;
  for (const { key, isSeed, isRunning, isSlow } of entries) {
    const takesNoPlace = isRunning && isSlow;
    const left = isSeed ? seedsLeft : downloadsLeft;
    if (!takesNoPlace && left <= 0) continue;
    running.add(key);
    if (takesNoPlace) continue;
    if (isSeed) seedsLeft--;
    else downloadsLeft--;
  }
  return running;
}

/** Bytes a second below which a torrent hardly moves (libtorrent: `inactive_down_rate`). */
const SLOW_RATE = 2 * 1024;
/** It must have been so for so long (libtorrent: `auto_manage_startup`). */
const SLOW_AFTER_MS = 60_000;

/** Watches who moves something. Whoever was never seen to start is slow: a seed nobody asks for. */
export class SlowWatch {
  /** When it last moved something worth its place, or started. */
  readonly #fastAt = new Map<string, Instant>();

  /** It begins: it has its time to find peers. */
  start(key: string, now: Instant): void {
    this.#fastAt.set(key, now);
  }

  /** What it moves in the direction that counts, in bytes a second. */
  observe(key: string, rate: number, now: Instant): void {
    if (rate >= SLOW_RATE) this.#fastAt.set(key, now);
  }

  isSlow(key: string, now: Instant): boolean {
    const fastAt = this.#fastAt.get(key);
    return fastAt === undefined || now - fastAt > SLOW_AFTER_MS;
  }

  forget(key: string): void {
    this.#fastAt.delete(key);
  }
}
