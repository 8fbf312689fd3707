/** A torrent as the engine sees it. Apart from its input: the main thread reads that, too. */
import { type HashedFile, PieceGeometry, type TorrentContent } from '../../engine/index.ts';
import { toHex } from '../../units/index.ts';
import type { InfoDict } from '../../wire/index.ts';

/** The engine's view of an info dictionary. */
export function contentOf(
  info: InfoDict,
  pieceLayers: ReadonlyMap<string, Uint8Array>,
): TorrentContent {
  const { name, pieceLengthBytes, totalBytes, infoBytes, isPrivate } = info;
  const pieceHashes = info.pieceHashesV1;
  const hashedFiles = info.infoHashV2 && hashedFilesOf(info, pieceLayers);
  return { name, pieceLengthBytes, totalBytes, pieceHashes, hashedFiles, infoBytes, isPrivate };
}

/** What there is to download in bytes: where there is v2 alone, padding is not. */
export function payloadBytes(info: InfoDict): number {
  return new PieceGeometry(contentOf(info, new Map())).totalBytes;
}

function hashedFilesOf(
  { files, pieceLengthBytes }: InfoDict,
  pieceLayers: ReadonlyMap<string, Uint8Array>,
): readonly HashedFile[] {
  return files.flatMap(({ piecesRoot: root, lengthBytes, offsetBytes }) => {
    if (root === null || lengthBytes === 0) return [];
    const firstPiece = offsetBytes / pieceLengthBytes;
    return [{ firstPiece, lengthBytes, root, layer: pieceLayers.get(toHex(root)) ?? null }];
  });
}
