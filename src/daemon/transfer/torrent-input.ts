/** What a torrent's file or magnet says, as far as working on it needs it. */
import type { PeerAddress, TorrentContent } from '../../engine/index.ts';
import { nodeHasher, sha256 } from '../../platform/disk/index.ts';
import {
  type Digests,
  type FileRange,
  type InfoDict,
  parseMagnet,
  parseMetainfo,
} from '../../wire/index.ts';
import { DaemonError } from '../daemon-error.ts';
import type { TorrentSpec } from './messages.ts';

/** Hash functions for the metainfo parser. */
export const digests: Digests = { sha1: (view: Uint8Array) => nodeHasher.sha1(view), sha256 };

/** What is known of a torrent before anything is connected. */
export interface TorrentInput {
  readonly infoHash: Uint8Array;
  /** Null for a magnet: peers will tell. */
  readonly info: InfoDict | null;
  readonly trackers: readonly (readonly string[])[];
  readonly peers: readonly PeerAddress[];
  /** Files that a magnet link selects (BEP 53), counted from 0, padding counted; empty for all. */
  readonly selectOnly: readonly FileRange[];
}

/** Reads the source; throws `WireError`, or `DaemonError` DAEMON_TORRENT_UNSUPPORTED. */
export function readInput(source: TorrentSpec['source']): TorrentInput {
  if (source.kind === 'magnet') {
    const magnet = parseMagnet(source.text);
    if (!magnet.infoHashV1) throw unsupported();
    const trackers = magnet.trackers.map((tracker) => [tracker]);
    const { infoHashV1: infoHash, peers, selectOnly } = magnet;
    return { infoHash, info: null, trackers, peers, selectOnly };
  }
  const metainfo = parseMetainfo(source.bytes, digests);
  if (!metainfo.infoHashV1) throw unsupported();
  return {
    infoHash: metainfo.infoHashV1,
    info: metainfo,
    trackers: metainfo.trackers,
    peers: [],
    selectOnly: [],
  };
}

/** The engine's view of an info dictionary. Throws as `readInput` does. */
export function contentOf(info: InfoDict): TorrentContent {
  if (!info.pieceHashesV1) throw unsupported();
  const { name, pieceLengthBytes, totalBytes, infoBytes, isPrivate } = info;
  const pieceHashes = info.pieceHashesV1;
  return { name, pieceLengthBytes, totalBytes, pieceHashes, infoBytes, isPrivate };
}

function unsupported(): DaemonError {
  return new DaemonError(
    'DAEMON_TORRENT_UNSUPPORTED',
    'this torrent has only v2 hashes: use a v1 or hybrid torrent',
  );
}
