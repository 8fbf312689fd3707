/** The receiving half of a uTP connection: puts packets in order, keeps what cannot be used yet. */
import { sequenceAdd, sequenceDistance } from '../../wire/index.ts';

/** Packets ahead of the next one that are kept; libutp and libtorrent send no further ahead. */
const REORDER_PACKETS_MAX = 512;
const SLOTS = 1024;
/** Payload held at most: out of order, or while nobody reads. What we announce as our window. */
export const RECEIVE_BYTES_MAX: number = 1024 * 1024;
/** What a reader that goes on is owed: what it would read at once over TCP. */
const OWED_BYTES = 64 * 1024;
/** Length of a selective ack at most: one bit for each packet that is kept. */
const MASK_BYTES_MAX = REORDER_PACKETS_MAX / 8;

/** What became of a packet. */
export type Arrival = 'next' | 'early' | 'old' | 'refused';

/** Payload on its way to the reader. */
export class ReceiveWindow {
  /** The last packet up to which everything has come. */
  acknowledged: number;
  readonly #early: (Uint8Array | null)[] = new Array(SLOTS).fill(null);
  #earlyCount = 0;
  #heldBytes = 0;
  #owedBytes = 0;
  /** In order, and waiting for the reader to go on. */
  readonly #unread: Uint8Array[] = [];

  constructor(acknowledged: number) {
    this.acknowledged = acknowledged;
  }

  /** How many more bytes we can take. */
  get windowBytes(): number {
    return RECEIVE_BYTES_MAX - this.#heldBytes;
  }

  get hasGap(): boolean {
    return this.#earlyCount > 0;
  }

  /** Where a packet belongs. One that is `early` has been copied, one that is `next` has not. */
  place(sequence: number, payload: Uint8Array): Arrival {
    const ahead = sequenceDistance(this.acknowledged, sequence);
    if (ahead <= 0) return 'old';
    if (ahead === 1) return payload.length <= this.windowBytes ? 'next' : 'refused';
    if (ahead > REORDER_PACKETS_MAX || payload.length > this.windowBytes) return 'refused';
    const slot = sequence % SLOTS;
    if (this.#early[slot]) return 'old';
    this.#early[slot] = payload.slice();
    this.#earlyCount++;
    this.#heldBytes += payload.length;
    return 'early';
  }

  /** The next packet is here: counts it. */
  advance(): void {
    this.acknowledged = sequenceAdd(this.acknowledged, 1);
  }

  /** The packet after it, if it came before its time: counts it, and returns its payload. */
  takeEarly(): Uint8Array | null {
    const slot = sequenceAdd(this.acknowledged, 1) % SLOTS;
    const payload = this.#early[slot];
    if (!payload) return null;
    this.#early[slot] = null;
    this.#earlyCount--;
    this.#heldBytes -= payload.length;
    this.advance();
    return payload;
  }

  /** Keeps payload that is in order until the reader goes on. Copies it. */
  keep(payload: Uint8Array): void {
    this.#unread.push(payload.slice());
    this.#heldBytes += payload.length;
  }

  get hasUnread(): boolean {
    return this.#unread.length > 0;
  }

  /**
   * The reader goes on. It gets something even if it stops again before it is told of any: over TCP
   * others read at once, and would leave it nothing for ever under a tight limit.
   */
  owe(): void {
    this.#owedBytes = OWED_BYTES;
  }

  /** The oldest payload that was kept; of a paused reader, only what is owed to it. */
  takeUnread(isPaused: boolean): Uint8Array | null {
    if (isPaused && this.#owedBytes <= 0) return null;
    const payload = this.#unread.shift() ?? null;
    if (!payload) return null;
    this.#heldBytes -= payload.length;
    this.#owedBytes -= payload.length;
    return payload;
  }

  /** Which packets came early, as BEP 29 writes it; null when none did. */
  selectiveAck(): Uint8Array | null {
    if (this.#earlyCount === 0) return null;
    const mask = new Uint8Array(MASK_BYTES_MAX);
    let left = this.#earlyCount;
    let bit = 0;
    for (; left > 0 && bit < 8 * MASK_BYTES_MAX; bit++) {
      if (!this.#early[sequenceAdd(this.acknowledged, 2 + bit) % SLOTS]) continue;
      mask[bit >> 3] = (mask[bit >> 3] ?? 0) | (1 << (bit & 7));
      left--;
    }
    return mask.subarray(0, 4 * Math.ceil(bit / 32));
  }
}
