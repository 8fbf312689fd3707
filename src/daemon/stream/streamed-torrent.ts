/** What the server has to know of a torrent: its files, and where their bytes lie in its pieces. */
import { type InfoDict, parseInfoDict, parseMetainfo } from '../../wire/index.ts';
import { type Place, targetAt } from '../places/index.ts';
import { digests } from '../torrents/describe.ts';

/** A file that can be played. */
export interface StreamedFile {
  /** Its place among the files people see, pad files left out: the number in its address. */
  readonly index: number;
  /** Its place in the torrent, pad files counted. */
  readonly position: number;
  /** Elements joined by `/`. */
  readonly path: string;
  /** The last element. */
  readonly name: string;
  readonly absolutePath: string;
  readonly lengthBytes: number;
  /** Where it begins in the torrent's pieces. */
  readonly offsetBytes: number;
}

/** A torrent whose files can be played. */
export interface StreamedTorrent {
  /** Lower-case hex info-hash: how the transfer names it. */
  readonly key: string;
  readonly name: string;
  readonly pieceLengthBytes: number;
  readonly pieceCount: number;
  /** Pad files counted. */
  readonly fileCount: number;
  readonly files: readonly StreamedFile[];
}

/** A torrent file, or the info dictionary that peers have sent. */
export type StreamSource =
  | { readonly kind: 'metainfo'; readonly bytes: Uint8Array }
  | { readonly kind: 'info'; readonly bytes: Uint8Array };

/**
 * Reads what is needed of a torrent; `place` is where it is.
 *
 * @throws WireError WIRE_BENCODE, WIRE_METAINFO
 */
export function readStreamedTorrent(
  source: StreamSource,
  at: { readonly key: string; readonly place: Place },
): StreamedTorrent {
  const read = source.kind === 'metainfo' ? parseMetainfo : parseInfoDict;
  return streamedTorrent(read(source.bytes, digests), at);
}

function streamedTorrent(
  info: InfoDict,
  { key, place }: { readonly key: string; readonly place: Place },
): StreamedTorrent {
  const { name, pieceLengthBytes, pieceCount } = info;
  const { layout } = targetAt(key, info, place);
  const placed = layout.files.map((file, position) => ({ file, position }));
  const files = placed
    .filter(({ file }) => !file.isPad)
    .map(({ file, position }, index) => ({
      index,
      position,
      path: file.path.join('/'),
      name: file.path.at(-1) ?? name,
      absolutePath: layout.pathOf(file),
      lengthBytes: file.lengthBytes,
      offsetBytes: file.offsetBytes,
    }));
  return { key, name, pieceLengthBytes, pieceCount, fileCount: placed.length, files };
}
