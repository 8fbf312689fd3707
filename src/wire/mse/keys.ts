/** What both ends of Message Stream Encryption hash, and what they need from outside. */
import { concatBytes } from '../../units/index.ts';
import { Rc4 } from './rc4.ts';

/** Length of a public key and of the shared secret. */
export const MSE_KEY_BYTES = 96;

/** Random bytes that may follow a public key, and padding of the later messages, at most. */
export const PAD_BYTES_MAX = 512;

/**
 * The prime of the key exchange, big-endian; the generator is 2. Of 768 bits: who records a
 * connection and can spend much may read it. It hides what a stream is, no more (see SECURITY.md).
 */
export const MSE_PRIME_HEX: string =
  'ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22' +
  '514a08798e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6' +
  'f44c42e9a63a36210000000000090563';

/** One end's keys for one handshake. */
export interface MseKeyPair {
  /** 96 bytes. */
  readonly publicKey: Uint8Array;
  /** The 96 bytes that both ends arrive at; null for a key that is not one (0, 1, p - 1 …). */
  secretWith(remotePublicKey: Uint8Array): Uint8Array | null;
}

/** What the handshake needs from outside. */
export interface MseCrypto {
  sha1(view: Uint8Array): Uint8Array;
  /** Bytes nobody can guess. */
  randomBytes(count: number): Uint8Array;
  /** New keys over the prime above, from a secret of 160 bits. */
  newKeyPair(): MseKeyPair;
}

/** Verification constant: eight zeros, by which an end finds where the other's padding stops. */
export const VC_BYTES = 8;

/** SHA-1 of the ASCII `label` and the given parts. */
export function labelled(
  crypto: Pick<MseCrypto, 'sha1'>,
  label: 'req1' | 'req2' | 'req3' | 'keyA' | 'keyB',
  ...parts: readonly Uint8Array[]
): Uint8Array {
  const name = Uint8Array.from(label, (char) => char.charCodeAt(0));
  return crypto.sha1(concatBytes(name, ...parts));
}

/** What an incoming connection names a torrent by, once `req3` is taken off: HASH('req2', SKEY). */
export function torrentMark(crypto: Pick<MseCrypto, 'sha1'>, infoHash: Uint8Array): Uint8Array {
  return labelled(crypto, 'req2', infoHash);
}

/** The ciphers of a connection: `A` is the end that dialled. */
export function streamCiphers(
  crypto: MseCrypto,
  secret: Uint8Array,
  infoHash: Uint8Array,
): { readonly fromA: Rc4; readonly fromB: Rc4 } {
  return {
    fromA: Rc4.forStream(labelled(crypto, 'keyA', secret, infoHash)),
    fromB: Rc4.forStream(labelled(crypto, 'keyB', secret, infoHash)),
  };
}

/** `a` xor `b`, of the same length. */
export function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, at) => byte ^ (b[at] ?? 0));
}

/** Random padding of 0 to 512 bytes. */
export function randomPad(crypto: MseCrypto): Uint8Array {
  const [high = 0, low = 0] = crypto.randomBytes(2);
  return crypto.randomBytes((high * 256 + low) % (PAD_BYTES_MAX + 1));
}
