/** Ctrl-C and its like as an AbortSignal. */
import { aborted, whileAlive } from './waits.ts';

/** What asked us to stop. SIGPIPE: nobody reads our output any more. */
export type StopReason = 'SIGHUP' | 'SIGINT' | 'SIGPIPE' | 'SIGTERM';

/**
 * Signals so soon after the first are the same one: a terminal sends Ctrl-C to the whole process
 * group, and a starting script passes it on as well.
 */
const SAME_MS = 300;

/** A request to stop that comes once; the second one is the caller's `insist`. */
export class StopRequest {
  readonly #controller = new AbortController();
  readonly #insist: (reason: StopReason) => void;
  #reason: StopReason | null = null;
  #requestedAt = 0;

  constructor(insist: (reason: StopReason) => void) {
    this.#insist = insist;
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => this.request(name));
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Null until somebody asked. */
  get reason(): StopReason | null {
    return this.#reason;
  }

  request(reason: StopReason): void {
    if (this.#reason === null) {
      this.#reason = reason;
      this.#requestedAt = performance.now();
      this.#controller.abort();
    } else if (performance.now() - this.#requestedAt > SAME_MS) {
      this.#insist(reason);
    }
  }

  /** Resolves when somebody asked. */
  async wait(): Promise<void> {
    await whileAlive(() => aborted(this.signal));
  }
}
