/** What the codes of a seller's `error` messages mean to a buyer. Unknown codes are only told. */

/** Requests are no longer bought until things are settled: `accept 0` is the answer. */
const STEP_BACK_CODES: ReadonlySet<string> = new Set(['unpaid', 'quote-unknown', 'quote-ignored']);

/** Vouchers that came too late or were too small: the next one makes good for them. */
const HARMLESS_CODES: ReadonlySet<string> = new Set(['voucher-not-more', 'voucher-too-small']);

/** Whether the buyer must stop buying for now. */
export function endsBuying(code: string): boolean {
  return STEP_BACK_CODES.has(code);
}

/** Whether a lane, or what was signed on it, was not taken: `lane-…`, `path-…` and `voucher-…`. */
export function isLaneLost(code: string): boolean {
  return !HARMLESS_CODES.has(code) && /^(lane|path|voucher)-/.test(code);
}
