/**
 * A torrent made in memory, read back, and one request as it travels. Run: node examples/wire.ts
 */
import { hash } from 'node:crypto';
import { bytes, concatBytes, toHex } from '../src/units/index.ts';
import {
  encodeBlockRef,
  encodeMetainfo,
  MESSAGE,
  PeerFramer,
  type PeerMessageSink,
  parseMetainfo,
  planTorrent,
  WireError,
} from '../src/wire/index.ts';

const sha1 = (view: Uint8Array): Uint8Array => hash('sha1', view, 'buffer');
const sha256 = (view: Uint8Array): Uint8Array => hash('sha256', view, 'buffer');

// Two pieces of 16 KiB. The layer hashes nothing itself: it opens nothing and imports no node:.
const data = new Uint8Array(20_000).fill(7);
const plan = planTorrent({
  name: 'sevens.bin',
  files: [{ path: [], lengthBytes: bytes(data.length) }],
  pieceLengthBytes: 16_384,
  version: 'v1',
});
const pieceHashesV1 = concatBytes(sha1(data.subarray(0, 16_384)), sha1(data.subarray(16_384)));
const torrent = encodeMetainfo(plan, { pieceHashesV1 }, { trackers: [['udp://127.0.0.1:6969']] });

const { name, pieceCount, infoHashV1, trackers } = parseMetainfo(torrent, { sha1, sha256 });
console.log(`${name}: ${torrent.length} bytes of torrent, ${pieceCount} pieces`);
console.log(`info-hash ${infoHashV1 ? toHex(infoHashV1) : 'none'}, tracker ${trackers.flat()}`);

// What strangers send either decodes or throws one error, whose code is in docs/errors.md.
try {
  parseMetainfo(torrent.subarray(0, 40), { sha1, sha256 });
} catch (error) {
  if (error instanceof WireError) console.log(`cut short: ${error.code}: ${error.message}`);
}

// A peer's stream arrives in any chunks. A message is heard when its last byte is here.
const nothing = (): void => {};
const sink: PeerMessageSink = {
  ...{ onChoke: nothing, onInterested: nothing, onHave: nothing, onBitfield: nothing },
  ...{ onHaveAll: nothing, onHaveNone: nothing, onCancel: nothing, onReject: nothing },
  ...{ onAllowedFast: nothing, onExtended: nothing, onBlockStart: () => null, onBlockEnd: nothing },
  onRequest: (index, begin, length) => console.log(`request ${index} ${begin} ${length}`),
};
const framer = new PeerFramer(sink);
const message = encodeBlockRef(MESSAGE.request, { index: 1, begin: 0, length: 3616 });
for (const byte of message) framer.push(Uint8Array.of(byte));
