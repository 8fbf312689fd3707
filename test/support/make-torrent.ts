/** Writes BitTorrent v1 torrents for tests (BEP 3), without help from the code under test. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Bencodable, bdecode, bencode } from './bencode.ts';
import { listFiles } from './files.ts';

/** What to make a torrent of, and where to write it. */
export interface TorrentRequest {
  /** A file, or a folder for a multi-file torrent. */
  readonly contentPath: string;
  readonly torrentPath: string;
  readonly pieceLengthBytes: number;
  /** The announce URL; left out when absent. */
  readonly tracker?: string | undefined;
}

/** A torrent on disk and what it says. */
export interface MadeTorrent {
  readonly torrentPath: string;
  readonly contentPath: string;
  readonly name: string;
  /** 40 hex digits. */
  readonly infoHash: string;
  readonly magnet: string;
  readonly totalBytes: number;
}

/** Hashes the content and writes the torrent file. */
export async function makeTorrent(request: TorrentRequest): Promise<MadeTorrent> {
  const { contentPath, torrentPath, pieceLengthBytes } = request;
  const name = basename(contentPath);
  const isFolder = (await stat(contentPath)).isDirectory();
  const files = isFolder
    ? await listFiles(contentPath)
    : [{ path: '', lengthBytes: (await stat(contentPath)).size }];
  const absolute = files.map((file) => join(contentPath, file.path));
  const totalBytes = files.reduce((sum, file) => sum + file.lengthBytes, 0);
  const layout: Record<string, Bencodable> = isFolder
    ? { files: files.map((file) => ({ length: file.lengthBytes, path: file.path.split('/') })) }
    : { length: totalBytes };
  const info = {
    name,
    'piece length': pieceLengthBytes,
    pieces: hashPieces(absolute, pieceLengthBytes),
    ...layout,
  };
  const announce = request.tracker === undefined ? {} : { announce: request.tracker };
  await writeFile(torrentPath, bencode({ ...announce, info }));
  const infoHash = createHash('sha1').update(bencode(info)).digest('hex');
  const trackerPart = request.tracker ? `&tr=${encodeURIComponent(request.tracker)}` : '';
  const magnet = `magnet:?xt=urn:btih:${infoHash}&dn=${encodeURIComponent(name)}${trackerPart}`;
  return { torrentPath, contentPath, name, infoHash, magnet, totalBytes };
}

/** SHA-1 of each piece of the files laid end to end; the last one may be short. */
function hashPieces(paths: readonly string[], pieceLengthBytes: number): Uint8Array {
  const hashes: Uint8Array[] = [];
  const piece = Buffer.allocUnsafe(pieceLengthBytes);
  let filled = 0;
  const close = (): void => {
    hashes.push(createHash('sha1').update(piece.subarray(0, filled)).digest());
    filled = 0;
  };
  for (const path of paths) {
    const file = openSync(path, 'r');
    for (;;) {
      const got = readSync(file, piece, filled, pieceLengthBytes - filled, null);
      if (got === 0) break;
      filled += got;
      if (filled === pieceLengthBytes) close();
    }
    closeSync(file);
  }
  if (filled > 0) close();
  return Buffer.concat(hashes);
}

/** Copies the torrent at `from` to `to` with the announce URL set, its info untouched. */
export async function copyWithTracker(from: string, to: string, tracker: string): Promise<void> {
  const source = await readFile(from);
  const info = bdecode(source).ranges.get('info');
  if (info === undefined) throw new Error(`${from} has no info dictionary`);
  const head = Buffer.from(`d8:announce${Buffer.byteLength(tracker)}:${tracker}4:info`);
  await writeFile(to, Buffer.concat([head, source.subarray(...info), Buffer.from('e')]));
}
