/** Messages about hashes on one connection (BEP 52): asks for what lacks, serves what is here. */
import { concatBytes, type Instant, MIB } from '../units/index.ts';
import {
  decodeHashes,
  encodeHashes,
  encodeHashRef,
  HASHES_MAX,
  type HashRef,
  MERKLE_HASH_BYTES,
  MESSAGE,
} from '../wire/index.ts';
import type { HashTree } from './hash-tree.ts';
import type { PeerWiring } from './peer-wiring.ts';

/** Requests that wait for the disk, or for their turn; more are rejected. */
const WAITING_MAX = 16;
/** Hashes given to one peer, in bytes a second: they are outside of all upload limits. */
const GIVEN_RATE = MIB;
/** Given at once: the layers of a quarter of a million pieces. */
const GIVEN_BYTES_MAX = 8 * MIB;
/** What is read to answer one request about blocks, in bytes. */
const READ_BYTES_MAX = 16 * MIB;
/** Bytes a second read and hashed for one peer's requests. */
const READ_RATE = 8 * MIB;

/** Pieces to read, as the torrent counts them. */
interface ReadRange {
  readonly tree: HashTree;
  readonly first: number;
  readonly last: number;
  readonly byteCount: number;
}

/** One connection's part in moving hashes. */
export class HashExchange {
  readonly #wiring: PeerWiring;
  readonly #waiting: HashRef[] = [];
  /** When the disk may be read for this peer again. */
  #readableAt = 0;
  #isReading = false;
  /** Bytes of hashes that may be given, as of then. */
  #givable = GIVEN_BYTES_MAX;
  #givableAt = 0;

  constructor(wiring: PeerWiring) {
    this.#wiring = wiring;
  }

  /** About ten times a second. */
  onTick(now: Instant): void {
    const { owner, flags, peerKey, outbox } = this.#wiring;
    let isServed = true;
    while (isServed) isServed = this.#serveNext(now);
    const hashes = owner.work?.hashes;
    if (!hashes || hashes.collector.isIdle || !(flags.v2 || hashes.isV2Only)) return;
    while (true) {
      const ref = hashes.collector.next(peerKey, now);
      if (!ref) return;
      outbox.push(encodeHashRef(MESSAGE.hashRequest, ref));
    }
  }

  /** A message of the peer; `WireError` for one that cannot be read. */
  onMessage(id: number, body: Uint8Array): void {
    const { owner, peerKey } = this.#wiring;
    const answer = decodeHashes(body);
    const { work, engine } = owner;
    const hashes = work?.hashes;
    if (id === MESSAGE.hashRequest) this.#serve(answer.ref);
    else if (id === MESSAGE.hashReject) hashes?.collector.reject(peerKey, answer.ref, engine.now);
    else if (hashes && !hashes.collector.take(peerKey, answer)) owner.roster.ban(peerKey);
  }

  onClosed(): void {
    this.#waiting.length = 0;
    this.#wiring.owner.work?.hashes?.collector.withdraw(this.#wiring.peerKey);
  }

  #serve(ref: HashRef): void {
    const { work, engine } = this.#wiring.owner;
    const hashes = work?.hashes;
    const tree = hashes?.trees.withRoot(ref.root) ?? null;
    // libtorrent asks for the last block alone where BEP 52 wants two hashes at least. In a hybrid
    // torrent of pieces of one block the right answer makes it give the torrent up, and a refusal
    // makes it ask again at once: it does well without.
    if (ref.length === 1 && tree?.pieceLevel === 0 && !hashes?.isV2Only) return;
    if (!tree || ref.length > HASHES_MAX || !tree.isSound(ref)) {
      this.#reject(ref);
      this.#wiring.offend('it floods us with requests for hashes');
    } else if (this.#waiting.length < WAITING_MAX) {
      this.#waiting.push(ref);
      if (this.#waiting.length === 1 && tree.piecesOf(ref) === null) this.#serveNext(engine.now);
    } else {
      this.#reject(ref);
      this.#wiring.offend('it floods us with requests for hashes');
    }
  }

