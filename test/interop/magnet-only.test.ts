/** Downloads that begin with an info-hash and a DHT node. By PEX alone: `pex.test.ts`. */
import { aria2 } from './clients/aria2.ts';
import { bidwidth } from './clients/bidwidth.ts';
import { libtorrent } from './clients/libtorrent.ts';
import { qbittorrent } from './clients/qbittorrent.ts';
import { rtorrent } from './clients/rtorrent.ts';
import { webtorrent } from './clients/webtorrent.ts';
import { testTransfers } from './pairs.ts';

// Transmission asks no DHT in which it knows fewer than nine nodes, of which it pings one in one to
// three seconds. Given nine in its dht.dat it met us within 45 seconds at times, and on a busy
// machine mostly not within three minutes.
testTransfers(
  'what the DHT alone knows',
  [libtorrent, qbittorrent, webtorrent, aria2, rtorrent].flatMap(
    (other) =>
      [
        { from: other, to: bidwidth, shape: 'single-file', start: 'dht' },
        { from: bidwidth, to: other, shape: 'multi-file', start: 'dht' },
      ] as const,
  ),
);

testTransfers(
  'v2 and hybrid torrents that the DHT alone knows',
  (['v2', 'hybrid'] as const).flatMap((version) => [
    { from: libtorrent, to: bidwidth, version, shape: 'multi-file', start: 'dht' },
    { from: bidwidth, to: libtorrent, version, shape: 'single-file', start: 'dht' },
  ]),
);
