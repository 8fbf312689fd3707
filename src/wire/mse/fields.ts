/** Numbers of the handshake's messages, big-endian. */

/** Two bytes, big-endian. */
export function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 255);
}

/** Reads what `uint16` wrote. */
export function readUint16(view: Uint8Array, at: number): number {
  return ((view[at] ?? 0) << 8) | (view[at + 1] ?? 0);
}

/** Reads four bytes as a number without sign. */
export function readUint32(view: Uint8Array, at: number): number {
  return readUint16(view, at) * 65536 + readUint16(view, at + 2);
}
