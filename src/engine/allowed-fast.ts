/** Pieces a peer may have while it is choked, so that newcomers get something to trade (BEP 6). */

/** Pieces granted to each peer (the number in BEP 6's example and in libtorrent). */
export const ALLOWED_FAST_COUNT = 10;

/** What the set depends on. */
export interface AllowedFastInput {
  /** Dotted IPv4 address of the peer; others get no set (BEP 6 is silent on IPv6). */
  readonly host: string;
  readonly infoHash: Uint8Array;
  readonly pieceCount: number;
  readonly count: number;
}

/** The canonical allowed-fast set of BEP 6, in order of generation. */
export function allowedFastSet(
  input: AllowedFastInput,
  sha1: (view: Uint8Array) => Uint8Array,
): number[] {
  const parts = /^(\d+)\.(\d+)\.(\d+)\.\d+$/.exec(input.host);
  if (!parts || input.pieceCount === 0) return [];
  // The last byte is masked, so that one household is one peer.
  let x = new Uint8Array(24);
  x.set([Number(parts[1]), Number(parts[2]), Number(parts[3]), 0]);
  x.set(input.infoHash, 4);
  const wanted = Math.min(input.count, input.pieceCount);
  const set: number[] = [];
  while (set.length < wanted) {
    x = new Uint8Array(sha1(x));
    const words = new DataView(x.buffer);
    for (let word = 0; word < 5 && set.length < wanted; word++) {
      const piece = words.getUint32(word * 4) % input.pieceCount;
      if (!set.includes(piece)) set.push(piece);
    }
  }
  return set;
}
