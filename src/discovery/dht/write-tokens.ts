/** Tokens that prove an address before it may write: announce or put (BEP 5, BEP 44). */
import { concatBytes, equalBytes, type Instant, instant, type Random } from '../../units/index.ts';
import { encodeUtf8, randomNodeId, type Sha1 } from '../../wire/index.ts';

/** The secret changes so often; tokens of the one before are taken too (BEP 5). */
const SECRET_MS = 5 * 60_000;

/** Bytes of a token: 2^64 guesses are more than ten minutes of packets. */
const TOKEN_BYTES = 8;

/** What a token is good for. */
export interface TokenUse {
  readonly host: string;
  /** The info-hash or target. */
  readonly target: Uint8Array;
}

/** Makes and checks tokens; remembers nobody. */
export class WriteTokens {
  readonly #random: Random;
  readonly #sha1: Sha1;
  #secret: Uint8Array;
  #previous: Uint8Array;
  #changedAt: Instant = instant(0);

  constructor(ports: { readonly random: Random; readonly sha1: Sha1 }) {
    this.#random = ports.random;
    this.#sha1 = ports.sha1;
    this.#secret = randomNodeId(ports.random);
    this.#previous = randomNodeId(ports.random);
  }

  tick(now: Instant): void {
    if (now - this.#changedAt < SECRET_MS) return;
    this.#changedAt = now;
    this.#previous = this.#secret;
    this.#secret = randomNodeId(this.#random);
  }

  tokenFor(use: TokenUse): Uint8Array {
    return this.#mint(use, this.#secret);
  }

  /** Whether we gave this token for this use in the last five to ten minutes. */
  isValid(token: Uint8Array, use: TokenUse): boolean {
    const secrets = [this.#secret, this.#previous];
    return secrets.some((secret) => equalBytes(token, this.#mint(use, secret)));
  }

  #mint({ host, target }: TokenUse, secret: Uint8Array): Uint8Array {
    return this.#sha1(concatBytes(secret, target, encodeUtf8(host))).slice(0, TOKEN_BYTES);
  }
}
