/**
 * Who gets the part of the upload that is not for sale: half of it goes to those we owe most, half
 * is given out hopefully, in turns of thirty seconds.
 */
import {
  type BytesPerSecond,
  bytesPerSecond,
  type Instant,
  type Random,
  shuffle,
} from '../units/index.ts';
import { networkPrefix } from './network-prefix.ts';

/** How long a hopeful turn lasts (BEP 3: three choking intervals). */
export const OPTIMISTIC_TURN_MS = 30_000;

/** Free peers served at once, at least: one of each half. */
const FREE_SLOTS_MIN = 2;

/** A peer that does not pay and wants data. */
export interface FreeCandidate {
  readonly key: number;
  readonly remoteHost: string;
  /** Payload of this connection in bytes. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** One round of the free pool. */
export interface FreePoolRound {
  readonly now: Instant;
  /** Bytes a second to give away; any positive unit will do, results are in the same. */
  readonly rate: BytesPerSecond;
  /** Peers to serve at once. */
  readonly slots: number;
  readonly candidates: readonly FreeCandidate[];
  readonly random: Random;
}

/** A peer of the free pool and its part of the rate. */
export interface FreeShare {
  readonly key: number;
  readonly rate: BytesPerSecond;
  readonly isOptimistic: boolean;
}

/** Remembers whose hopeful turn it is. As large as the slots, whatever peers do. */
export class FreePool {
  #turns = new Map<number, Instant>();

  /**
   * Chooses and divides. A network prefix is served once before any is served twice, so that a
   * thousand addresses of one host do not crowd out the others, and still no slot stays empty.
   */
  choose(round: FreePoolRound): readonly FreeShare[] {
    const slots = Math.max(FREE_SLOTS_MIN, Math.floor(round.slots));
    const hopefulSlots = Math.floor(slots / 2);
    const taken = new Set<string>();
    const running = this.#runningTurns(round).slice(0, hopefulSlots);
    for (const candidate of running) taken.add(networkPrefix(candidate.remoteHost));

    const isRunning = new Set(running.map((candidate) => candidate.key));
    const others = round.candidates.filter((candidate) => !isRunning.has(candidate.key));
    const byDeficit = shuffle([...others], round.random).sort((a, b) => deficit(a) - deficit(b));
    const owed = pick(byDeficit, slots - hopefulSlots, taken);

    const isOwed = new Set(owed.map((candidate) => candidate.key));
    const waiting = shuffle(
      others.filter((candidate) => !isOwed.has(candidate.key)),
      round.random,
    );
    const hopeful = [...running, ...pick(waiting, hopefulSlots - running.length, taken)];
    this.#turns = new Map(
      hopeful.map(({ key }) => [key, this.#turns.get(key) ?? round.now] as const),
    );
    return divide(round.rate, owed, hopeful);
  }

  #runningTurns(round: FreePoolRound): readonly FreeCandidate[] {
    return round.candidates.filter((candidate) => {
      const since = this.#turns.get(candidate.key);
      if (since !== undefined && round.now - since < OPTIMISTIC_TURN_MS) return true;
      this.#turns.delete(candidate.key);
      return false;
    });
  }
}

/** What it has got from us beyond what we have got from it; the smallest is served first. */
function deficit(candidate: FreeCandidate): number {
  return candidate.sentBytes - candidate.receivedBytes;
}

/** The first `count` of new prefixes, then, if there are too few, the first of the rest. */
function pick(
  candidates: readonly FreeCandidate[],
  count: number,
  taken: Set<string>,
): readonly FreeCandidate[] {
  const chosen: FreeCandidate[] = [];
  const passedOver: FreeCandidate[] = [];
  for (const candidate of candidates) {
    if (chosen.length >= count) break;
    const prefix = networkPrefix(candidate.remoteHost);
    if (taken.has(prefix)) {
      passedOver.push(candidate);
      continue;
    }
    taken.add(prefix);
    chosen.push(candidate);
  }
  return [...chosen, ...passedOver.slice(0, Math.max(0, count - chosen.length))];
}

/** Half to each group, evenly inside; all of it to the one group there is. */
function divide(
  rate: BytesPerSecond,
  owed: readonly FreeCandidate[],
  hopeful: readonly FreeCandidate[],
): readonly FreeShare[] {
  const forOwed = hopeful.length === 0 ? rate : owed.length === 0 ? 0 : rate / 2;
  const share = (group: readonly FreeCandidate[], part: number, isOptimistic: boolean) =>
    group.map(({ key }) => ({
      key,
      rate: bytesPerSecond(part / group.length),
      isOptimistic,
    }));
  return [...share(owed, forOwed, false), ...share(hopeful, rate - forOwed, true)];
}
