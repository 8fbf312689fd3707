/** What the user wants of encryption, and what follows from it for every connection. */
import type { MseCrypto, MseMethod } from '../wire/index.ts';

/**
 * `off` neither dials nor accepts encrypted connections. `allow` accepts both kinds, dials in the
 * clear and tries again encrypted when that was cut off. `prefer` does it the other way round, and
 * chooses RC4 where the other end leaves the choice. `require` has nothing but RC4.
 */
export type EncryptionPolicy = 'off' | 'allow' | 'prefer' | 'require';

/** What an engine needs in order to encrypt. */
export interface EncryptionOptions {
  readonly policy: EncryptionPolicy;
  readonly crypto: MseCrypto;
}

/** How an outgoing connection begins. */
export type DialWay = 'plain' | 'encrypted';

/** A policy, spelled out. */
export interface EncryptionRules {
  /** Ways to dial, the first one first. */
  readonly ways: readonly DialWay[];
  readonly acceptsPlain: boolean;
  readonly acceptsEncrypted: boolean;
  /**
   * Methods we accept behind an encrypted handshake, the preferred one first. `allow` prefers
   * plaintext, if the other end offers it: it costs nothing.
   */
  readonly accepts: readonly MseMethod[];
}

/**
 * What we offer when we dial encrypted. Not plaintext: the other end's handshake could then be read
 * on the way, and being read is why the plain connection before it was cut off, if it was.
 */
export const OFFERED_METHODS: readonly MseMethod[] = ['rc4'];

/** What each policy means. */
export const ENCRYPTION_RULES: Readonly<Record<EncryptionPolicy, EncryptionRules>> = {
  off: { ways: ['plain'], acceptsPlain: true, acceptsEncrypted: false, accepts: [] },
  allow: {
    ways: ['plain', 'encrypted'],
    acceptsPlain: true,
    acceptsEncrypted: true,
    accepts: ['plaintext', 'rc4'],
  },
  prefer: {
    ways: ['encrypted', 'plain'],
    acceptsPlain: true,
    acceptsEncrypted: true,
    accepts: ['rc4', 'plaintext'],
  },
  require: { ways: ['encrypted'], acceptsPlain: false, acceptsEncrypted: true, accepts: ['rc4'] },
};
