/** What a user names a torrent by: a file, a magnet link, or a bare info-hash. */
import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import { DaemonError } from './daemon-error.ts';

/** A torrent file's bytes, or the text of a link. Neither has been checked yet. */
export type TorrentSource =
  | { readonly kind: 'metainfo'; readonly bytes: Uint8Array }
  | { readonly kind: 'magnet'; readonly text: string };

/** Larger than any torrent there is; a film given by mistake is not read into memory. */
const TORRENT_BYTES_MAX = 256 * 1024 * 1024;

/** 40 hex or 32 base32 digits: what is left of a magnet link without its trimmings. */
const BARE_HASH = /^(?:[0-9a-f]{40}|[a-z2-7]{32})$/i;

/** Reads a torrent file, unless the text is a link. Throws DAEMON_FILE_UNREADABLE. */
export async function readTorrentSource(text: string): Promise<TorrentSource> {
  const isLink = /^magnet:/i.test(text) || (BARE_HASH.test(text) && !existsSync(text));
  if (isLink) return { kind: 'magnet', text };
  try {
    const { size } = await fs.stat(text);
    if (size > TORRENT_BYTES_MAX) {
      throw unreadable(text, `is ${size} bytes long, too long for a torrent file`);
    }
    return { kind: 'metainfo', bytes: new Uint8Array(await fs.readFile(text)) };
  } catch (failure) {
    if (failure instanceof DaemonError) throw failure;
    throw unreadable(text, explain(failure), failure);
  }
}

/** A file that cannot be read, in one line. */
export function unreadable(path: string, problem: string, cause?: unknown): DaemonError {
  return new DaemonError('DAEMON_FILE_UNREADABLE', `${path} ${problem}`, { path }, { cause });
}

/** The end of a sentence that begins with the path. */
export function explain(failure: unknown): string {
  const { code, message } = failure as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'does not exist: check the path';
    case 'EISDIR':
      return 'is a folder: give a file';
    case 'EACCES':
    case 'EPERM':
      return 'cannot be opened: check its permissions';
    case 'ENAMETOOLONG':
      return 'is too long for a path';
    default:
      return `cannot be used: ${message}`;
  }
}
