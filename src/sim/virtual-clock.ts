/** Time that passes only when it is told to; what is due happens in order, ties as they came. */
import { type Instant, instant } from '../units/index.ts';

interface Due {
  readonly at: number;
  readonly order: number;
  readonly action: () => void;
}

/** A clock in milliseconds, starting at one second. */
export class VirtualClock {
  #now = 1_000;
  #order = 0;
  /** A binary heap, the earliest first. */
  readonly #heap: Due[] = [];

  get now(): Instant {
    return instant(this.#now);
  }

  /** Does `action` in `delayMs` from now, after everything that is due until then. */
  after(delayMs: number, action: () => void): void {
    const heap = this.#heap;
    const due = { at: this.#now + Math.max(0, delayMs), order: this.#order++, action };
    let at = heap.push(due) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(due, heap[parent] as Due)) break;
      heap[at] = heap[parent] as Due;
      at = parent;
    }
    heap[at] = due;
  }

  /** Does what is due, for `durationMs` or until `isDone` says so; whether it did. */
  run(durationMs: number, isDone: () => boolean = () => false): boolean {
    const end = this.#now + durationMs;
    while (!isDone()) {
      const next = this.#heap[0];
      if (!next || next.at > end) {
        this.#now = end;
        return isDone();
      }
      this.#pop();
      this.#now = next.at;
      next.action();
    }
    return true;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Due;
    if (heap.length === 0) return;
    let at = 0;
    while (true) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Due, heap[child] as Due)) child++;
      if (!isBefore(heap[child] as Due, last)) break;
      heap[at] = heap[child] as Due;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
