/** Reused buffers for pieces being downloaded. Their bounded total is the back-pressure. */
import { MIB } from '../units/index.ts';

/**
 * Memory for unfinished pieces by default: 500 requests in flight, 8 MiB, and as much again on its
 * way to the disk. A gigabit a second needs less up to a delay of 150 ms. More was no faster.
 */
const SLAB_BYTES_DEFAULT: number = 16 * MIB;

/** So many a torrent may always hold, however large its pieces and whatever others hold. */
const SLABS_MIN = 2;

/** Lends slabs of a piece's exact length. */
export class SlabPool {
  readonly #budgetBytes: number;
  readonly #idle = new Map<number, ArrayBuffer[]>();
  #lentBytes = 0;
  #idleBytes = 0;
  #hasRefused = false;

  constructor(budgetBytes: number = SLAB_BYTES_DEFAULT) {
    this.#budgetBytes = budgetBytes;
  }

  /** Whether a slab of `length` bytes can be had now by a torrent that holds `held` slabs. */
  canTake(length: number, held: number): boolean {
    const can = held < SLABS_MIN || this.#lentBytes + length <= this.#budgetBytes;
    this.#hasRefused ||= !can;
    return can;
  }

  /** A slab with whatever bytes it held before, or null when the budget is used up. */
  take(length: number, held: number): Uint8Array | null {
    if (!this.canTake(length, held)) return null;
    this.#lentBytes += length;
    const idle = this.#idle.get(length)?.pop();
    if (idle) this.#idleBytes -= length;
    return new Uint8Array(idle ?? new ArrayBuffer(length));
  }

  /** Whether a slab could not be had since this was last called: somebody may stand still. */
  takeRefusal(): boolean {
    const hasRefused = this.#hasRefused;
    this.#hasRefused = false;
    return hasRefused;
  }

  /** Takes a slab back. */
  give(slab: Uint8Array): void {
    this.#lentBytes -= slab.length;
    if (this.#idleBytes + slab.length > this.#budgetBytes) return;
    const list = this.#idle.get(slab.length) ?? [];
    list.push(slab.buffer as ArrayBuffer);
    this.#idle.set(slab.length, list);
    this.#idleBytes += slab.length;
  }

  /** Forgets idle slabs, when nothing downloads any more. */
  trim(): void {
    this.#idle.clear();
    this.#idleBytes = 0;
  }
}
