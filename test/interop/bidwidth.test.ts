/** Bidwidth with every foreign client, both ways, from torrent files and magnet links. */
import { aria2 } from './clients/aria2.ts';
import { bidwidth } from './clients/bidwidth.ts';
import { libtorrent } from './clients/libtorrent.ts';
import { qbittorrent } from './clients/qbittorrent.ts';
import { rtorrent } from './clients/rtorrent.ts';
import { transmission } from './clients/transmission.ts';
import { webtorrent } from './clients/webtorrent.ts';
import { bothWays, testTransfers } from './pairs.ts';

testTransfers(
  'bidwidth and foreign clients',
  bothWays(bidwidth, [libtorrent, qbittorrent, webtorrent, aria2, transmission, rtorrent]),
);

testTransfers('bidwidth with itself', [
  { from: bidwidth, to: bidwidth, shape: 'multi-file', start: 'torrent' },
  { from: bidwidth, to: bidwidth, shape: 'single-file', start: 'magnet' },
]);
