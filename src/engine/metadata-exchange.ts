/** BEP 9 for one connection: asks for the info dictionary a magnet lacks, and serves ours. */
import { concatBytes, type Instant, instant } from '../units/index.ts';
import { BencodeDict, decodeBencodePrefix, encodeBencode, WireError } from '../wire/index.ts';
import { METADATA_PIECE_BYTES, type MetadataCollector } from './metadata-collector.ts';

/** Its name in the extension handshake. */
export const METADATA_EXTENSION = 'ut_metadata';

const REQUEST = 0;
const DATA = 1;
const REJECT = 2;

/** Times one peer may ask for each of our metadata pieces. */
const SERVES_PER_PIECE_MAX = 3;

/** Requests beyond those before the connection is closed. */
const REFUSALS_MAX = 200;

/** A peer that was asked and said nothing for so long is not waited for. */
const TIMEOUT_MS = 10_000;

/** What the exchange needs of its torrent. */
export interface MetadataOwner {
  /** The info dictionary's bytes when we have them. */
  readonly infoBytes: Uint8Array | null;
  /** What is gathered when we have not. */
  readonly collector: MetadataCollector | null;
}

/** One connection's part in moving metadata. */
export class MetadataExchange {
  readonly #owner: MetadataOwner;
  readonly #peerKey: number;
  readonly #send: (payload: Uint8Array) => void;
  #served = 0;
  #refused = 0;
  #askedAt: Instant | null = null;
  #now: Instant = instant(0);

  constructor(owner: MetadataOwner, peerKey: number, send: (payload: Uint8Array) => void) {
    this.#owner = owner;
    this.#peerKey = peerKey;
    this.#send = send;
  }

  /** The remote said how long its info dictionary is (null: it has none). */
  onRemoteSize(size: number | null): void {
    if (size !== null) this.#owner.collector?.offer(this.#peerKey, size);
  }

  /** Asks for the next pieces when the remote has metadata and does not keep us waiting. */
  onTick(now: Instant): void {
    this.#now = now;
    const collector = this.#owner.collector;
    if (!collector) return;
    if (!collector.isWaitingFor(this.#peerKey)) this.#askedAt = null;
    if (this.#askedAt !== null && now - this.#askedAt > TIMEOUT_MS) {
      collector.withdraw(this.#peerKey);
      return;
    }
    while (true) {
      const piece = collector.next(this.#peerKey, now);
      if (piece === null) return;
      this.#askedAt = now;
      this.#send(encodeBencode({ msg_type: REQUEST, piece }));
    }
  }

  onMessage(payload: Uint8Array): void {
    const { value, end } = decodeBencodePrefix(payload, { depthMax: 8, tokensMax: 64 });
    const type = value instanceof BencodeDict ? value.integer('msg_type') : null;
    const piece = value instanceof BencodeDict ? value.integer('piece') : null;
    if (type === null || piece === null || piece < 0) {
      throw new WireError('WIRE_EXTENSION', 'a metadata message lacks its type or piece');
    }
    if (type === REQUEST) this.#serve(piece);
    else if (type === DATA) this.#take(piece, payload.subarray(end));
    else if (type === REJECT) this.#owner.collector?.withdraw(this.#peerKey);
  }

  onClosed(): void {
    this.#owner.collector?.withdraw(this.#peerKey);
  }

  #serve(piece: number): void {
    const info = this.#owner.infoBytes;
    const count = info ? Math.ceil(info.length / METADATA_PIECE_BYTES) : 0;
    if (!info || piece >= count || this.#served >= count * SERVES_PER_PIECE_MAX) {
      if (++this.#refused > REFUSALS_MAX) {
        throw new WireError('WIRE_EXTENSION', 'it floods us with requests for metadata');
      }
      this.#send(encodeBencode({ msg_type: REJECT, piece }));
      return;
    }
    this.#served++;
    const start = piece * METADATA_PIECE_BYTES;
    const header = encodeBencode({ msg_type: DATA, piece, total_size: info.length });
    this.#send(concatBytes(header, info.subarray(start, start + METADATA_PIECE_BYTES)));
  }

  #take(piece: number, bytes: Uint8Array): void {
    this.#askedAt = this.#now;
    this.#owner.collector?.take(this.#peerKey, piece, bytes);
  }
}
