/** v2 and hybrid torrents with clients that know them and clients that do not (BEP 52). */
import { bidwidth } from './clients/bidwidth.ts';
import { libtorrent } from './clients/libtorrent.ts';
import { qbittorrent } from './clients/qbittorrent.ts';
import { rtorrent } from './clients/rtorrent.ts';
import { bothWays, testTransfers } from './pairs.ts';

testTransfers(
  'v2 and hybrid torrents',
  (['v2', 'hybrid'] as const).flatMap((version) =>
    bothWays(bidwidth, [libtorrent, qbittorrent, bidwidth], version),
  ),
);

/**
 * It takes a hybrid for a v1 torrent, padding for files. aria2 1.36 computes a wrong info-hash of
 * any hybrid, and Transmission 3.00 refuses it: neither reads a dictionary with an empty key.
 */
testTransfers('hybrid torrents and a client without v2', [
  { from: rtorrent, to: bidwidth, version: 'hybrid', shape: 'single-file', start: 'torrent' },
  { from: bidwidth, to: rtorrent, version: 'hybrid', shape: 'multi-file', start: 'torrent' },
]);
