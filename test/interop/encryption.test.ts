/** Encrypted connections with every foreign client that can insist on them. */
import { aria2With } from './clients/aria2.ts';
import { bidwidth, bidwidthWith } from './clients/bidwidth.ts';
import { LIBTORRENT_ENCRYPTION, libtorrentWith } from './clients/libtorrent.ts';
import { qbittorrent, qbittorrentWith } from './clients/qbittorrent.ts';
import { rtorrentWith } from './clients/rtorrent.ts';
import type { TorrentClient } from './clients/torrent-client.ts';
import { transmissionWith } from './clients/transmission.ts';
import { webtorrentWith } from './clients/webtorrent.ts';
import { testTransfers } from './pairs.ts';
import type { Transfer } from './transfer.ts';

const { forced, plaintext, rc4 } = LIBTORRENT_ENCRYPTION;
const insisting = { in_enc_policy: forced, out_enc_policy: forced };

const libtorrentRc4 = libtorrentWith('libtorrent that insists on RC4', {
  ...insisting,
  allowed_enc_level: rc4,
});
/** Its handshake is encrypted, what follows is not. */
const libtorrentPlaintext = libtorrentWith('libtorrent that insists on an encrypted handshake', {
  ...insisting,
  allowed_enc_level: plaintext,
});
const aria2Crypto = aria2With('aria2 that requires encryption', ['--bt-require-crypto=true']);
const aria2Rc4 = aria2With('aria2 that forces encryption', ['--bt-force-encryption=true']);
const transmissionCrypto = transmissionWith('transmission that requires encryption', {
  encryption: 2,
});
const qbittorrentCrypto = qbittorrentWith('qbittorrent that requires encryption', {
  Encryption: 1,
});
const rtorrentRc4 = rtorrentWith('rtorrent that requires RC4', {
  'protocol.encryption': 'allow_incoming,try_outgoing,require,require_RC4',
});
const webtorrentRc4 = webtorrentWith('webtorrent that requires RC4', ['--secure', '2']);
const bidwidthRequiring = bidwidthWith('bidwidth that requires encryption', [
  '--encryption',
  'require',
]);

function bothDirections(ours: TorrentClient, other: TorrentClient): readonly Transfer[] {
  return [
    { from: other, to: ours, shape: 'single-file', start: 'torrent' },
    { from: ours, to: other, shape: 'multi-file', start: 'torrent' },
  ];
}

testTransfers('bidwidth, as it is, with clients that insist on encryption', [
  ...[
    libtorrentRc4,
    qbittorrentCrypto,
    webtorrentRc4,
    aria2Crypto,
    aria2Rc4,
    transmissionCrypto,
    rtorrentRc4,
    bidwidthRequiring,
  ].flatMap((other) => bothDirections(bidwidth, other)),
  // We dial encrypted only where we mean it, with RC4: this one has to come to us.
  { from: bidwidth, to: libtorrentPlaintext, shape: 'single-file', start: 'torrent' },
]);

testTransfers('v2 and hybrid torrents over encrypted connections', [
  ...(['v2', 'hybrid'] as const).flatMap((version) =>
    [libtorrentRc4, qbittorrentCrypto].flatMap((other) =>
      bothDirections(bidwidth, other).map((one) => ({ ...one, version })),
    ),
  ),
]);

testTransfers('bidwidth that requires encryption, with clients as they are', [
  ...[
    libtorrentWith('libtorrent', { out_enc_policy: 1 }),
    qbittorrent,
    webtorrentWith('webtorrent', ['--secure', '1']),
    rtorrentWith('rtorrent', {
      'protocol.encryption': 'allow_incoming,try_outgoing,enable_retry',
    }),
    aria2With('aria2', []),
    transmissionWith('transmission', { encryption: 1 }),
    bidwidth,
    bidwidthRequiring,
  ].flatMap((other) => bothDirections(bidwidthRequiring, other)),
]);
