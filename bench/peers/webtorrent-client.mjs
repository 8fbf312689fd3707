/**
 * WebTorrent as a downloader of one torrent from given peers, as the benchmarks run it.
 *
 *   node webtorrent-client.mjs TORRENT DIR --peer HOST:PORT …
 *
 * Prints {"event":"complete","seconds":S}, S from adding the torrent to its file written, and ends.
 * Everything that is not the transfer is off; encryption too, which it would try first. Its uTP and
 * WebRTC are native code that is not installed here. Piece strategy is its default.
 */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { parseArgs } from 'node:util';

/** WebRTC is native code and not used here: WebTorrent gets these names and nothing behind them. */
const NO_WEBRTC =
  'data:text/javascript,export const RTCPeerConnection = null; ' +
  'export const RTCSessionDescription = null; export const RTCIceCandidate = null;';
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'webrtc-polyfill'
      ? { url: NO_WEBRTC, shortCircuit: true }
      : next(specifier, context),
});
const { default: WebTorrent } = await import('webtorrent');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { peer: { type: 'string', multiple: true, default: [] } },
});
const [torrentPath, folder] = positionals;
const client = new WebTorrent({
  dht: false,
  lsd: false,
  natPmp: false,
  natUpnp: false,
  secure: 0,
  tracker: false,
  utPex: false,
  utp: false,
  webSeeds: false,
});
client.on('error', fail);
const started = performance.now();
const torrent = client.add(readFileSync(torrentPath), { path: folder });
torrent.on('error', fail);
// Only a torrent whose info-hash is known takes peers.
torrent.on('infoHash', () => {
  for (const peer of values.peer) torrent.addPeer(peer);
});
torrent.on('done', () => {
  // Closes its files: until then pieces may still be on their way to the disk.
  client.destroy(() => {
    const seconds = (performance.now() - started) / 1000;
    console.log(JSON.stringify({ event: 'complete', seconds }));
    process.exit(0);
  });
});

function fail(error) {
  console.error(error);
  process.exit(1);
}
