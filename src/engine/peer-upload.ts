/** The uploading side of a connection: what the peer asks for and how it is answered. */
import type { Bitfield, Instant } from '../units/index.ts';
import {
  encodeBare,
  encodeBitfield,
  encodeBlockRef,
  encodeIndex,
  MESSAGE,
  PIECE_HEADER_BYTES,
  putPieceHeader,
} from '../wire/index.ts';
import { ALLOWED_FAST_COUNT, allowedFastSet } from './allowed-fast.ts';
import type { PieceGeometry } from './content.ts';
import { FREE_TAG } from './extension.ts';
import type { PeerWiring } from './peer-wiring.ts';
import type { PieceStore } from './ports.ts';
import { RateMeter } from './rate-meter.ts';
import { SERVE_QUEUE_MAX, ServeQueue, type ServeRequest } from './serve-queue.ts';
import type { TokenBucket } from './token-bucket.ts';
import type { Servable } from './upload-scheduler.ts';

/** Uploading to one peer. */
export class PeerUpload implements Servable {
  readonly serveQueue: ServeQueue = new ServeQueue();
  readonly sent: RateMeter = new RateMeter();
  /** Tag that requests received from now on carry. */
  tag: number = FREE_TAG;
  isUnchoked = false;
  unchokedAt: Instant | null = null;
  weight = 1;
  isInterested = false;
  readonly #wiring: PeerWiring;
  /** Pieces it may have while choked (BEP 6). */
  readonly #allowed = new Set<number>();
  /** What the peer was told of, while the torrent rests. */
  #told: Bitfield | null = null;
  #readingBytes = 0;
  /** Requests that may still come because they crossed our choke on the way. */
  #crossing = 0;

  constructor(wiring: PeerWiring) {
    this.#wiring = wiring;
  }

  get geometry(): PieceGeometry {
    return this.#wiring.work().geometry;
  }
  get store(): PieceStore {
    return this.#wiring.work().store;
  }
  get torrentLimit(): TokenBucket {
    return this.#wiring.owner.limits.upload;
  }
  get sendRate(): number {
    return this.sent.rate;
  }
  get unsentBytes(): number {
    return this.#readingBytes + this.#wiring.connection.queuedBytes;
  }

  /** Says which pieces we have: the first message after the handshakes. */
  announcePieces(): void {
    const { outbox, flags, owner } = this.#wiring;
    const have = owner.revealing.isOn ? undefined : owner.work?.have;
    if (flags.fast && (!have || have.count === 0)) outbox.push(encodeBare(MESSAGE.haveNone));
    else if (flags.fast && have?.isComplete) outbox.push(encodeBare(MESSAGE.haveAll));
    else if (have && have.count > 0) outbox.push(encodeBitfield(have.toBytes()));
    if (flags.fast && have && have.count > 0) this.#allowSome();
  }

