/** Keeps a busy loop from printing more than anybody can read. */

const EVERY_MS = 250;

/** True at most four times a second. */
export class Throttle {
  #dueAt: number = performance.now() + EVERY_MS;

  isDue(): boolean {
    const now = performance.now();
    if (now < this.#dueAt) return false;
    this.#dueAt = now + EVERY_MS;
    return true;
  }
}
