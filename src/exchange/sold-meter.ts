/** Counts sold bytes and what they cost. Both ends of a connection run one and get equal sums. */
import {
  type Atto,
  type AttoPerMib,
  assert,
  atto,
  bytes,
  costOf,
  MIB,
  ZERO_ATTO,
} from '../units/index.ts';

/**
 * Tags are 1 … 255: a quote's sequence, wrapped around. 0 is the engine's tag for free requests.
 */
const TAG_COUNT = 255;

/** Segments that are looked at one by one; what is older counts as paid first. */
const RECENT_SEGMENTS_MAX = 8;

const MIB_BIG = BigInt(MIB);

/** The tag of requests sold under a quote. */
export function tagOf(sequence: number): number {
  return 1 + ((sequence - 1) % TAG_COUNT);
}

/** How many whole bytes `amount` buys: rounded down, to the seller's benefit. */
export function bytesFor(amount: Atto, price: AttoPerMib): number {
  if (price === 0n) return Infinity;
  const whole = (amount * MIB_BIG) / price;
  return whole > BigInt(Number.MAX_SAFE_INTEGER) ? Infinity : Number(whole);
}

/** What was sold under one quote. `cost` is brought up to `size` when it is asked for. */
interface Segment {
  readonly price: AttoPerMib;
  size: number;
  cost: Atto;
}

/** A conversion of money to bytes that holds until the amount changes. */
interface Known {
  readonly amount: Atto;
  readonly price: AttoPerMib | null;
  readonly size: number;
  readonly at: number;
}

/**
 * Bytes by quote, and their cost: per quote the bytes are summed first and the cost rounded up
 * once, so at most one atto per quote is lost to rounding, to the seller's benefit.
 *
 * A block costs additions of plain numbers only. Money is worked out when it is asked for, and
 * between two vouchers a limit in bytes is the last one less what was sold since: with big integers
 * in every block a paid download took a tenth more CPU.
 */
export class SoldMeter {
  readonly #segments = new Map<number, Segment>();
  readonly #uncosted = new Set<Segment>();
  #recent: readonly Segment[] = [];
  #owed: Atto = ZERO_ATTO;
  #size = 0;
  #unpaid: Known | null = null;
  #room: Known | null = null;

  /** All that was sold on this connection, in atto. Never falls. */
  get owed(): Atto {
    for (const segment of this.#uncosted) {
      const cost = costOf(bytes(segment.size), segment.price);
      this.#owed = atto(this.#owed + cost - segment.cost);
      segment.cost = cost;
    }
    this.#uncosted.clear();
    return this.#owed;
  }

  /** All sold bytes. */
  get size(): number {
    return this.#size;
  }

  /** The price under a tag; null when nothing was ever sold under it. */
  priceOf(tag: number): AttoPerMib | null {
    return this.#segments.get(tag)?.price ?? null;
  }

  /**
   * From here on `tag` stands for `price`. The same quote accepted again goes on where it was; a
   * tag whose price changed (its quote is 255 back) starts anew.
   */
  open(tag: number, price: AttoPerMib): void {
    assert(tag >= 1 && tag <= TAG_COUNT, `tag ${tag}`);
    if (this.#segments.get(tag)?.price === price) return;
    const segment: Segment = { price, size: 0, cost: ZERO_ATTO };
    this.#unpaid = null;
    this.#segments.set(tag, segment);
    this.#recent = [...this.#recent, segment].slice(-RECENT_SEGMENTS_MAX);
  }

  /** Counts a delivered block. False when the tag was never opened: then nothing is owed for it. */
  add(tag: number, size: number): boolean {
    const segment = this.#segments.get(tag);
    if (!segment) return false;
    segment.size += size;
    this.#size += size;
    this.#uncosted.add(segment);
    return true;
  }

  /** Bytes that can be sold at `price` until `limit` is owed, rounded down. */
  roomBytes(limit: Atto, price: AttoPerMib): number {
    const known = this.#room;
    if (known?.amount === limit && known.price === price) {
      return Math.max(0, known.size - (this.#size - known.at));
    }
    const { owed } = this;
    const size = limit > owed ? bytesFor(atto(limit - owed), price) : 0;
    this.#room = { amount: limit, price, size, at: this.#size };
    return size;
  }

  /**
   * Delivered bytes that `paid` does not cover, the oldest quotes being paid first. A byte counts
   * as paid only when all of it is: rounded up, so that a limit on it really is one.
   */
  unpaidBytes(paid: Atto): number {
    const known = this.#unpaid;
    if (known?.amount === paid) return known.size + this.#size - known.at;
    const { owed } = this;
    if (paid > owed) return 0;
    const size = this.#bytesOwed(atto(owed - paid));
    this.#unpaid = { amount: paid, price: null, size, at: this.#size };
    return size;
  }

  #bytesOwed(debt: Atto): number {
    let open: bigint = debt;
    let unpaid = 0;
    for (let at = this.#recent.length - 1; at >= 0 && open > 0n; at--) {
      const segment = this.#recent[at] as Segment;
      if (open >= segment.cost) {
        unpaid += segment.size;
        open -= segment.cost;
      } else {
        unpaid += Math.min(
          segment.size,
          Number((open * MIB_BIG + segment.price - 1n) / segment.price),
        );
        open = 0n;
      }
    }
    return open > 0n ? this.#size : unpaid;
  }
}
