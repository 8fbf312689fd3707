/**
 * Drives WebTorrent as one peer: seeds or downloads one torrent, prints JSON lines.
 *
 *   node webtorrent-peer.mjs seed TORRENT DIR [options]
 *   node webtorrent-peer.mjs download TORRENT|MAGNET DIR [options]
 *
 * Prints {"event":"listening","port":..} first, then {"event":"complete","seconds":S}, S from
 * adding the torrent to its files written; a download then ends. Everything that is not the
 * transfer is off unless an option says otherwise. Its uTP and WebRTC are native code that is not
 * installed here. Piece strategy is its default.
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
  options: {
    peer: { type: 'string', multiple: true, default: [] },
    /** HOST:PORT of the only DHT node known; no DHT when absent. */
    'dht-node': { type: 'string' },
    /** 0 in the clear, 1 encrypted handshakes first, 2 RC4 only. */
    secure: { type: 'string', default: '0' },
    /** Ask the torrent's own trackers. */
    trackers: { type: 'boolean', default: false },
    'upload-limit': { type: 'string', default: '-1' },
    /** Peer exchange. */
    pex: { type: 'boolean', default: false },
    /** Seed on after a download. */
    stay: { type: 'boolean', default: false },
  },
});
const [role, source, folder] = positionals;
const dhtNode = values['dht-node'];
const client = new WebTorrent({
  dht: dhtNode === undefined ? false : { bootstrap: [dhtNode] },
  lsd: false,
  natPmp: false,
  natUpnp: false,
  secure: Number(values.secure),
  tracker: values.trackers,
  uploadLimit: Number(values['upload-limit']),
  utPex: values.pex,
  utp: false,
  webSeeds: false,
});
client.on('error', fail);
client.on('listening', () => say('listening', { port: client.torrentPort }));
const started = performance.now();
const torrent = client.add(source.startsWith('magnet:') ? source : readFileSync(source), {
  path: folder,
});
torrent.on('error', fail);
// Only a torrent whose info-hash is known takes peers.
torrent.on('infoHash', () => {
  for (const peer of values.peer) torrent.addPeer(peer);
});
torrent.on('done', () => {
  const complete = () => say('complete', { seconds: (performance.now() - started) / 1000 });
  if (role === 'seed' || values.stay) {
    complete();
    return;
  }
  // Closes its files: until then pieces may still be on their way to the disk.
  client.destroy(() => {
    complete();
    process.exit(0);
  });
});

function say(event, facts) {
  console.log(JSON.stringify({ event, ...facts }));
}

function fail(error) {
  console.error(error);
  process.exit(1);
}
