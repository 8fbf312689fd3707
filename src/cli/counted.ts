/** How many there are, as people write it. */

/** `1 file`, `2 files`: for nouns that take an s. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