  /** Answers the oldest request, or reads the blocks it is about; true when it has its answer. */
  #serveNext(now: Instant): boolean {
    const [ref] = this.#waiting;
    if (!ref || !this.#mayGive(ref, now)) return false;
    const tree = this.#wiring.owner.work?.hashes?.trees.withRoot(ref.root);
    const isRead = tree?.piecesOf(ref) !== null;
    if (isRead && (this.#isReading || now < this.#readableAt)) return false;
    this.#waiting.shift();
    this.#givable -= bytesOf(ref);
    if (isRead) this.#readNext(ref, now);
    else this.#answer(ref, tree.answer(ref, null));
    return !isRead;
  }

  /** Whether it is the peer's turn to be given so many hashes. */
  #mayGive(ref: HashRef, now: Instant): boolean {
    const filled = this.#givable + ((now - this.#givableAt) / 1000) * GIVEN_RATE;
    this.#givable = Math.min(GIVEN_BYTES_MAX, filled);
    this.#givableAt = now;
    return this.#givable >= bytesOf(ref);
  }

  /** Reads the blocks that a request is about. */
  #readNext(ref: HashRef, now: Instant): void {
    const range = this.#rangeOf(ref);
    if (!range) {
      this.#reject(ref);
      return;
    }
    this.#readableAt = now + (range.byteCount * 1000) / READ_RATE;
    this.#read(ref, range);
  }

  /** The pieces a request is about; null when one is not here, or they are too many. */
  #rangeOf(ref: HashRef): ReadRange | null {
    const { work } = this.#wiring.owner;
    const tree = work?.hashes?.trees.withRoot(ref.root);
    const pieces = tree?.piecesOf(ref);
    // Behind the last piece there is padding alone, of which nobody has to ask.
    if (!work || !tree || !pieces || pieces.first >= tree.pieceCount) return null;
    const { pieceLengthBytes } = work.geometry;
    const first = tree.file.firstPiece + pieces.first;
    const last = tree.file.firstPiece + pieces.last;
    const byteCount = (last - first + 1) * pieceLengthBytes;
    if (byteCount > Math.max(READ_BYTES_MAX, pieceLengthBytes)) return null;
    for (let piece = first; piece <= last; piece++) if (!work.have.has(piece)) return null;
    return { tree, first, last, byteCount };
  }

  #read(ref: HashRef, range: ReadRange): void {
    const { owner } = this.#wiring;
    if (!owner.work?.hashes) return;
    const { geometry, store, hashes } = owner.work;
    const parts: Uint8Array[] = [];
    this.#isReading = true;
    const step = (piece: number): void => {
      if (piece > range.last) {
        this.#isReading = false;
        this.#answer(ref, range.tree.answer(ref, concatBytes(...parts)));
        this.#wiring.outbox.flush();
        return;
      }
      const view = new Uint8Array(range.tree.pieceLength(piece - range.tree.file.firstPiece));
      store.read(piece * geometry.pieceLengthBytes, view, (failure) => {
        if (failure) {
          this.#isReading = false;
          owner.onDiskFailure(failure);
          return;
        }
        hashes.hasher.hashBlocks(view, (blocks) => {
          parts.push(blocks);
          step(piece + 1);
        });
      });
    };
    step(range.first);
  }

  #answer(ref: HashRef, hashes: Uint8Array | null): void {
    if (this.#wiring.isClosed) return;
    if (hashes) this.#wiring.outbox.push(encodeHashes(ref, hashes));
    else this.#reject(ref);
  }

  #reject(ref: HashRef): void {
    this.#wiring.outbox.push(encodeHashRef(MESSAGE.hashReject, ref));
  }
}

/** What its answer takes at most. */
function bytesOf({ length, proofLayers }: HashRef): number {
  return (length + proofLayers) * MERKLE_HASH_BYTES;
}
