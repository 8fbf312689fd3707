/**
 * Cuts one peer's byte stream after the handshake into messages, in place. Block payload is never
 * gathered here: it is copied once, straight to where the sink wants it, however it was split.
 */
import { BLOCK_BYTES } from '../../units/index.ts';
import { WireError } from '../wire-error.ts';
import { HASH_REF_BYTES } from './hash-messages.ts';
import { EXTENDED_BYTES_MAX, MESSAGE } from './messages.ts';

/** What a stream says. Views are borrowed: the reader's buffer changes after the call. */
export interface PeerMessageSink {
  onChoke(isChoking: boolean): void;
  onInterested(isInterested: boolean): void;
  onHave(index: number): void;
  onBitfield(bits: Uint8Array): void;
  onHaveAll(): void;
  onHaveNone(): void;
  onRequest(index: number, begin: number, length: number): void;
  onCancel(index: number, begin: number, length: number): void;
  onReject(index: number, begin: number, length: number): void;
  onAllowedFast(index: number): void;
  /** The peer's DHT node listens at this UDP port (BEP 5). Left out by who has no use for it. */
  onPort?(port: number): void;
  onExtended(id: number, payload: Uint8Array): void;
  /** Hash request, hashes or hash reject (BEP 52), as `id` says: for `decodeHashes`. */
  onHashMessage?(id: number, body: Uint8Array): void;
  /** Where the payload of a block goes: exactly `length` bytes, or null to drop it. */
  onBlockStart(index: number, begin: number, length: number): Uint8Array | null;
  onBlockEnd(index: number, begin: number, length: number): void;
}

/** Largest bitfield: 2,097,152 pieces, libtorrent's limit too. */
const BITFIELD_BYTES_MAX = 1 + 2_097_152 / 8;
const PIECE_PREFIX = 9;

/** Room for every short message that the network split. */
const PENDING_BYTES = 64;

/** Length of the body, for the messages whose length is fixed. */
const BODY_BYTES: Readonly<Record<number, number>> = {
  [MESSAGE.choke]: 0,
  [MESSAGE.unchoke]: 0,
  [MESSAGE.interested]: 0,
  [MESSAGE.notInterested]: 0,
  [MESSAGE.have]: 4,
  [MESSAGE.request]: 12,
  [MESSAGE.cancel]: 12,
  [MESSAGE.haveAll]: 0,
  [MESSAGE.haveNone]: 0,
  [MESSAGE.reject]: 12,
  [MESSAGE.allowedFast]: 4,
  [MESSAGE.port]: 2,
  [MESSAGE.hashRequest]: HASH_REF_BYTES,
  [MESSAGE.hashReject]: HASH_REF_BYTES,
};

/** A message's longest acceptable length, its id included. */
function lengthMax(id: number): number {
  switch (id) {
    case MESSAGE.piece:
      return PIECE_PREFIX + BLOCK_BYTES;
    case MESSAGE.bitfield:
      return BITFIELD_BYTES_MAX;
    case MESSAGE.extended:
      return EXTENDED_BYTES_MAX;
    default:
      // Everything else we know is at most 17 KiB; unknown messages are skipped within reason.
      return 64 * 1024;
  }
}

/** Reads a big-endian 32-bit number. */
function uint32(view: Uint8Array, at: number): number {
  return (
    (((view[at] ?? 0) << 24) |
      ((view[at + 1] ?? 0) << 16) |
      ((view[at + 2] ?? 0) << 8) |
      (view[at + 3] ?? 0)) >>>
    0
  );
}

/**
 * The reader of one connection, from the first byte after the handshake. When `push` throws
 * `WireError`, the connection is to be closed.
 */
export class PeerFramer {
  readonly #sink: PeerMessageSink;
  /** Bytes of a message whose end has not arrived yet. */
  #pending: Uint8Array = new Uint8Array(PENDING_BYTES);
  #pendingBytes = 0;
  #isStopped = false;
  /** The block being received: where it goes, and how many bytes are missing. */
  #target: Uint8Array | null = null;
  #missing = 0;
  #index = 0;
  #begin = 0;
  #length = 0;

  constructor(sink: PeerMessageSink) {
    this.#sink = sink;
  }

  /** Nothing more is delivered, not even from the bytes of the call under way. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Whether a block is half received, and so its target still in use. */
  get target(): Uint8Array | null {
    return this.#missing > 0 ? this.#target : null;
  }

  /** The rest of the block under way is thrown away: its target is needed elsewhere. */
  dropTarget(): void {
    this.#target = null;
  }

