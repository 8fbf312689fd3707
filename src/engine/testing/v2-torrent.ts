/** A torrent of several files with v2 hashes alone, for swarms on the virtual network. */
import { concatBytes, type Random } from '../../units/index.ts';
import { fileTree, hashBlocks } from '../../wire/index.ts';
import type { HashedFile, TorrentContent } from '../index.ts';
import { type MemoryTorrent, sha256 } from './memory-torrent.ts';

/** Makes one of random bytes. Between files there is padding, as in the piece space. */
export function makeV2Torrent(
  shape: { readonly pieceLengthBytes: number; readonly fileLengths: readonly number[] },
  random: Random,
): MemoryTorrent & { readonly infoHashV2: Uint8Array } {
  const { pieceLengthBytes } = shape;
  const parts: Uint8Array[] = [];
  const hashedFiles: HashedFile[] = [];
  let firstPiece = 0;
  for (const lengthBytes of shape.fileLengths) {
    const bytes = new Uint8Array(lengthBytes).map(() => Math.floor(random() * 256));
    const { root, pieceLayer } = fileTree(hashBlocks(bytes, sha256), pieceLengthBytes, sha256);
    hashedFiles.push({
      firstPiece,
      lengthBytes,
      root,
      layer: pieceLayer.length ? pieceLayer : null,
    });
    const pieces = Math.ceil(lengthBytes / pieceLengthBytes);
    parts.push(bytes, new Uint8Array(pieces * pieceLengthBytes - lengthBytes));
    firstPiece += pieces;
  }
  const whole = concatBytes(...parts);
  const infoBytes = concatBytes(...hashedFiles.map((file) => file.root));
  const infoHashV2 = sha256(infoBytes);
  const content: TorrentContent = {
    ...{ name: 'v2', pieceLengthBytes, totalBytes: whole.length, pieceHashes: null },
    ...{ hashedFiles, infoBytes },
  };
  return { content, infoHash: infoHashV2.slice(0, 20), infoHashV2, whole };
}

/** The same without its piece layers, as peers tell it. */
export function withoutLayers(content: TorrentContent): TorrentContent {
  const hashedFiles = content.hashedFiles?.map((file) => ({ ...file, layer: null }));
  return hashedFiles ? { ...content, hashedFiles } : content;
}
