/** Arithmetic of uTP's sequence numbers, which have 16 bits and wrap around. */

/** `number` plus `steps`, either of which may be past the end. */
export function sequenceAdd(number: number, steps: number): number {
  return (number + steps) & 0xffff;
}

/** How far `to` is ahead of `from`: -32768 to 32767, the shorter way round. */
export function sequenceDistance(from: number, to: number): number {
  return (((to - from) & 0xffff) ^ 0x8000) - 0x8000;
}
