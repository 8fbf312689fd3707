/** The questions we have asked and not had answered yet. */
import { type Instant, type Random, randomInt, toHex } from '../../units/index.ts';
import type { DhtReply, Endpoint } from '../../wire/index.ts';
import { keyOf } from './address-rules.ts';

/** How a question ended. */
export type QueryOutcome =
  | { readonly kind: 'reply'; readonly senderId: Uint8Array; readonly reply: DhtReply }
  | { readonly kind: 'error'; readonly code: number; readonly text: string }
  /** No answer in time. */
  | { readonly kind: 'timeout' };

/** Who was asked, and who wants to know. */
export interface OpenQuery {
  readonly to: Endpoint;
  /** The id we believe is there; null when we do not know. */
  readonly expectedId: Uint8Array | null;
  readonly onOutcome: (outcome: QueryOutcome) => void;
}

interface Pending extends OpenQuery {
  readonly until: number;
}

/** An answer later than this is not awaited. */
const TIMEOUT_MS = 5_000;

/** Questions under way; more are not asked. */
const QUERIES_MAX = 1000;

/** Bytes of our transaction ids: unpredictable, they are what stops forged answers. */
const TRANSACTION_BYTES = 4;

/** Open questions by transaction id, in the order they were asked. */
export class QueryBook {
  readonly #pending = new Map<string, Pending>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  get isFull(): boolean {
    return this.#pending.size >= QUERIES_MAX;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Notes a question and gives its transaction id. */
  open(query: OpenQuery, now: Instant): Uint8Array {
    for (;;) {
      const id = Uint8Array.from({ length: TRANSACTION_BYTES }, () => randomInt(this.#random, 256));
      if (this.#pending.has(toHex(id))) continue;
      this.#pending.set(toHex(id), { ...query, until: now + TIMEOUT_MS });
      return id;
    }
  }

  /** The question this answers, taken out of the book; null when nobody at `from` was asked. */
  take(transactionId: Uint8Array, from: Endpoint): OpenQuery | null {
    if (transactionId.length !== TRANSACTION_BYTES) return null;
    const key = toHex(transactionId);
    const query = this.#pending.get(key);
    if (!query || keyOf(query.to) !== keyOf(from)) return null;
    this.#pending.delete(key);
    return query;
  }

  /** Takes out the questions whose time is over. */
  expire(now: Instant): readonly OpenQuery[] {
    const late: OpenQuery[] = [];
    for (const [key, query] of this.#pending) {
      if (query.until > now) break;
      this.#pending.delete(key);
      late.push(query);
    }
    return late;
  }
}
