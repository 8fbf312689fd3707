/** Hexadecimal and byte-array helpers that every layer needs. */
import { UnitsError } from './units-error.ts';

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);

/** Lower-case hex without a prefix. */
export function toHex(view: Uint8Array): string {
  let text = '';
  for (const byte of view) text += HEX[byte];
  return text;
}

/** Reads hex of either case, with or without `0x`. */
export function fromHex(text: string): Uint8Array {
  const digits = text.startsWith('0x') ? text.slice(2) : text;
  if (digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits)) {
    throw new UnitsError('UNITS_HEX', `'${text.slice(0, 80)}' is not hexadecimal`);
  }
  const view = new Uint8Array(digits.length / 2);
  for (let at = 0; at < view.length; at++) {
    view[at] = Number.parseInt(digits.slice(at * 2, at * 2 + 2), 16);
  }
  return view;
}

/** Whether two arrays hold the same bytes. Not constant-time: never for secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

/** One array holding copies of the parts in order. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