  /** Takes the stream's next bytes. */
  push(view: Uint8Array): void {
    let at = 0;
    while (at < view.length && !this.#isStopped) {
      if (this.#missing > 0) at = this.#fillBlock(view, at);
      else at = this.#readMessage(view, at);
    }
  }

  #fillBlock(view: Uint8Array, at: number): number {
    const taken = Math.min(this.#missing, view.length - at);
    if (this.#target) {
      this.#target.set(view.subarray(at, at + taken), this.#length - this.#missing);
    }
    this.#missing -= taken;
    if (this.#missing === 0) {
      this.#target = null;
      this.#sink.onBlockEnd(this.#index, this.#begin, this.#length);
    }
    return at + taken;
  }

  /** Reads one message starting at `at`, or keeps its beginning. Returns where to go on. */
  #readMessage(view: Uint8Array, at: number): number {
    if (this.#pendingBytes > 0) return this.#readSplit(view, at);
    const left = view.length - at;
    if (left < 4) return this.#gather(view, at, 4);
    const length = uint32(view, at);
    if (length === 0) return at + 4;
    if (left < 5) return this.#gather(view, at, 5);
    const id = view[at + 4] ?? 0;
    this.#checkLength(id, length);
    if (id === MESSAGE.piece && left >= 4 + PIECE_PREFIX) {
      this.#startBlock(view, at + 5, length);
      return at + 4 + PIECE_PREFIX;
    }
    if (left < 4 + length) {
      return this.#gather(view, at, 4 + (id === MESSAGE.piece ? PIECE_PREFIX : length));
    }
    this.#deliver(id, view.subarray(at + 5, at + 4 + length));
    return at + 4 + length;
  }

  /** Goes on with a message whose beginning is in `#pending`. */
  #readSplit(view: Uint8Array, at: number): number {
    let end = at;
    let need = this.#needed();
    while (this.#pendingBytes < need) {
      if (end === view.length) return end;
      end = this.#gather(view, end, need);
      need = this.#needed();
    }
    const whole = this.#pending;
    this.#pendingBytes = 0;
    if (whole.length > 64 * 1024) this.#pending = new Uint8Array(PENDING_BYTES);
    const length = uint32(whole, 0);
    const id = whole[4] ?? 0;
    if (length === 0) return end;
    if (id === MESSAGE.piece) this.#startBlock(whole, 5, length);
    else this.#deliver(id, whole.subarray(5, need));
    return end;
  }

  /** How many bytes of the message in `#pending` must be there: more is known as more arrive. */
  #needed(): number {
    if (this.#pendingBytes < 4) return 4;
    const length = uint32(this.#pending, 0);
    if (length === 0) return 4;
    if (this.#pendingBytes < 5) return 5;
    const id = this.#pending[4] ?? 0;
    this.#checkLength(id, length);
    return 4 + (id === MESSAGE.piece ? PIECE_PREFIX : length);
  }

  /** Copies into `#pending` until it holds `need` bytes; returns where the copy ended. */
  #gather(view: Uint8Array, at: number, need: number): number {
    if (this.#pending.length < need) {
      const grown = new Uint8Array(need);
      grown.set(this.#pending.subarray(0, this.#pendingBytes));
      this.#pending = grown;
    }
    const taken = Math.min(need - this.#pendingBytes, view.length - at);
    this.#pending.set(view.subarray(at, at + taken), this.#pendingBytes);
    this.#pendingBytes += taken;
    return at + taken;
  }

  #checkLength(id: number, length: number): void {
    if (length > lengthMax(id)) {
      throw new WireError(
        'WIRE_LENGTH_EXCEEDED',
        `message ${id} announces ${length} bytes, at most ${lengthMax(id)} are accepted`,
        { id, length },
      );
    }
    if (id === MESSAGE.piece && length <= PIECE_PREFIX) malformed(id, length);
  }

  #startBlock(view: Uint8Array, at: number, length: number): void {
    this.#index = uint32(view, at);
    this.#begin = uint32(view, at + 4);
    this.#length = length - PIECE_PREFIX;
    this.#missing = this.#length;
    this.#target = this.#sink.onBlockStart(this.#index, this.#begin, this.#length);
  }

  #deliver(id: number, body: Uint8Array): void {
    const wanted = BODY_BYTES[id];
    if (wanted !== undefined && wanted !== body.length) malformed(id, body.length);
    const sink = this.#sink;
    if (id === MESSAGE.choke || id === MESSAGE.unchoke) sink.onChoke(id === MESSAGE.choke);
    else if (id === MESSAGE.interested) sink.onInterested(true);
    else if (id === MESSAGE.notInterested) sink.onInterested(false);
    else if (id === MESSAGE.have) sink.onHave(uint32(body, 0));
    else if (id === MESSAGE.bitfield) sink.onBitfield(body);
    else if (id === MESSAGE.haveAll) sink.onHaveAll();
    else if (id === MESSAGE.haveNone) sink.onHaveNone();
    else if (id === MESSAGE.request) {
      sink.onRequest(uint32(body, 0), uint32(body, 4), uint32(body, 8));
    } else if (id === MESSAGE.cancel) {
      sink.onCancel(uint32(body, 0), uint32(body, 4), uint32(body, 8));
    } else if (id === MESSAGE.reject) {
      sink.onReject(uint32(body, 0), uint32(body, 4), uint32(body, 8));
    } else if (id === MESSAGE.allowedFast) sink.onAllowedFast(uint32(body, 0));
    else if (id === MESSAGE.port) sink.onPort?.(((body[0] ?? 0) << 8) | (body[1] ?? 0));
    else if (id === MESSAGE.extended) {
      if (body.length < 1) malformed(id, 0);
      sink.onExtended(body[0] ?? 0, body.subarray(1));
    } else if (id >= MESSAGE.hashRequest && id <= MESSAGE.hashReject)
      sink.onHashMessage?.(id, body);
    // Suggest and messages we do not know are allowed and ignored (BEP 3, BEP 4).
  }
}

function malformed(id: number, size: number): never {
  throw new WireError('WIRE_MESSAGE', `message ${id} has a wrong length of ${size} bytes`, { id });
}
