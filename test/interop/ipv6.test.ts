/** Torrents between addresses of IPv6, with each client that knows them. */
import { aria2 } from './clients/aria2.ts';
import { bidwidth } from './clients/bidwidth.ts';
import { libtorrent } from './clients/libtorrent.ts';
import { qbittorrent } from './clients/qbittorrent.ts';
import { rtorrent } from './clients/rtorrent.ts';
import { transmission } from './clients/transmission.ts';
import { webtorrent } from './clients/webtorrent.ts';
import { testTransfers } from './pairs.ts';

testTransfers(
  'over IPv6',
  [rtorrent, transmission, libtorrent, qbittorrent, webtorrent, aria2].flatMap((other) => [
    { from: other, to: bidwidth, shape: 'single-file', start: 'magnet', family: 'IPv6' },
    { from: bidwidth, to: other, shape: 'multi-file', start: 'torrent', family: 'IPv6' },
  ]),
);
