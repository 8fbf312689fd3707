/** What a .torrent file says, once checked: v1 (BEP 3), v2 (BEP 52) or both. */
import type { Bytes, UnixSeconds } from '../../units/index.ts';

/** The hash functions a torrent is named by. The platform passes its own. */
export interface Digests {
  /** 20 bytes. */
  sha1(view: Uint8Array): Uint8Array;
  /** 32 bytes. */
  sha256(view: Uint8Array): Uint8Array;
}

/** One file of a torrent, at its place in the piece space. */
export interface MetainfoFile {
  /**
   * Elements under the download root, the torrent's own directory first. Each is a legal Linux
   * name of at most 255 bytes, never `.` or `..`; no two files share a path, whatever the case.
   * Pad files may share theirs: they are never written.
   */
  readonly path: readonly string[];
  readonly lengthBytes: Bytes;
  /** Where it begins, pad files counted. */
  readonly offsetBytes: Bytes;
  /** Zeros that align the next file (BEP 47). Not on disk, not requested. */
  readonly isPad: boolean;
  readonly isExecutable: boolean;
  readonly isHidden: boolean;
  /** Path of a file or directory of this torrent, like `path`; null when it is no symbolic link. */
  readonly symlinkTarget: readonly string[] | null;
  /** Merkle root of its 16 KiB blocks (BEP 52); null in v1 and for what has no bytes. */
  readonly piecesRoot: Uint8Array | null;
}

/** A DHT node to start from (BEP 5). */
export interface DhtNode {
  readonly host: string;
  readonly port: number;
}

/** What the info dictionary says: the part that the info-hash covers and peers exchange (BEP 9). */
export interface InfoDict {
  /** SHA-1 of `infoBytes`, or null when the torrent has no v1 part. */
  readonly infoHashV1: Uint8Array | null;
  /** SHA-256 of `infoBytes`, or null when the torrent has no v2 part. */
  readonly infoHashV2: Uint8Array | null;
  /** The exact bytes that were hashed. Borrows the input. */
  readonly infoBytes: Uint8Array;
  /** First element of every path. */
  readonly name: string;
  /** At most 536,854,528; with a v2 part a power of two from 16 KiB. */
  readonly pieceLengthBytes: number;
  readonly pieceCount: number;
  /** Size of the piece space, pad files counted. Never zero. */
  readonly totalBytes: Bytes;
  /** 20 bytes a piece, in order; null without a v1 part. Borrows the input. */
  readonly pieceHashesV1: Uint8Array | null;
  readonly files: readonly MetainfoFile[];
  readonly isPrivate: boolean;
  /** Info-hashes of torrents that share files (BEP 38). */
  readonly similar: readonly Uint8Array[];
  /** Names of groups whose torrents share files (BEP 38). */
  readonly collections: readonly string[];
}

/** A whole .torrent file. */
export interface Metainfo extends InfoDict {
  /**
   * By `piecesRoot` in hex: 32 bytes a piece of that file, proved against the root. Only files
   * longer than a piece have one, and any may be missing (peers have it).
   */
  readonly pieceLayers: ReadonlyMap<string, Uint8Array>;
  /** Tiers in order of preference (BEP 12), each in the order given. */
  readonly trackers: readonly (readonly string[])[];
  /** BEP 19. Ends in `/` when the torrent has more than one file. */
  readonly webSeeds: readonly string[];
  readonly nodes: readonly DhtNode[];
  readonly comment: string | null;
  readonly createdBy: string | null;
  readonly creationDate: UnixSeconds | null;
}
