/** What a torrent's file or magnet says, as far as working on it needs it. */
import type { PeerAddress } from '../../engine/index.ts';
import { nodeHasher, sha256 } from '../../platform/disk/index.ts';
import { assert, toHex } from '../../units/index.ts';
import {
  type Digests,
  type FileRange,
  type InfoDict,
  parseMagnet,
  parseMetainfo,
} from '../../wire/index.ts';
import type { TorrentSpec } from './messages.ts';

/** Hash functions for the metainfo parser. */
export const digests: Digests = { sha1: (view: Uint8Array) => nodeHasher.sha1(view), sha256 };

/** What is known of a torrent before anything is connected. */
export interface TorrentInput {
  /** What it goes by: that of v1 where it has one, else the first 20 bytes of that of v2. */
  readonly infoHash: Uint8Array;
  readonly infoHashV1: Uint8Array | null;
  /** 32 bytes. */
  readonly infoHashV2: Uint8Array | null;
  /** Null for a magnet: peers will tell. */
  readonly info: InfoDict | null;
  /** Of v2 files, by root in hex; those of a magnet come from peers. */
  readonly pieceLayers: ReadonlyMap<string, Uint8Array>;
  readonly trackers: readonly (readonly string[])[];
  readonly peers: readonly PeerAddress[];
  /** URLs of servers that have the files (BEP 19). */
  readonly webSeeds: readonly string[];
  /** Files that a magnet link selects (BEP 53), counted from 0, padding counted; empty for all. */
  readonly selectOnly: readonly FileRange[];
}

/** Everywhere but in a torrent's own files an info-hash has 20 bytes (BEP 52). */
const INFO_HASH_BYTES = 20;

/** Reads the source; throws `WireError`. */
export function readInput(source: TorrentSpec['source']): TorrentInput {
  if (source.kind === 'magnet') {
    const magnet = parseMagnet(source.text);
    const trackers = magnet.trackers.map((tracker) => [tracker]);
    const { peers, webSeeds, selectOnly } = magnet;
    const unknown = { info: null, pieceLayers: new Map() };
    return { ...namesOf(magnet), ...unknown, trackers, peers, webSeeds, selectOnly };
  }
  const info = parseMetainfo(source.bytes, digests);
  const { pieceLayers, trackers, webSeeds } = info;
  const none = { peers: [], selectOnly: [] };
  return { ...namesOf(info), info, pieceLayers, trackers, webSeeds, ...none };
}

type Names = Pick<TorrentInput, 'infoHash' | 'infoHashV1' | 'infoHashV2'>;

function namesOf({ infoHashV1, infoHashV2 }: Omit<Names, 'infoHash'>): Names {
  const infoHash = infoHashV1 ?? infoHashV2?.slice(0, INFO_HASH_BYTES);
  assert(infoHash, 'a torrent has a name');
  return { infoHash, infoHashV1, infoHashV2 };
}

/** The name in hex by which a hybrid torrent called `key` is known as well; null of others. */
export function otherNameOf(
  key: string,
  { infoHashV1, infoHashV2 }: Omit<Names, 'infoHash'>,
): string | null {
  if (!infoHashV1 || !infoHashV2) return null;
  const v1 = toHex(infoHashV1);
  return key === v1 ? toHex(infoHashV2.slice(0, INFO_HASH_BYTES)) : v1;
}
