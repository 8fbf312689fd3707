/** Keeps limits that several transfer threads share: each has a part, moved to where it is used. */
import { type Demand, divideLimit } from './divide-limit.ts';
import type { DirectionLoad, TransferLoad, TransferRates } from './messages.ts';

/** A transfer thread, as far as its limits go. */
export interface LimitedThread {
  readonly hasCrashed: boolean;
  load(): Promise<TransferLoad>;
  limit(rates: TransferRates): Promise<void>;
}

/** Demand follows within so long; more often would measure nothing but bursts. */
const BALANCE_MS = 1_000;

/** A measurement is as good as new for so long. */
const FRESH_MS = 500;

const DIRECTIONS = ['upload', 'download'] as const;
type Direction = (typeof DIRECTIONS)[number];
type Use = Omit<Demand, 'part'>;
const IDLE: Use = { rate: 0, isHungry: false };

/** One thread's figures between two measurements. */
interface Standing {
  readonly thread: LimitedThread;
  measuredAtMs: number;
  readonly movedBytes: Record<Direction, number>;
  readonly use: Record<Direction, Use>;
  readonly part: Record<Direction, number>;
}

/** The limits of a node over its threads. Parts never add up to more than the limit. */
export class LimitBalancer {
  readonly #standings: readonly Standing[];
  readonly #limits: Record<Direction, number>;
  readonly #nowMs: () => number;
  #timer: NodeJS.Timeout | null = null;
  #queue: Promise<void> = Promise.resolve();

  /** The threads have been started with an even part each. */
  constructor(
    threads: readonly LimitedThread[],
    limits: Required<TransferRates>,
    nowMs: () => number = () => performance.now(),
  ) {
    this.#limits = { ...limits };
    this.#nowMs = nowMs;
    this.#standings = threads.map((thread) => ({
      thread,
      measuredAtMs: nowMs(),
      movedBytes: { upload: 0, download: 0 },
      use: { upload: IDLE, download: IDLE },
      part: {
        upload: limits.upload / threads.length,
        download: limits.download / threads.length,
      },
    }));
    this.#watch();
  }

  /** Bytes a second that the `nth` thread moves, both ways, measured within the last second. */
  async rates(): Promise<readonly number[]> {
    await this.#measure(FRESH_MS);
    return this.#standings.map(({ use }) => use.upload.rate + use.download.rate);
  }

  /** Changes limits of all threads together; a lower one holds when this resolves. */
  async limit(rates: TransferRates): Promise<void> {
    for (const direction of DIRECTIONS) {
      this.#limits[direction] = rates[direction] ?? this.#limits[direction];
    }
    this.#watch();
    await this.#balance();
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
  }

  /** Nothing is to be done every second while nothing is limited, or one thread has all. */
  #watch(): void {
    const isNeeded =
      this.#standings.length > 1 && DIRECTIONS.some((way) => this.#limits[way] !== Infinity);
    if (!isNeeded) this.stop();
    if (!isNeeded || this.#timer) return;
    // A thread that died answers no more: its owner has been told.
    this.#timer = setInterval(() => void this.#balance().catch(() => {}), BALANCE_MS);
    this.#timer.unref();
  }

  /** One after another: parts that are being lowered must not be raised by another call. */
  #balance(): Promise<void> {
    const turn = this.#queue.then(async () => {
      await this.#measure(FRESH_MS);
      for (const direction of DIRECTIONS) await this.#divide(direction);
    });
    this.#queue = turn.catch(() => {});
    return turn;
  }

  async #divide(direction: Direction): Promise<void> {
    const limit = this.#limits[direction];
    const living = this.#standings.filter(({ thread }) => !thread.hasCrashed);
    const parts =
      limit === Infinity
        ? living.map(() => limit)
        : divideLimit(
            limit,
            living.map(({ use, part }) => ({ ...use[direction], part: part[direction] })),
          );
    const changes = living.flatMap((standing, nth) => {
      const part = parts[nth] ?? limit;
      return part === standing.part[direction] ? [] : [{ standing, part }];
    });
    const apply = async ({ standing, part }: (typeof changes)[number]): Promise<void> => {
      await standing.thread.limit({ [direction]: part });
      standing.part[direction] = part;
    };
    const isLower = ({ standing, part }: (typeof changes)[number]): boolean =>
      part < standing.part[direction];
    const [lower, higher] = [changes.filter(isLower), changes.filter((change) => !isLower(change))];
    await Promise.all(lower.map(apply));
    await Promise.all(higher.map(apply));
  }

  async #measure(freshMs: number): Promise<void> {
    const stale = this.#standings.filter(
      ({ thread, measuredAtMs }) => !thread.hasCrashed && this.#nowMs() - measuredAtMs > freshMs,
    );
    await Promise.all(
      stale.map(async (standing) => {
        const load = await standing.thread.load();
        const nowMs = this.#nowMs();
        const elapsedMs = Math.max(1, nowMs - standing.measuredAtMs);
        standing.measuredAtMs = nowMs;
        for (const direction of DIRECTIONS) {
          standing.use[direction] = useOf(load[direction], {
            movedBefore: standing.movedBytes[direction],
            elapsedMs,
          });
          standing.movedBytes[direction] = load[direction].movedBytes;
        }
      }),
    );
  }
}

function useOf(
  { movedBytes, wasShort }: DirectionLoad,
  before: { readonly movedBefore: number; readonly elapsedMs: number },
): Use {
  const rate = ((movedBytes - before.movedBefore) * 1000) / before.elapsedMs;
  return { rate, isHungry: wasShort };
}
