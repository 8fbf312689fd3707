/** What the tests of this folder share: digests and a torrent to change. */
import { sha1 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { type Bencodable, encodeBencode } from '../../bencode/encode.ts';
import type { Digests, Metainfo } from '../metainfo.ts';
import { parseMetainfo } from '../parse.ts';

/** Digests that need no platform. */
export const digests: Digests = { sha1, sha256 };

/** Keys and values of a dictionary to encode. */
export type Fields = Readonly<Record<string, Bencodable | undefined>>;

/** A file's root in tests. */
export const ROOT: Uint8Array = new Uint8Array(32).fill(7);

/** A v1 torrent of files of the paths given, 16 KiB each. */
export function v1Of(...paths: readonly string[]): Fields {
  const files = paths.map((path) => ({ length: 16384, path: path.split('/') }));
  return {
    name: 'test',
    'piece length': 16384,
    pieces: new Uint8Array(paths.length * 20),
    files,
  };
}

/** Encodes and reads a torrent of the info dictionary given. */
export function readTorrent(info: Bencodable, outside: Fields = {}): Metainfo {
  return parseMetainfo(encodeBencode({ ...outside, info }), digests);
}

/** The paths of a torrent, joined. */
export function pathsOf(torrent: Pick<Metainfo, 'files'>): readonly string[] {
  return torrent.files.map((file) => file.path.join('/'));
}
