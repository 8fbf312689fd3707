/** Downloads that begin with an info-hash and a DHT node. By PEX alone: `pex.test.ts`. */
import { aria2 } from './clients/aria2.ts';
import { bidwidth } from './clients/bidwidth.ts';
import { libtorrent } from './clients/libtorrent.ts';
import { rtorrent } from './clients/rtorrent.ts';
import { webtorrent } from './clients/webtorrent.ts';
import { testTransfers } from './pairs.ts';

testTransfers('what the DHT alone knows', [
  ...[libtorrent, webtorrent, aria2].map(
    (other) => ({ from: other, to: bidwidth, shape: 'single-file', start: 'dht' }) as const,
  ),
  // As a seed rTorrent was not always found: it seems to announce once, with nodes or without.
  ...[libtorrent, webtorrent, aria2, rtorrent].map(
    (other) => ({ from: bidwidth, to: other, shape: 'multi-file', start: 'dht' }) as const,
  ),
]);

testTransfers(
  'v2 and hybrid torrents that the DHT alone knows',
  (['v2', 'hybrid'] as const).flatMap((version) => [
    { from: libtorrent, to: bidwidth, version, shape: 'multi-file', start: 'dht' },
    { from: bidwidth, to: libtorrent, version, shape: 'single-file', start: 'dht' },
  ]),
);
