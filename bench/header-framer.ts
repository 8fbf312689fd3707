/** Cuts a peer's byte stream into messages for clients that look at their heads only. */

/** Ids of the messages that the bench's own clients know (BEP 3). */
export const MESSAGE = {
  choke: 0,
  unchoke: 1,
  interested: 2,
  bitfield: 5,
  request: 6,
  piece: 7,
  cancel: 8,
} as const;

/** What a message begins with. */
export interface Head {
  readonly id: number;
  /** The three numbers of a request or cancel; a piece has the first two. */
  readonly index: number;
  readonly begin: number;
  readonly length: number;
  /** All bytes after the length prefix. */
  readonly messageBytes: number;
}

/** What comes out of the stream. */
export interface FramerEvents {
  /** The remote's handshake is complete. */
  onHandshake(): void;
  /** The message is complete. */
  onMessage(head: Head): void;
  /** Payload of a block; borrowed. Blocks are only counted when this is absent. */
  onPayload?(head: Head, bytes: Buffer, offset: number): void;
}

const HANDSHAKE_BYTES = 68;
const PIECE_HEAD_BYTES = 13;
const REQUEST_BYTES = 17;

/** See the head of this file. */
export class HeaderFramer {
  readonly #events: FramerEvents;
  readonly #store = Buffer.alloc(HANDSHAKE_BYTES);
  #have = 0;
  #need = HANDSHAKE_BYTES;
  #isHandshaken = false;
  #head: Head | null = null;
  /** Bytes of the present message still to come. */
  #rest = 0;

  constructor(events: FramerEvents) {
    this.#events = events;
  }

  /** Consumes the first `length` bytes of `chunk`, which may be reused afterwards. */
  take(length: number, chunk: Buffer): void {
    let at = 0;
    while (at < length) {
      if (this.#head !== null) {
        at += this.#takeRest(this.#head, chunk.subarray(at, length));
        continue;
      }
      const size = Math.min(this.#need - this.#have, length - at);
      chunk.copy(this.#store, this.#have, at, at + size);
      this.#have += size;
      at += size;
      if (this.#have === this.#need) this.#readStore();
    }
  }

  #takeRest(head: Head, bytes: Buffer): number {
    const size = Math.min(this.#rest, bytes.length);
    if (head.id === MESSAGE.piece && this.#events.onPayload) {
      const offset = head.begin + head.messageBytes - 9 - this.#rest;
      this.#events.onPayload(head, bytes.subarray(0, size), offset);
    }
    this.#rest -= size;
    if (this.#rest === 0) this.#finish(head);
    return size;
  }

  /** The store holds as much as was needed: acts on it, or finds out how much more is needed. */
  #readStore(): void {
    if (!this.#isHandshaken) {
      this.#isHandshaken = true;
      this.#await(4);
      this.#events.onHandshake();
      return;
    }
    const store = this.#store;
    const messageBytes = store.readUInt32BE(0);
    if (messageBytes === 0) {
      this.#await(4);
      return;
    }
    if (this.#need === 4) {
      this.#need = 5;
      return;
    }
    const id = store[4] ?? 0;
    const headBytes = id === MESSAGE.piece ? PIECE_HEAD_BYTES : REQUEST_BYTES;
    const wanted = Math.min(headBytes, 4 + messageBytes);
    if (this.#need < wanted) {
      this.#need = wanted;
      return;
    }
    const number = (at: number): number => (at + 4 <= wanted ? store.readUInt32BE(at) : 0);
    const head = { id, index: number(5), begin: number(9), length: number(13), messageBytes };
    this.#rest = 4 + messageBytes - wanted;
    if (this.#rest === 0) this.#finish(head);
    else this.#head = head;
  }

  #finish(head: Head): void {
    this.#head = null;
    this.#await(4);
    this.#events.onMessage(head);
  }

  #await(byteCount: number): void {
    this.#have = 0;
    this.#need = byteCount;
  }
}

/** A handshake without extensions (BEP 3). `prefix` begins the peer id, 8 characters. */
export function handshakeOf(infoHash: Uint8Array, prefix: string, random: Uint8Array): Buffer {
  const greeting = Buffer.from('\x13BitTorrent protocol\0\0\0\0\0\0\0\0', 'latin1');
  return Buffer.concat([greeting, infoHash, Buffer.from(prefix), random.subarray(0, 12)]);
}
