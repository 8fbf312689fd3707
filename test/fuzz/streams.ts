/** Fuzzed bytes as a peer's stream: at the framer alone, and at a whole engine with a torrent. */
import { createHash } from 'node:crypto';
import type { Connection } from '../../src/engine/index.ts';
import { DEAF, QUIET, startEngine, VirtualClock, VirtualNetwork } from '../../src/sim/index.ts';
import { concatBytes, instant, seededRandom } from '../../src/units/index.ts';
import {
  type Digests,
  encodeBare,
  encodeBitfield,
  encodeBlockRef,
  encodeExtended,
  encodeHandshake,
  encodeIndex,
  MESSAGE,
  PeerFramer,
  type PeerMessageSink,
  putPieceHeader,
} from '../../src/wire/index.ts';

const INFO_HASH = new Uint8Array(20).fill(3);

const sha1 = (view: Uint8Array): Uint8Array => digest('sha1', view);
const sha256 = (view: Uint8Array): Uint8Array => digest('sha256', view);

/** Hash functions. */
export const digests: Digests = { sha1, sha256 };

const target = new Uint8Array(16384);
const SINK: PeerMessageSink = {
  ...DEAF,
  onBlockStart: (_index, _begin, length) => target.subarray(0, length),
};

/** The stream cut into chunks that depend on it alone. */
export function pushStream(input: Uint8Array): void {
  const framer = new PeerFramer(SINK);
  for (const chunk of chunksOf(input)) framer.push(chunk);
}

/** A peer that says this after its handshake, to an engine that has only an info-hash. */
export function meetEngine(input: Uint8Array): void {
  const network = new VirtualNetwork(new VirtualClock(), seededRandom(1));
  const engine = startEngine(network, '192.0.2.2');
  const torrent = engine.add(INFO_HASH, QUIET);
  const events = engine.accept(new DeafConnection());
  const flags = { extended: true, fast: true, dht: false };
  const peerId = new Uint8Array(20).fill(9);
  events.onBytes(encodeHandshake({ infoHash: INFO_HASH, peerId, flags }));
  for (const chunk of chunksOf(input)) events.onBytes(chunk);
  engine.tick(instant(2_000));
  events.onClosed('the end');
  engine.remove(torrent);
}

/** One of every message. */
export function peerStream(): Uint8Array {
  const block = new Uint8Array(13 + 32);
  putPieceHeader(block, 0, { index: 1, begin: 0, length: 32 });
  const ref = { index: 1, begin: 16384, length: 16384 };
  return concatBytes(
    encodeBitfield(Uint8Array.of(0xff, 0x80)),
    encodeExtended(0, ascii('d1:md11:ut_metadatai3e6:ut_pexi1ee13:metadata_sizei40000e4:reqqi9ee')),
    encodeExtended(1, ascii('d8:msg_typei0e5:piecei0ee')),
    encodeExtended(1, ascii('d8:msg_typei1e5:piecei0e10:total_sizei40000eexxxx')),
    encodeExtended(1, ascii('d8:msg_typei2e5:piecei1ee')),
    encodeBare(MESSAGE.unchoke),
    encodeBare(MESSAGE.interested),
    encodeIndex(MESSAGE.have, 3),
    encodeBlockRef(MESSAGE.request, ref),
    encodeBlockRef(MESSAGE.cancel, ref),
    encodeBlockRef(MESSAGE.reject, ref),
    encodeIndex(MESSAGE.allowedFast, 2),
    Uint8Array.of(0, 0, 0, 3, MESSAGE.port, 1, 2),
    Uint8Array.of(0, 0, 0, 49, MESSAGE.hashRequest, ...new Array(48).fill(1)),
    block,
    new Uint8Array(4),
    encodeBare(MESSAGE.haveAll),
    encodeBare(MESSAGE.choke),
  );
}

/** Takes what is written and says nothing. */
class DeafConnection implements Connection {
  readonly remoteHost = '192.0.2.1';
  readonly remotePort = 7;
  readonly isOutbound = false;
  readonly queuedBytes = 0;

  write(_parts: readonly Uint8Array[], done?: () => void): void {
    done?.();
  }
  pauseReading(): void {}
  resumeReading(): void {}
  close(): void {}
}

/** Cuts a stream into chunks that depend on it alone. */
export function* chunksOf(input: Uint8Array): Iterable<Uint8Array> {
  let at = 0;
  let state = input.length;
  while (at < input.length) {
    state = (state * 31 + (input[at] ?? 0) + 7) % 997;
    const size = 1 + (state % 90);
    yield input.slice(at, at + size);
    at += size;
  }
}

function digest(name: string, view: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(name).update(view).digest());
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}
