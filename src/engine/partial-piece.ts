/** A piece under way: its slab, and for each block who was asked and who delivered. */
import { BLOCK_BYTES } from '../units/index.ts';
import { LEVEL_NORMAL } from './selection.ts';

const FREE = 0;
const ASKED = 1;
const ARRIVING = 2;
const DONE = 3;

/** Nobody. Peer keys start at 1. */
const NO_PEER = 0;

/** Blocks are counted from 0 in the piece; peers are the engine's peer keys. */
export class PartialPiece {
  readonly index: number;
  readonly slab: Uint8Array;
  readonly blockCount: number;
  /** Peers that fetch this piece as their own; a piece without one is taken up first. */
  workers = 0;
  /** After a failed hash one peer alone may fetch it, so that blame is certain. 0: anybody. */
  onlyPeer: number = NO_PEER;
  /** Its priority; 0: no more of it is asked for. */
  level: number;
  readonly #state: Uint8Array;
  /** Who was asked for a block, and who delivered it once it is done. */
  readonly #peers: Int32Array;
  /** How many peers have an open request for a block. */
  readonly #askers: Uint8Array;
  #freeCount: number;
  #doneCount = 0;
  #cursor = 0;

  constructor(index: number, slab: Uint8Array, level: number = LEVEL_NORMAL) {
    this.index = index;
    this.level = level;
    this.slab = slab;
    this.blockCount = Math.ceil(slab.length / BLOCK_BYTES);
    this.#state = new Uint8Array(this.blockCount);
    this.#peers = new Int32Array(this.blockCount);
    this.#askers = new Uint8Array(this.blockCount);
    this.#freeCount = this.blockCount;
  }

  get hasFree(): boolean {
    return this.#freeCount > 0;
  }

  get isDone(): boolean {
    return this.#doneCount === this.blockCount;
  }

  /** Nothing of it is on its way. */
  get isIdle(): boolean {
    return this.#freeCount + this.#doneCount === this.blockCount;
  }

  get doneCount(): number {
    return this.#doneCount;
  }

  /** Where a block's bytes go. */
  blockView(block: number): Uint8Array {
    return this.slab.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES);
  }

  /** Whether a peer may give blocks of it. */
  isFor(peerKey: number): boolean {
    return this.onlyPeer === NO_PEER || this.onlyPeer === peerKey;
  }

  /** Marks the first free block as asked of `peerKey` and returns it; -1 when none is free. */
  askNext(peerKey: number): number {
    if (this.#freeCount === 0) return -1;
    while (this.#state[this.#cursor] !== FREE) this.#cursor++;
    const block = this.#cursor++;
    this.#state[block] = ASKED;
    this.#peers[block] = peerKey;
    this.#askers[block] = 1;
    this.#freeCount--;
    return block;
  }

  /** Asks one peer more for a block that others have been asked for already. */
  askAgain(block: number, peerKey: number): void {
    this.#peers[block] = peerKey;
    this.#askers[block] = (this.#askers[block] ?? 0) + 1;
  }

  /** Open requests for `block`; 0 when it is free, arriving or done. */
  askersOf(block: number): number {
    return this.#state[block] === ASKED ? (this.#askers[block] ?? 0) : 0;
  }

  /** How many were asked for a block when it arrived. */
  askersAtArrival(block: number): number {
    return this.#askers[block] ?? 0;
  }

  /** Who was asked for `block` last, or delivered it. */
  peerOf(block: number): number {
    return this.#peers[block] ?? NO_PEER;
  }

  /** A request was given up. True when the block is free again. */
  release(block: number): boolean {
    const askers = this.#askers[block] ?? 0;
    if (askers > 0) this.#askers[block] = askers - 1;
    if (this.#state[block] !== ASKED || askers > 1) return false;
    this.#free(block);
    return true;
  }

  /** A block begins to arrive. False when it is not needed, or already arriving from another. */
  startArrival(block: number): boolean {
    const state = this.#state[block];
    if (state !== FREE && state !== ASKED) return false;
    if (state === FREE) this.#freeCount--;
    this.#state[block] = ARRIVING;
    return true;
  }

  /** The connection broke in the middle of a block. */
  abandonArrival(block: number): void {
    if (this.#state[block] === ARRIVING) this.#free(block);
  }

  /** The block is complete. */
  finishArrival(block: number, peerKey: number): void {
    this.#state[block] = DONE;
    this.#peers[block] = peerKey;
    this.#doneCount++;
  }

  /** A block that had come was wrong: it is free again. */
  reopen(block: number): void {
    if (this.#state[block] !== DONE) return;
    this.#doneCount--;
    this.#free(block);
  }

  /** Bytes each peer delivered of a complete piece. */
  bytesByPeer(): Map<number, number> {
    const shares = new Map<number, number>();
    for (let block = 0; block < this.blockCount; block++) {
      const size = Math.min(BLOCK_BYTES, this.slab.length - block * BLOCK_BYTES);
      const peer = this.peerOf(block);
      shares.set(peer, (shares.get(peer) ?? 0) + size);
    }
    return shares;
  }

  #free(block: number): void {
    this.#state[block] = FREE;
    this.#askers[block] = 0;
    this.#peers[block] = NO_PEER;
    this.#freeCount++;
    this.#cursor = Math.min(this.#cursor, block);
  }
}
