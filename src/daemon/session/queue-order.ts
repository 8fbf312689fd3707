/** The order of the queue, and how users change it. */

/** What has a place in the queue. */
export interface Placed {
  /** The least comes first; no two alike. */
  position: number;
}

/** Where chosen torrents go. They keep their order among themselves. */
export type QueueMove = 'up' | 'down' | 'top' | 'bottom';

/** A list in the order of its positions. */
export class QueueOrder<T extends Placed> {
  #items: T[];

  constructor(items: readonly T[]) {
    this.#items = items.toSorted(byPosition);
  }

  /** First to last. */
  [Symbol.iterator](): Iterator<T> {
    return this.#items[Symbol.iterator]();
  }

  /** A position behind all others. */
  get nextPosition(): number {
    return (this.#items.at(-1)?.position ?? 0) + 1;
  }

  /** Adds an item with `nextPosition`. */
  push(item: T): void {
    this.#items.push(item);
  }

  delete(item: T): void {
    this.#items = this.#items.filter((other) => other !== item);
  }

  /** Moves `chosen`; returns every item whose position changed. */
  move(chosen: ReadonlySet<T>, where: QueueMove): readonly T[] {
    const changed = new Set<T>();
    const mine = this.#items.filter((item) => chosen.has(item));
    switch (where) {
      case 'top': {
        const first = (this.#items[0]?.position ?? 0) - mine.length;
        for (const [nth, item] of mine.entries()) item.position = first + nth;
        for (const item of mine) changed.add(item);
        break;
      }
      case 'bottom': {
        const first = this.nextPosition;
        for (const [nth, item] of mine.entries()) item.position = first + nth;
        for (const item of mine) changed.add(item);
        break;
      }
      case 'up':
        swapWithNeighbours(this.#items, { chosen, changed });
        break;
      case 'down': {
        const reversed = this.#items.toReversed();
        swapWithNeighbours(reversed, { chosen, changed });
        break;
      }
    }
    this.#items.sort(byPosition);
    return [...changed];
  }
}

/** Each chosen item changes places with the one before it, unless that one is chosen, too. */
function swapWithNeighbours<T extends Placed>(
  items: T[],
  { chosen, changed }: { readonly chosen: ReadonlySet<T>; readonly changed: Set<T> },
): void {
  for (let at = 1; at < items.length; at++) {
    const [before, item] = [items[at - 1], items[at]];
    if (!before || !item || !chosen.has(item) || chosen.has(before)) continue;
    [before.position, item.position] = [item.position, before.position];
    [items[at - 1], items[at]] = [item, before];
    changed.add(before).add(item);
  }
}

function byPosition(a: Placed, b: Placed): number {
  return a.position - b.position;
}
