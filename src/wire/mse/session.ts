/** What a handshake of Message Stream Encryption comes to, for both of its ends. */
import type { Rc4 } from './rc4.ts';

/** How the stream after the handshake is sent: as it is, or through RC4. */
export type MseMethod = 'plaintext' | 'rc4';

/** The bit of each method in `crypto_provide` and `crypto_select`. */
export const METHOD_BIT: Readonly<Record<MseMethod, number>> = { plaintext: 1, rc4: 2 };

/** A finished handshake. */
export interface MseSession {
  readonly infoHash: Uint8Array;
  readonly method: MseMethod;
  /** Encrypts what we send from now on; null after plaintext was chosen. */
  readonly outgoing: Rc4 | null;
  /** Decrypts what comes after `early`; null after plaintext was chosen. */
  readonly incoming: Rc4 | null;
  /** The first bytes of the stream, already readable. */
  readonly early: Uint8Array;
}

/** Where a handshake stands after some bytes. */
export type MseProgress =
  | { readonly state: 'more' }
  | { readonly state: 'failed'; readonly reason: string }
  | { readonly state: 'done'; readonly session: MseSession };

/** The common answer while bytes are missing. */
export const MORE: MseProgress = { state: 'more' };

/** An answer that ends the handshake; `reason` is for people. */
export function failed(reason: string): MseProgress {
  return { state: 'failed', reason };
}
