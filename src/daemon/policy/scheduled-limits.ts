/** Keeps a node's limits as its schedule says, by the clock on the wall. */
import type { TransferRates } from '../transfer/messages.ts';
import { ratesAt, type ScheduleLine, type WallTime } from './schedule.ts';

/** What is limited: all transfer threads together. */
export interface Limited {
  limit(rates: TransferRates): Promise<void>;
}

/** What the limits are. */
export interface ScheduledRates {
  /** Bytes a second, `Infinity` for no limit: when no line holds. */
  readonly usual: Required<TransferRates>;
  /** The first that holds rules. */
  readonly lines: readonly ScheduleLine[];
}

/** Lines are in whole minutes, and so are the offsets of all time zones of today. */
const MINUTE_MS = 60_000;

/** The limits that hold at a moment. */
export function ratesNow(
  { usual, lines }: ScheduledRates,
  now: Date = new Date(),
): Required<TransferRates> {
  return ratesAt(lines, usual, wallTime(now));
}

/** Changes limits at the minutes where the schedule does. */
export class ScheduledLimits {
  readonly #target: Limited;
  #rates: ScheduledRates;
  #current: Required<TransferRates>;
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;

  /** The target has `current` already. */
  constructor(
    target: Limited,
    rates: ScheduledRates,
    current: Required<TransferRates> = ratesNow(rates),
  ) {
    this.#target = target;
    this.#rates = rates;
    this.#current = current;
    this.#wait();
  }

  /** Bytes a second that hold now. */
  get current(): Required<TransferRates> {
    return this.#current;
  }

  /** Replaces the schedule, the usual limits, or both; in force when this resolves. */
  async change(rates: Partial<ScheduledRates>): Promise<void> {
    this.#rates = { ...this.#rates, ...rates };
    await this.#apply();
    this.#wait();
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer) clearTimeout(this.#timer);
  }

  /** Until the next minute, as long as there is a schedule; it may be late after a sleep. */
  #wait(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#isStopped || this.#rates.lines.length === 0) return;
    this.#timer = setTimeout(
      () => {
        // A thread that died answers no more: its owner has been told.
        this.#apply().catch(() => {});
        this.#wait();
      },
      MINUTE_MS - (Date.now() % MINUTE_MS),
    );
    this.#timer.unref();
  }

  async #apply(): Promise<void> {
    const { upload, download } = ratesNow(this.#rates);
    if (upload === this.#current.upload && download === this.#current.download) return;
    this.#current = { upload, download };
    await this.#target.limit(this.#current);
  }
}

function wallTime(now: Date): WallTime {
  return { weekday: now.getDay(), minute: now.getHours() * 60 + now.getMinutes() };
}
