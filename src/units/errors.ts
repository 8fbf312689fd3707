/** The base of every layer's error class, and the assertion for our own mistakes. */

/** Facts about a failure, for logs and for `--json`. Never keys or secrets. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/**
 * A failure of the world, with a stable code from a closed set per layer.
 *
 * `message` is the one plain line a user reads: what was wrong with which input, what to do.
 */
export abstract class AppError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly details: ErrorDetails;

  constructor(code: Code, message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}

/** One of our own assumptions did not hold. Nobody catches it; the daemon stops and says so. */
export class AssertionFailure extends Error {
  override readonly name = 'AssertionFailure';
}

/**
 * Stops the program when `condition` is false: for our own mistakes, never for bad input. A message
 * made of values is given as a function: on the hot path its text would cost more than the check.
 */
export function assert(condition: unknown, message: string | (() => string)): asserts condition {
  if (!condition) throw new AssertionFailure(typeof message === 'string' ? message : message());
}
