/**
 * Congestion control that gives way (LEDBAT, RFC 6817; BEP 29): it fills what others leave, by
 * keeping the queue on the path at a tenth of a second.
 */

/** Wanted delay in queues. */
const TARGET_US = 100_000;
/** The window grows by at most so much per round trip, when no queue is seen (libutp's number). */
const GAIN_BYTES = 3_000;
/** Packets sent at first. */
const START_PACKETS = 3;
/** A window above this is of no use: what may be on the way is bounded, too. */
const WINDOW_BYTES_MAX = 4 * 1024 * 1024;
/** What is left of the window after a loss, at most once per round trip. */
const LOSS_FACTOR = 0.5;

/** Something was acknowledged. */
export interface AckSample {
  readonly ackedBytes: number;
  /** Delay in queues, in microseconds. */
  readonly waitingUs: number;
  /** Whether the window, and not the supply of bytes, held us back. */
  readonly wasFull: boolean;
}

/** One connection's congestion window, in bytes. */
export class Ledbat {
  readonly #packetBytes: number;
  #window: number;
  #threshold = Infinity;
  #isSlowStart = true;

  constructor(packetBytes: number) {
    this.#packetBytes = packetBytes;
    this.#window = START_PACKETS * packetBytes;
  }

  /** Bytes that may be on the way; at least one packet. */
  get windowBytes(): number {
    return this.#window;
  }

  onAck({ ackedBytes, waitingUs, wasFull }: AckSample): void {
    if (this.#isSlowStart && waitingUs > 0.9 * TARGET_US) this.#leaveSlowStart();
    const offTarget = Math.max(-1, (TARGET_US - waitingUs) / TARGET_US);
    const share = Math.min(1, ackedBytes / this.#window);
    let gain = GAIN_BYTES * share * offTarget;
    if (this.#isSlowStart) gain = Math.max(gain, ackedBytes);
    // A window that is not used says nothing about the path.
    if (gain > 0 && !wasFull) return;
    this.#set(this.#window + gain);
    if (this.#window >= this.#threshold) this.#isSlowStart = false;
  }

  /** A packet was lost, for the first time within a round trip. */
  onLoss(): void {
    this.#set(this.#window * LOSS_FACTOR);
    this.#leaveSlowStart();
  }

  /** Nothing has come back for a whole timeout: begins anew. */
  onTimeout(): void {
    this.#threshold = Math.max(2 * this.#packetBytes, this.#window * LOSS_FACTOR);
    this.#window = this.#packetBytes;
    this.#isSlowStart = true;
  }

  #leaveSlowStart(): void {
    this.#isSlowStart = false;
    this.#threshold = this.#window;
  }

  #set(bytes: number): void {
    this.#window = Math.min(Math.max(bytes, this.#packetBytes), WINDOW_BYTES_MAX);
  }
}
