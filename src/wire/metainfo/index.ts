/** Torrents, read and made: see `metainfo.ts` for the nouns. */
export {
  encodeMetainfo,
  type TorrentExtras,
  type TorrentHashes,
  wrapInfoDict,
} from './create.ts';
export {
  isNamedBy,
  PIECE_LENGTH_BYTES_MAX,
  PIECES_MAX,
  parseInfoDict,
} from './info-dict.ts';
export {
  type FileTree,
  fileTree,
  hashBlocks,
  isProofFor,
  MERKLE_HASH_BYTES,
  type MerkleProof,
  type MerkleShape,
  merkleLayers,
  merklePad,
  merkleRoot,
  pieceLayerRoot,
  powerOfTwoFrom,
  type Sha256,
} from './merkle.ts';
export type { DhtNode, Digests, InfoDict, Metainfo, MetainfoFile } from './metainfo.ts';
export { parseMetainfo } from './parse.ts';
export {
  choosePieceLength,
  PIECE_LENGTH_BYTES_CHOSEN_MAX,
  PIECE_LENGTH_BYTES_CHOSEN_MIN,
} from './piece-length.ts';
export {
  fileIndexAt,
  type PieceCheckV2,
  pieceCheckV2,
  pieceHashV1,
  pieceLengthAt,
  pieceRoot,
} from './piece-space.ts';
export {
  type PlanOptions,
  planTorrent,
  type SourceFile,
  type TorrentPlan,
  type TorrentVersion,
} from './plan.ts';
export { type FileName, type RenameOutcome, renameFiles, TOP, withName } from './rename.ts';
