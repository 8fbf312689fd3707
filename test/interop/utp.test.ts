/** uTP alone, TCP being off on one side at least. */
import { bidwidth, bidwidthWith } from './clients/bidwidth.ts';
import { LIBTORRENT_ENCRYPTION, libtorrentWith } from './clients/libtorrent.ts';
import { qbittorrentWith } from './clients/qbittorrent.ts';
import { transmissionWith } from './clients/transmission.ts';
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
const qbittorrentUtp = qbittorrentWith('qbittorrent without TCP', { BTProtocol: 'UTP' });
const transmission = transmissionWith('transmission', { 'utp-enabled': true });
const bidwidthUtp = bidwidthWith('bidwidth without TCP', ['--no-tcp']);

testTransfers('bidwidth, as it is, with a peer that is reached by uTP only', [
  ...bothWays(bidwidth, [libtorrentUtp]),
  ...bothWays(bidwidth, [libtorrentUtp], 'v2'),
  ...bothWays(bidwidth, [libtorrentUtp], 'hybrid'),
  { from: libtorrentUtpRc4, to: bidwidth, shape: 'single-file', start: 'torrent' },
  { from: bidwidth, to: libtorrentUtpRc4, shape: 'multi-file', start: 'torrent' },
]);

testTransfers('uTP with clients that people use', [
  ...bothWays(bidwidth, [qbittorrentUtp]),
  { from: qbittorrentUtp, to: bidwidth, version: 'v2', shape: 'multi-file', start: 'torrent' },
  { from: bidwidth, to: qbittorrentUtp, version: 'hybrid', shape: 'multi-file', start: 'torrent' },
  // Its TCP cannot be switched off: ours is.
  { from: transmission, to: bidwidthUtp, shape: 'single-file', start: 'magnet' },
  { from: bidwidthUtp, to: transmission, shape: 'multi-file', start: 'torrent' },
]);

testTransfers('bidwidth over uTP with itself', [
  { from: bidwidthUtp, to: bidwidthUtp, shape: 'multi-file', start: 'torrent' },
  { from: bidwidthUtp, to: bidwidth, shape: 'single-file', start: 'magnet' },
  { from: bidwidth, to: bidwidthUtp, shape: 'single-file', start: 'torrent' },
]);
