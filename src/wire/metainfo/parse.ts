/** A .torrent file from untrusted bytes: accepted, refused and read as libtorrent 2 does. */
import { type UnixSeconds, unixSeconds } from '../../units/index.ts';
import { type BencodeLimits, decodeBencodePrefix } from '../bencode/decode.ts';
import { BencodeDict } from '../bencode/value.ts';
import { readInfoDict, readRelated } from './info-dict.ts';
import { readNodes, readTrackers, readWebSeeds } from './links.ts';
import type { Digests, Metainfo } from './metainfo.ts';
import { readPieceLayers } from './piece-layers.ts';
import { refuseMetainfo } from './problem.ts';

/**
 * Reads a .torrent file: v1, v2 or hybrid. Byte views in the result borrow from `view`, the piece
 * layers excepted. Bytes after the torrent are ignored.
 *
 * @throws WireError WIRE_BENCODE when it is not bencode, WIRE_METAINFO when it is no usable torrent
 */
export function parseMetainfo(
  view: Uint8Array,
  digests: Digests,
  limits: BencodeLimits = {},
): Metainfo {
  const { value: torrent } = decodeBencodePrefix(view, limits);
  if (!(torrent instanceof BencodeDict)) refuseMetainfo('it is not a dictionary');
  const infoDict = torrent.dict('info');
  if (infoDict === null) refuseMetainfo('it has no info dictionary');
  const infoBytes = view.subarray(infoDict.span.start, infoDict.span.end);
  const info = readInfoDict(infoDict, infoBytes, digests);
  const layers = torrent.dict('piece layers');
  const hasLayers = layers !== null && info.infoHashV2 !== null;
  const hasManyFiles = info.files.filter((file) => file.path.length > 1).length > 1;
  const related = readRelated(torrent);
  return {
    ...info,
    similar: [...info.similar, ...related.similar],
    collections: [...info.collections, ...related.collections],
    pieceLayers: hasLayers ? readPieceLayers(layers, info, digests) : new Map(),
    trackers: readTrackers(torrent),
    webSeeds: readWebSeeds(torrent, hasManyFiles),
    nodes: readNodes(torrent),
    comment: readText(torrent, 'comment'),
    createdBy: readText(torrent, 'created by'),
    creationDate: readDate(torrent),
  };
}

function readText(torrent: BencodeDict, key: string): string | null {
  return torrent.text(`${key}.utf-8`) || torrent.text(key) || null;
}

function readDate(torrent: BencodeDict): UnixSeconds | null {
  const seconds = torrent.integer('creation date');
  return seconds === null || seconds < 0 ? null : unixSeconds(seconds);
}
