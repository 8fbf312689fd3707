/** A node's threads meet the same trouble, each at its time: people are told of it once. */

/** Lines remembered; they are few. */
const LINES_MAX = 100;

/** Tells echoes from news. */
export class Echoes {
  /** Who has said a line since it was last told. */
  readonly #saidBy = new Map<string, Set<number>>();

  /** Whether another voice has said this before; a voice that repeats itself has news. */
  isEcho(voice: number, line: string): boolean {
    const voices = this.#saidBy.get(line);
    if (voices && !voices.has(voice)) {
      voices.add(voice);
      return true;
    }
    if (this.#saidBy.size >= LINES_MAX) this.#saidBy.clear();
    this.#saidBy.set(line, new Set([voice]));
    return false;
  }
}
