/**
 * How much we answer to whom. A UDP sender's address can be forged, so that an answer larger than
 * its question is a weapon: what goes beyond the question is on a tight budget (decision 0030).
 */
import type { Instant } from '../../units/index.ts';

/** The budgets. */
export interface DhtLimits {
  /** Queries answered per second from one prefix (/24, /48), and from everybody. */
  readonly prefixQueriesPerSecond: number;
  readonly queriesPerSecond: number;
  /** Bytes by which answers to unproven addresses may exceed the questions, per second. */
  readonly prefixExcessBytesPerSecond: number;
  readonly excessBytesPerSecond: number;
  /** Bytes of all answers per second. */
  readonly replyBytesPerSecond: number;
}

/** What a node at home can spare; libtorrent sends 8,000 bytes a second in all by default. */
export const DHT_LIMITS: DhtLimits = {
  prefixQueriesPerSecond: 10,
  queriesPerSecond: 200,
  prefixExcessBytesPerSecond: 500,
  excessBytesPerSecond: 16_000,
  replyBytesPerSecond: 64_000,
};

/** Every budget may be saved up for so many seconds. */
const BURST_SECONDS = 8;

/** Prefixes with budgets of their own; beyond, the least recently seen is forgotten. */
const PREFIXES_MAX = 2000;

/** Addresses remembered as proven. */
const PROVEN_MAX = 2000;

/** An address that answered us is believed for so long: as long as a node is good (BEP 5). */
const PROVEN_MS = 15 * 60_000;

/** A budget that fills with time. */
class Budget {
  readonly #perSecond: number;
  #level: number;
  #at: Instant;

  constructor(perSecond: number, now: Instant) {
    this.#perSecond = perSecond;
    this.#level = perSecond * BURST_SECONDS;
    this.#at = now;
  }

  level(now: Instant): number {
    const filled = this.#level + ((now - this.#at) / 1000) * this.#perSecond;
    this.#level = Math.min(filled, this.#perSecond * BURST_SECONDS);
    this.#at = now;
    return this.#level;
  }

  take(amount: number): void {
    this.#level -= amount;
  }
}

interface PrefixBudgets {
  readonly queries: Budget;
  readonly excess: Budget;
}

/** Who asks, and how large the question was. */
export interface Question {
  readonly host: string;
  readonly prefix: string;
  /** On the local network, whose addresses strangers cannot forge: no budget per prefix. */
  readonly isLocal: boolean;
  readonly lengthBytes: number;
}

/** The budgets of one node in one family. */
export class TrafficLimits {
  readonly #limits: DhtLimits;
  readonly #queries: Budget;
  readonly #excess: Budget;
  readonly #replies: Budget;
  readonly #prefixes = new Map<string, PrefixBudgets>();
  readonly #proven = new Map<string, number>();

  constructor(limits: DhtLimits, now: Instant) {
    this.#limits = limits;
    this.#queries = new Budget(limits.queriesPerSecond, now);
    this.#excess = new Budget(limits.excessBytesPerSecond, now);
    this.#replies = new Budget(limits.replyBytesPerSecond, now);
  }

  /** The address answered a question only it could see, or brought back a token. */
  prove(host: string, now: Instant): void {
    this.#proven.delete(host);
    this.#proven.set(host, now + PROVEN_MS);
    dropOldest(this.#proven, PROVEN_MAX);
  }

  isProven({ host, isLocal }: Pick<Question, 'host' | 'isLocal'>, now: Instant): boolean {
    return isLocal || (this.#proven.get(host) ?? 0) > now;
  }

  /** Whether a question is answered at all. Counts it. */
  admits(question: Question, now: Instant): boolean {
    const { queries } = this.#budgetsOf(question.prefix, now);
    const isAllowed =
      (question.isLocal || queries.level(now) >= 1) &&
      this.#queries.level(now) >= 1 &&
      this.#replies.level(now) > 0;
    if (!isAllowed) return false;
    queries.take(1);
    this.#queries.take(1);
    return true;
  }

  /** How long the answer may be, at most `lengthMax`; as long as the question always. */
  replyBytesMax(question: Question, lengthMax: number, now: Instant): number {
    if (this.isProven(question, now)) return lengthMax;
    const { excess } = this.#budgetsOf(question.prefix, now);
    const spare = Math.max(0, Math.min(excess.level(now), this.#excess.level(now)));
    return Math.min(lengthMax, Math.floor(question.lengthBytes + spare));
  }

  /** An answer goes out. */
  spend(question: Question, replyBytes: number, now: Instant): void {
    this.#replies.take(replyBytes);
    const excessBytes = replyBytes - question.lengthBytes;
    if (excessBytes <= 0 || this.isProven(question, now)) return;
    this.#budgetsOf(question.prefix, now).excess.take(excessBytes);
    this.#excess.take(excessBytes);
  }

  #budgetsOf(prefix: string, now: Instant): PrefixBudgets {
    const known = this.#prefixes.get(prefix);
    const budgets = known ?? {
      queries: new Budget(this.#limits.prefixQueriesPerSecond, now),
      excess: new Budget(this.#limits.prefixExcessBytesPerSecond, now),
    };
    this.#prefixes.delete(prefix);
    this.#prefixes.set(prefix, budgets);
    dropOldest(this.#prefixes, PREFIXES_MAX);
    return budgets;
  }
}

function dropOldest(map: Map<string, unknown>, sizeMax: number): void {
  const [oldest] = map.keys();
  if (map.size > sizeMax && oldest !== undefined) map.delete(oldest);
}
