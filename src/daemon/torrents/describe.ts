/** What a torrent says, as plain values for people and programs. */
import { nodeHasher, sha256 } from '../../platform/disk/index.ts';
import { toHex } from '../../units/index.ts';
import { type Digests, type Metainfo, parseMagnet, parseMetainfo } from '../../wire/index.ts';
import type { TorrentSource } from '../torrent-source.ts';

/** Hash functions for reading torrents. */
export const digests: Digests = { sha1: (view) => nodeHasher.sha1(view), sha256 };

/** A torrent's face. Null is what a magnet link does not say, or what the torrent does not have. */
export interface TorrentDescription {
  /** Lower-case hex. */
  readonly infoHashV1: string | null;
  readonly infoHashV2: string | null;
  readonly name: string | null;
  readonly pieceLengthBytes: number | null;
  readonly pieceCount: number | null;
  /** Size of the piece space: pad files counted. */
  readonly totalBytes: number | null;
  /** Without pad files; elements joined by `/`. */
  readonly files: readonly { readonly path: string; readonly lengthBytes: number }[] | null;
  /** In tier order. */
  readonly trackers: readonly string[];
  readonly webSeeds: readonly string[];
  readonly private: boolean | null;
  readonly comment: string | null;
  readonly createdBy: string | null;
  /** Seconds since 1970. */
  readonly creationDate: number | null;
}

/** Reads a source. Throws `WireError` for what is no torrent. */
export function describeTorrent(source: TorrentSource): TorrentDescription {
  return source.kind === 'magnet'
    ? describeMagnet(source.text)
    : describeMetainfo(parseMetainfo(source.bytes, digests));
}

function describeMagnet(text: string): TorrentDescription {
  const magnet = parseMagnet(text);
  return {
    infoHashV1: hexOf(magnet.infoHashV1),
    infoHashV2: hexOf(magnet.infoHashV2),
    name: magnet.displayName,
    pieceLengthBytes: null,
    pieceCount: null,
    totalBytes: magnet.lengthBytes,
    files: null,
    trackers: magnet.trackers,
    webSeeds: magnet.webSeeds,
    private: null,
    comment: null,
    createdBy: null,
    creationDate: null,
  };
}

function describeMetainfo(metainfo: Metainfo): TorrentDescription {
  const files = metainfo.files.filter((file) => !file.isPad);
  return {
    infoHashV1: hexOf(metainfo.infoHashV1),
    infoHashV2: hexOf(metainfo.infoHashV2),
    name: metainfo.name,
    pieceLengthBytes: metainfo.pieceLengthBytes,
    pieceCount: metainfo.pieceCount,
    totalBytes: contentBytes(metainfo),
    files: files.map(({ path, lengthBytes }) => ({ path: path.join('/'), lengthBytes })),
    trackers: metainfo.trackers.flat(),
    webSeeds: metainfo.webSeeds,
    private: metainfo.isPrivate,
    comment: metainfo.comment,
    createdBy: metainfo.createdBy,
    creationDate: metainfo.creationDate,
  };
}

/** Bytes of its files, padding left out: what a user gets. */
export function contentBytes({ files }: Metainfo): number {
  return files.reduce((sum, file) => sum + (file.isPad ? 0 : file.lengthBytes), 0);
}

function hexOf(hash: Uint8Array | null): string | null {
  return hash && toHex(hash);
}