  /** Says what turned out to be on our disk, to a peer that heard of no pieces before (BEP 3). */
  announceLate(): void {
    if (this.#wiring.owner.revealing.isOn) return;
    const { have, geometry } = this.#wiring.work();
    for (let piece = 0; piece < geometry.pieceCount; piece++) {
      if (have.has(piece) && !this.#told?.has(piece))
        this.#wiring.outbox.push(encodeIndex(MESSAGE.have, piece));
    }
  }

  /** The torrent stops for a while: nothing is served, and what is asked for is refused. */
  rest(): void {
    this.#told = this.#wiring.work().have;
    this.#allowed.clear();
    this.setUnchoked(false, 0);
    for (const request of this.serveQueue.takeAll()) this.#refuse(request);
  }

  /** It goes on; returns what the peer was told of and is not here any more. */
  takeLost(): readonly number[] {
    const { have } = this.#wiring.work();
    const told = this.#told;
    this.#told = null;
    const lost: number[] = [];
    for (let piece = 0; told && piece < told.size; piece++) {
      if (told.has(piece) && !have.has(piece)) lost.push(piece);
    }
    return lost;
  }

  /** Whether it could be served. */
  get isWaiting(): boolean {
    return this.isInterested && this.#told === null;
  }

  /** Says that we have a piece, to a peer that shall think we have no other. */
  reveal(piece: number): void {
    this.#wiring.outbox.push(encodeIndex(MESSAGE.have, piece));
  }

  close(): void {
    this.serveQueue.takeAll();
    this.#wiring.owner.engine.uploads.drop(this);
  }

  /** Looks at the queue again: there is room, or credit. */
  wake(): void {
    if (this.serveQueue.size > 0) this.#wiring.owner.engine.uploads.wake(this);
  }

  onInterested(isInterested: boolean): void {
    if (this.isInterested === isInterested) return;
    this.isInterested = isInterested;
    this.#wiring.owner.engine.requestRechoke();
  }

  /** Queues a request: `wake` after the last one of a read serves them together. */
  onRequest(index: number, begin: number, length: number): void {
    const request: ServeRequest = { index, begin, length, tag: this.tag };
    const work = this.#wiring.owner.work;
    if (!work?.geometry.isReadable(index, begin, length) || !work.have.has(index)) {
      this.#refuse(request);
      this.#wiring.offend('it asked for blocks we do not have');
    } else if (!this.isUnchoked && !this.#allowed.has(index)) {
      this.#refuse(request);
      if (this.#crossing > 0) this.#crossing--;
      else this.#wiring.offend('it asks for blocks although it is choked');
    } else if (!this.serveQueue.push(request)) {
      this.#refuse(request);
      this.#wiring.offend('it floods us with requests');
    }
  }

  onCancel(index: number, begin: number, length: number): void {
    const wasQueued = this.serveQueue.cancel(index, begin);
    if (wasQueued) this.#refuse({ index, begin, length, tag: this.tag });
  }

  /** The choker's decision. Queued requests of a choked peer are refused (BEP 6). */
  setUnchoked(isUnchoked: boolean, weight: number): void {
    // A choked peer may still be served what it is always allowed, behind everybody else.
    this.weight = isUnchoked ? weight : 0;
    if (this.isUnchoked === isUnchoked) return;
    this.isUnchoked = isUnchoked;
    const { outbox, owner } = this.#wiring;
    this.unchokedAt = owner.engine.now;
    outbox.push(encodeBare(isUnchoked ? MESSAGE.unchoke : MESSAGE.choke));
    if (isUnchoked) return;
    this.#crossing = SERVE_QUEUE_MAX;
    for (const request of this.serveQueue.takeAll()) {
      const isKept = request.tag === FREE_TAG && this.#allowed.has(request.index);
      if (isKept) this.serveQueue.push(request);
      else this.#refuse(request);
    }
  }

  creditBytes(tag: number): number {
    let credit = Infinity;
    if (tag === FREE_TAG) return credit;
    for (const session of this.#wiring.sessions) {
      credit = Math.min(credit, session.creditBytes(tag));
    }
    return credit;
  }

  onTaken(run: readonly ServeRequest[]): void {
    for (const request of run) {
      this.#readingBytes += request.length;
      for (const session of this.#wiring.sessions) session.onBlockSent(request.tag, request.length);
    }
  }

  sendRun(run: readonly ServeRequest[], bytes: Uint8Array, done: () => void): void {
    const { isClosed, outbox, connection, owner } = this.#wiring;
    this.#readingBytes -= bytes.length;
    if (isClosed) {
      done();
      return;
    }
    const headers = new Uint8Array(run.length * PIECE_HEADER_BYTES);
    const parts: Uint8Array[] = outbox.isEmpty ? [] : [outbox.takeAll()];
    let at = 0;
    for (const [nth, request] of run.entries()) {
      const header = nth * PIECE_HEADER_BYTES;
      putPieceHeader(headers, header, request);
      parts.push(headers.subarray(header, header + PIECE_HEADER_BYTES));
      parts.push(bytes.subarray(at, at + request.length));
      at += request.length;
    }
    this.sent.total += bytes.length;
    owner.onSent(bytes.length);
    connection.write(parts, done);
  }

  onReadFailed(run: readonly ServeRequest[], failure: Error): void {
    for (const request of run) {
      this.#readingBytes -= request.length;
      this.#refuse(request);
    }
    this.#wiring.owner.onDiskFailure(failure);
  }

  #allowSome(): void {
    const { connection, outbox, owner } = this.#wiring;
    const { have, geometry } = this.#wiring.work();
    const input = {
      host: connection.remoteHost,
      infoHash: owner.infoHash,
      pieceCount: geometry.pieceCount,
      count: ALLOWED_FAST_COUNT,
    };
    for (const piece of allowedFastSet(input, owner.engine.sha1)) {
      if (!have.has(piece)) continue;
      this.#allowed.add(piece);
      outbox.push(encodeIndex(MESSAGE.allowedFast, piece));
    }
  }

  #refuse(request: ServeRequest): void {
    const { flags, outbox } = this.#wiring;
    if (flags.fast) outbox.push(encodeBlockRef(MESSAGE.reject, request));
  }
}
