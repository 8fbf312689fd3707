/** Counts per name, forgetting names at zero. */

/** How many of each there are. As large as the number of names with a count. */
export class Tally {
  readonly #counts = new Map<string, number>();

  count(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  add(name: string): void {
    this.#counts.set(name, this.count(name) + 1);
  }

  remove(name: string): void {
    const count = this.count(name);
    if (count > 1) this.#counts.set(name, count - 1);
    else this.#counts.delete(name);
  }
}
