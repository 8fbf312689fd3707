/**
 * Finds out who sent bad data (libtorrent's "smart ban"). A piece with one giver is that giver's
 * fault. Of a piece with several, digests of the blocks are kept until it comes right; whoever's
 * block was different then is guilty.
 */
import { equalBytes } from '../units/index.ts';
import type { PartialPiece } from './partial-piece.ts';

/** Failed pieces remembered at once; the oldest is forgotten. */
const PIECES_MAX = 64;

/** A block of a failed piece: who gave it and what it was. */
interface Evidence {
  readonly peerKey: number;
  readonly block: number;
  readonly digest: Uint8Array;
}

/** The failed pieces of one torrent. */
export class Blame {
  readonly #digest: (view: Uint8Array) => Uint8Array;
  readonly #evidence = new Map<number, Evidence[]>();

  constructor(digest: (view: Uint8Array) => Uint8Array) {
    this.#digest = digest;
  }

  /** Pieces that failed and must be fetched from one peer alone. */
  isSuspect(piece: number): boolean {
    return this.#evidence.has(piece);
  }

  /** Records a piece whose hash was wrong. Returns the peers known to be guilty now. */
  onFailed(piece: PartialPiece): number[] {
    const givers = new Set<number>();
    for (let block = 0; block < piece.blockCount; block++) givers.add(piece.peerOf(block));
    if (givers.size === 1) return [...givers];
    const evidence = this.#evidence.get(piece.index) ?? [];
    for (let block = 0; block < piece.blockCount; block++) {
      const digest = this.#digest(piece.blockView(block));
      evidence.push({ peerKey: piece.peerOf(block), block, digest });
    }
    this.#evidence.delete(piece.index);
    this.#evidence.set(piece.index, evidence.slice(-4 * piece.blockCount));
    const oldest = this.#evidence.keys().next().value;
    if (this.#evidence.size > PIECES_MAX && oldest !== undefined) this.#evidence.delete(oldest);
    return [];
  }

  /** A piece came right: whoever gave other bytes for a block before is guilty. */
  onGood(piece: PartialPiece): number[] {
    const evidence = this.#evidence.get(piece.index);
    if (!evidence) return [];
    this.#evidence.delete(piece.index);
    const guilty = new Set<number>();
    for (const { peerKey, block, digest } of evidence) {
      if (!equalBytes(digest, this.#digest(piece.blockView(block)))) guilty.add(peerKey);
    }
    return [...guilty];
  }
}

/**
 * Whether a piece that failed may be left to this peer alone: to one that has sent good data, if
 * there is any, for a silent one would keep it until it is snubbed.
 */
export function isTrusted(
  peerKey: number,
  peers: ReadonlyMap<number, { readonly download: { readonly verifiedBytes: number } }>,
): boolean {
  if ((peers.get(peerKey)?.download.verifiedBytes ?? 0) > 0) return true;
  for (const { download } of peers.values()) if (download.verifiedBytes > 0) return false;
  return true;
}
