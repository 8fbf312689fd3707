/** Which bytes of a file a request wants (RFC 9110, section 14). */

/** Bytes `[start, end)`; `end` is not part of it. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What a `Range` header comes to: the whole file, a part of it, or nothing there is. */
export type RangeOutcome =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly range: ByteRange }
  | { readonly kind: 'unsatisfiable' };

const WHOLE: RangeOutcome = { kind: 'whole' };
const UNSATISFIABLE: RangeOutcome = { kind: 'unsatisfiable' };

/** `bytes=` and one range: `0-499`, `500-`, `-500`. */
const ONE_RANGE = /^bytes=\s*(?:(\d{1,16})-(\d{0,16})|-(\d{1,16}))\s*$/i;

/**
 * Reads a `Range` header for a file of `lengthBytes`. What is malformed, in another unit, or asks
 * for several ranges at once is ignored, as the RFC allows: the answer is then the whole file.
 */
export function readRange(header: string | undefined, lengthBytes: number): RangeOutcome {
  const [, first, last, suffix] = ONE_RANGE.exec(header ?? '') ?? [];
  if (suffix !== undefined) return suffixOf(Number(suffix), lengthBytes);
  if (first === undefined) return WHOLE;
  const start = Number(first);
  const end = last ? Number(last) + 1 : lengthBytes;
  if (last && start >= end) return WHOLE;
  if (start >= lengthBytes) return UNSATISFIABLE;
  return { kind: 'part', range: { start, end: Math.min(end, lengthBytes) } };
}

function suffixOf(wanted: number, lengthBytes: number): RangeOutcome {
  if (wanted === 0) return UNSATISFIABLE;
  // No `Content-Range` can name a part of an empty file.
  if (lengthBytes === 0) return WHOLE;
  return { kind: 'part', range: { start: Math.max(0, lengthBytes - wanted), end: lengthBytes } };
}
