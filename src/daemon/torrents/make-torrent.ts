/** Makes a torrent file of a file or a folder. */
import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import { resolve } from 'node:path';
import { bytes, toHex, unixSeconds } from '../../units/index.ts';
import {
  choosePieceLength,
  encodeMetainfo,
  formatMagnet,
  type Metainfo,
  parseMetainfo,
  parseTrackerUrl,
  planTorrent,
  type TorrentExtras,
  type TorrentVersion,
} from '../../wire/index.ts';
import { DaemonError } from '../daemon-error.ts';
import { explain } from '../torrent-source.ts';
import { contentBytes, digests } from './describe.ts';
import { type HashingOptions, hashSpace } from './hash-space.ts';
import { listSourceFiles } from './source-files.ts';

/** What to make. */
export interface MakeRequest {
  /** A file or a folder. */
  readonly path: string;
  /** Where the torrent goes. */
  readonly out: string;
  /** Replace what is there. */
  readonly isForced: boolean;
  readonly version: TorrentVersion;
  /** Null lets us choose. */
  readonly pieceLengthBytes: number | null;
  /** Null takes the name on disk. */
  readonly name: string | null;
  readonly extras: Omit<TorrentExtras, 'createdBy' | 'creationDate'>;
}

/** A torrent on disk. */
export interface MadeTorrent {
  readonly path: string;
  /** Lower-case hex; null when it has no such part. */
  readonly infoHashV1: string | null;
  readonly infoHashV2: string | null;
  readonly magnet: string;
  readonly name: string;
  readonly pieceLengthBytes: number;
  readonly pieceCount: number;
  readonly totalBytes: number;
  readonly fileCount: number;
}

const CREATED_BY = 'Bidwidth 0.1.0';

/**
 * Hashes everything and writes the torrent file, whole or not at all.
 *
 * @throws DaemonError for files that cannot be read or written, WireError for what no client would
 *   accept (names, piece length)
 */
export async function makeTorrent(
  request: MakeRequest,
  options: HashingOptions = {},
): Promise<MadeTorrent> {
  const out = resolve(request.out);
  checkTrackers(request.extras.trackers ?? []);
  if (existsSync(out) && !request.isForced) throw existsAlready(request.out);
  const source = await listSourceFiles(request.path, out);
  const { version } = request;
  const pieceLengthBytes = request.pieceLengthBytes ?? choosePieceLength(source.totalBytes);
  const name = request.name ?? source.name;
  const plan = planTorrent({ name, files: source.files, pieceLengthBytes, version });
  const { parent, name: nameOnDisk } = source;
  const hashes = await hashSpace({ plan, parent, nameOnDisk }, options);
  const torrent = encodeMetainfo(plan, hashes, {
    ...request.extras,
    createdBy: CREATED_BY,
    creationDate: unixSeconds(Date.now() / 1000),
  });
  // Read back: a torrent that we could not read ourselves is never written.
  const metainfo = parseMetainfo(torrent, digests);
  await write(out, torrent, request.isForced);
  return describe(metainfo, request);
}

function describe(metainfo: Metainfo, { out, extras }: MakeRequest): MadeTorrent {
  const { infoHashV1, infoHashV2, name } = metainfo;
  const totalBytes = bytes(contentBytes(metainfo));
  return {
    path: out,
    infoHashV1: infoHashV1 && toHex(infoHashV1),
    infoHashV2: infoHashV2 && toHex(infoHashV2),
    magnet: formatMagnet({
      infoHashV1,
      infoHashV2,
      displayName: name,
      trackers: (extras.trackers ?? []).flat(),
      webSeeds: extras.webSeeds ?? [],
      peers: [],
      selectOnly: [],
      lengthBytes: totalBytes,
    }),
    name,
    pieceLengthBytes: metainfo.pieceLengthBytes,
    pieceCount: metainfo.pieceCount,
    totalBytes,
    fileCount: metainfo.files.filter((file) => !file.isPad).length,
  };
}

function checkTrackers(tiers: readonly (readonly string[])[]): void {
  for (const url of tiers.flat()) {
    if (parseTrackerUrl(url) !== null) continue;
    throw new DaemonError(
      'DAEMON_TORRENT_UNSUPPORTED',
      `'${url}' is no tracker: use http://…, https://… or udp://host:port/…`,
      { url },
    );
  }
}

/** A new file never replaces one; a forced one does so in a single step. */
async function write(path: string, torrent: Uint8Array, isForced: boolean): Promise<void> {
  const target = isForced ? `${path}.${process.pid}.tmp` : path;
  try {
    await fs.writeFile(target, torrent, { flag: 'wx' });
    if (isForced) await fs.rename(target, path);
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === 'EEXIST') throw existsAlready(path);
    await fs.rm(target, { force: true }).catch(() => {});
    const text = `${path} ${explain(failure)}`;
    throw new DaemonError('DAEMON_FILE_UNWRITABLE', text, { path }, { cause: failure });
  }
}

function existsAlready(path: string): DaemonError {
  const text = `${path} exists already: choose another name, or replace it with --force`;
  return new DaemonError('DAEMON_FILE_EXISTS', text, { path });
}
