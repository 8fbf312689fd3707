/** Messages about hashes on one connection (BEP 52): asks for what lacks, serves what is here. */
import { concatBytes, type Instant, MIB } from '../units/index.ts';
import {
  decodeHashes,
  encodeHashes,
  encodeHashRef,
  HASHES_MAX,
  type HashRef,
  MESSAGE,
} from '../wire/index.ts';
import type { HashTree } from './hash-tree.ts';
import type { PeerWiring } from './peer-wiring.ts';

/** Requests about blocks that wait for the disk; more are rejected. */
const WAITING_MAX = 16;
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

  constructor(wiring: PeerWiring) {
    this.#wiring = wiring;
  }

  /** About ten times a second. */
  onTick(now: Instant): void {
    const { owner, flags, peerKey, outbox } = this.#wiring;
    if (this.#waiting.length > 0) this.#readNext(now);
    const { hashes } = owner;
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
    const { hashes, engine } = owner;
    if (id === MESSAGE.hashRequest) this.#serve(answer.ref);
    else if (id === MESSAGE.hashReject) hashes?.collector.reject(peerKey, answer.ref, engine.now);
    else if (hashes && !hashes.collector.take(peerKey, answer)) owner.onLie(peerKey);
  }

  onClosed(): void {
    this.#waiting.length = 0;
    this.#wiring.owner.hashes?.collector.withdraw(this.#wiring.peerKey);
  }

  #serve(ref: HashRef): void {
    const { hashes } = this.#wiring.owner;
    const tree = hashes?.trees.withRoot(ref.root) ?? null;
    // libtorrent asks for the last block alone where BEP 52 wants two hashes at least. In a hybrid
    // torrent of pieces of one block the right answer makes it give the torrent up, and a refusal
    // makes it ask again at once: it does well without.
    if (ref.length === 1 && tree?.pieceLevel === 0 && !hashes?.isV2Only) return;
    if (!tree || ref.length > HASHES_MAX || !tree.isSound(ref)) {
      this.#reject(ref);
      this.#wiring.offend('it floods us with requests for hashes');
    } else if (tree.piecesOf(ref) === null) {
      this.#answer(ref, tree.answer(ref, null));
    } else if (this.#waiting.length < WAITING_MAX) {
      this.#waiting.push(ref);
    } else {
      this.#reject(ref);
      this.#wiring.offend('it floods us with requests for hashes');
    }
  }

  /** Reads the blocks that the oldest request is about. */
  #readNext(now: Instant): void {
    if (this.#isReading || now < this.#readableAt) return;
    const ref = this.#waiting.shift();
    const range = ref && this.#rangeOf(ref);
    if (!ref) return;
    if (!range) {
      this.#reject(ref);
      return;
    }
    this.#readableAt = now + (range.byteCount * 1000) / READ_RATE;
    this.#read(ref, range);
  }

  /** The pieces a request is about; null when one is not here, or they are too many. */
  #rangeOf(ref: HashRef): ReadRange | null {
    const { work, hashes } = this.#wiring.owner;
    const tree = hashes?.trees.withRoot(ref.root);
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
    const { work, hashes } = owner;
    if (!work || !hashes) return;
    const { geometry, store } = work;
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
