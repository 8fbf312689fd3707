/** Fuzzed bytes as the other end of an encrypted handshake (MSE), at both of our ends. */
import { hash } from 'node:crypto';
import {
  MSE_KEY_BYTES,
  type MseCrypto,
  MseInitiator,
  type MseMethod,
  MseResponder,
  torrentMark,
} from '../../src/wire/index.ts';
import { chunksOf, digests } from './streams.ts';

const INFO_HASH = new Uint8Array(20).fill(5);
const EARLY = new Uint8Array(68).fill(9);
const METHODS: readonly MseMethod[] = ['rc4', 'plaintext'];

/**
 * Without secrets: both ends come to the same key whatever they send, so that a recorded handshake
 * is understood again, and what is changed in it is changed in the plain text too.
 */
const openCrypto: MseCrypto = {
  sha1: digests.sha1,
  randomBytes: (count) => new Uint8Array(count).fill(count === 2 ? 0 : 7),
  newKeyPair: () => ({
    publicKey: new Uint8Array(MSE_KEY_BYTES).fill(3),
    secretWith: (remote) =>
      remote[0] === 0 ? null : new Uint8Array(MSE_KEY_BYTES).fill(hash('sha1', 'x').length),
  }),
};

/** The accepting end hears this. */
export function meetResponder(input: Uint8Array): void {
  const end = makeResponder(() => {});
  for (const chunk of chunksOf(input)) {
    if (end.receive(chunk).state !== 'more') return;
  }
}

/** The dialling end hears this. */
export function meetInitiator(input: Uint8Array): void {
  const end = makeInitiator(METHODS, () => {});
  end.start();
  for (const chunk of chunksOf(input)) {
    if (end.receive(chunk).state !== 'more') return;
  }
}

/** What each end says in handshakes that come to something. */
export function handshakes(): {
  readonly dialling: Uint8Array[];
  readonly accepting: Uint8Array[];
} {
  const talks = [METHODS, ['plaintext'] as const].map(talk);
  return { dialling: talks.map(([said]) => said), accepting: talks.map(([, said]) => said) };
}

function talk(methods: readonly MseMethod[]): readonly [Uint8Array, Uint8Array] {
  const said: [Uint8Array[], Uint8Array[]] = [[], []];
  const accepting = makeResponder((bytes) => {
    said[1].push(bytes.slice());
    dialling.receive(bytes.slice());
  });
  const dialling = makeInitiator(methods, (bytes) => {
    said[0].push(bytes.slice());
    accepting.receive(bytes.slice());
  });
  dialling.start();
  return [new Uint8Array(Buffer.concat(said[0])), new Uint8Array(Buffer.concat(said[1]))];
}

function makeResponder(send: (bytes: Uint8Array) => void): MseResponder {
  const mark = Buffer.from(torrentMark(openCrypto, INFO_HASH));
  const findTorrent = (other: Uint8Array): Uint8Array | null =>
    mark.equals(other) ? INFO_HASH : null;
  return new MseResponder(openCrypto, { findTorrent, accept: METHODS }, send);
}

function makeInitiator(
  provide: readonly MseMethod[],
  send: (bytes: Uint8Array) => void,
): MseInitiator {
  return new MseInitiator(openCrypto, { infoHash: INFO_HASH, provide, early: EARLY }, send);
}
