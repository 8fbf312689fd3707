/** uTP alone, TCP being off on both sides, with libtorrent and with ourselves. */
import { bidwidth, bidwidthWith } from './clients/bidwidth.ts';
import { LIBTORRENT_ENCRYPTION, libtorrentWith } from './clients/libtorrent.ts';
import { bothWays, testTransfers } from './pairs.ts';

const { forced, rc4 } = LIBTORRENT_ENCRYPTION;

const utpAlone = {
  enable_incoming_tcp: 0,
  enable_outgoing_tcp: 0,
  enable_incoming_utp: 1,
  enable_outgoing_utp: 1,
};
const libtorrentUtp = libtorrentWith('libtorrent without TCP', utpAlone);
const libtorrentUtpRc4 = libtorrentWith('libtorrent without TCP that insists on RC4', {
  ...utpAlone,
  in_enc_policy: forced,
  out_enc_policy: forced,
  allowed_enc_level: rc4,
});
const bidwidthUtp = bidwidthWith('bidwidth without TCP', ['--no-tcp']);

testTransfers('bidwidth, as it is, with a peer that is reached by uTP only', [
  ...bothWays(bidwidth, [libtorrentUtp]),
  ...bothWays(bidwidth, [libtorrentUtp], 'v2'),
  ...bothWays(bidwidth, [libtorrentUtp], 'hybrid'),
  { from: libtorrentUtpRc4, to: bidwidth, shape: 'single-file', start: 'torrent' },
  { from: bidwidth, to: libtorrentUtpRc4, shape: 'multi-file', start: 'torrent' },
]);

testTransfers('bidwidth over uTP with itself', [
  { from: bidwidthUtp, to: bidwidthUtp, shape: 'multi-file', start: 'torrent' },
  { from: bidwidthUtp, to: bidwidth, shape: 'single-file', start: 'magnet' },
  { from: bidwidth, to: bidwidthUtp, shape: 'single-file', start: 'torrent' },
]);
