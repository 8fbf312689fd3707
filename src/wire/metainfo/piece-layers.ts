/** The dictionary `piece layers` of a v2 torrent, each layer proved against its file's root. */
import { equalBytes, toHex } from '../../units/index.ts';
import { bencodeKey } from '../bencode/encode.ts';
import type { BencodeDict } from '../bencode/value.ts';
import { MERKLE_HASH_BYTES, pieceLayerRoot } from './merkle.ts';
import type { Digests, InfoDict } from './metainfo.ts';
import { refuseMetainfo } from './problem.ts';

/**
 * Layers by root in hex; copies. A file may lack its layer, like after a magnet link; a layer that
 * belongs to no file, has the wrong size or does not lead to its root is refused.
 */
export function readPieceLayers(
  layers: BencodeDict,
  info: InfoDict,
  digests: Digests,
): ReadonlyMap<string, Uint8Array> {
  const wanted = new Map<string, Set<number>>();
  for (const file of info.files) {
    if (file.piecesRoot === null || file.lengthBytes <= info.pieceLengthBytes) continue;
    const root = bencodeKey(file.piecesRoot);
    const pieces = Math.ceil(file.lengthBytes / info.pieceLengthBytes);
    wanted.set(root, (wanted.get(root) ?? new Set()).add(pieces));
  }
  const proved = new Map<string, Uint8Array>();
  for (const [key, layer] of layers.entries()) {
    const lengths = wanted.get(key);
    if (lengths === undefined) refuseMetainfo('a piece layer belongs to none of the files');
    if (!(layer instanceof Uint8Array) || !fits(layer, lengths)) {
      refuseMetainfo('a piece layer has the wrong size');
    }
    const root = Uint8Array.from(key, (character) => character.charCodeAt(0));
    const reached = pieceLayerRoot(layer, info.pieceLengthBytes, digests.sha256);
    if (!equalBytes(reached, root)) refuseMetainfo('a piece layer does not lead to its root');
    proved.set(toHex(root), layer.slice());
  }
  return proved;
}

/** Whether a layer has the pieces of every file of its root: two of one root are equally long. */
function fits(layer: Uint8Array, lengths: ReadonlySet<number>): boolean {
  return [...lengths].every((pieces) => layer.length === pieces * MERKLE_HASH_BYTES);
}
