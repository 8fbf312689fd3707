/** The clock that seeding is measured by: it stands still while the session is closed. */

/**
 * How long a session has been open, all its runs together: a torrent that seeds on after a restart
 * needs nothing written down for that.
 */
export class SessionClock {
  readonly #beforeSeconds: number;
  readonly #nowMs: () => number;
  readonly #openedAtMs: number;

  /** `beforeSeconds` is what an earlier run has written. */
  constructor(beforeSeconds: number, nowMs: () => number = () => performance.now()) {
    this.#beforeSeconds = beforeSeconds;
    this.#nowMs = nowMs;
    this.#openedAtMs = nowMs();
  }

  /** Never goes back, but for what was not written when the process was killed. */
  get seconds(): number {
    return this.#beforeSeconds + (this.#nowMs() - this.#openedAtMs) / 1000;
  }
}
