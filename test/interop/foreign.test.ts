/**
 * The harness against itself: libtorrent and each other foreign client, both ways, without
 * Bidwidth. When these fail, the harness is wrong, not our engine.
 */
import { aria2 } from './clients/aria2.ts';
import { libtorrent } from './clients/libtorrent.ts';
import { qbittorrent } from './clients/qbittorrent.ts';
import { rtorrent } from './clients/rtorrent.ts';
import type { TorrentClient } from './clients/torrent-client.ts';
import { transmission } from './clients/transmission.ts';
import { webtorrent } from './clients/webtorrent.ts';
import { testTransfers } from './pairs.ts';

const others: readonly TorrentClient[] = [
  libtorrent,
  qbittorrent,
  webtorrent,
  aria2,
  transmission,
  rtorrent,
];

testTransfers(
  'foreign clients among themselves',
  others.flatMap((other) => [
    { from: libtorrent, to: other, shape: 'multi-file', start: 'torrent' },
    { from: other, to: libtorrent, shape: 'single-file', start: 'magnet' },
  ]),
);
