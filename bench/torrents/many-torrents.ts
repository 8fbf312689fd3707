/** Thousands of torrents that take no room: sparse files of zeros, each with a name of its own. */
import { createHash } from 'node:crypto';
import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Like a small album or a program: its torrent file is 5 KB. */
const TORRENT_BYTES = 64 * 2 ** 20;
const PIECE_BYTES = 2 ** 18;

/** Where they were made. */
export interface ManyTorrents {
  /** Holds every torrent's one file. */
  readonly dataFolder: string;
  /** Holds `0.torrent` to `N-1.torrent`, and the one to be added later as `one-more`. */
  readonly torrentFolder: string;
}

/** Makes `count` torrents below `folder`, and one more. */
export function makeManyTorrents(folder: string, count: number): ManyTorrents {
  const [dataFolder, torrentFolder] = [join(folder, 'data'), join(folder, 'torrents')];
  mkdirSync(dataFolder, { recursive: true });
  mkdirSync(torrentFolder, { recursive: true });
  const digest = createHash('sha1').update(new Uint8Array(PIECE_BYTES)).digest();
  const pieces = Buffer.concat(Array<Buffer>(TORRENT_BYTES / PIECE_BYTES).fill(digest));
  const make = (name: string, torrentName: string): void => {
    const file = openSync(join(dataFolder, name), 'w');
    ftruncateSync(file, TORRENT_BYTES);
    closeSync(file);
    const head =
      `d4:infod6:lengthi${TORRENT_BYTES}e4:name${name.length}:${name}` +
      `12:piece lengthi${PIECE_BYTES}e6:pieces${pieces.length}:`;
    const torrent = Buffer.concat([Buffer.from(head), pieces, Buffer.from('ee')]);
    writeFileSync(join(torrentFolder, `${torrentName}.torrent`), torrent);
  };
  for (let nth = 0; nth < count; nth++) make(`content ${nth}`, `${nth}`);
  make('one more', 'one-more');
  return { dataFolder, torrentFolder };
}
