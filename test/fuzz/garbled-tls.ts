/** Fuzzed bytes as changes to what a TLS server sends, in its handshake and after it. */
import type { Socket } from 'node:net';
import { Duplex, duplexPair } from 'node:stream';
import tls, { type SecureContext } from 'node:tls';
import { makeCertificate } from '../support/certificates.ts';
import { give } from './answers.ts';

/** Whom the certificate is for. */
const HOST = '8.8.4.4';
const CHANGE_BYTES = 4;
const CHANGES_MAX = 7;
/** In the first byte, beside the count. */
const OLD = 8;
const PATIENCE_MS = 20;

/** A change to a byte on its way: where, what it is mixed with, and whether the stream ends. */
interface Change {
  readonly at: number;
  readonly mask: number;
  readonly isEnd: boolean;
}

/** How an input is read: which TLS, so many changes, then the answers in the clear. */
export interface Garbling {
  /** The last TLS that shows its certificate on the way. */
  readonly isOld: boolean;
  readonly changes: readonly Change[];
  readonly answers: Uint8Array;
}

/** The first byte counts the changes, each of four bytes, and says which TLS. */
export function readGarbling(input: Uint8Array): Garbling {
  const [first = 0] = input;
  const count = first & CHANGES_MAX;
  const changes = Array.from({ length: count }, (_, nth): Change => {
    const [high = 0, low = 0, mask = 0, kind = 0] = input.subarray(1 + nth * CHANGE_BYTES);
    return { at: high * 256 + low, mask, isEnd: kind === 255 };
  });
  return { isOld: (first & OLD) !== 0, changes, answers: input.subarray(1 + count * CHANGE_BYTES) };
}

/** Answers by TLS: as they are, and changed in the handshake and behind it, of either TLS. */
export function tlsAnswers(answers: readonly string[]): readonly Uint8Array[] {
  const places = [[3], [10], [60, 61], [130], [400], [700], [900, 1000], [1100], [1200]];
  const changed = [0, OLD].flatMap((old) =>
    places.map((at, nth) => garblingOf(old, at, answers[nth % answers.length] ?? '')),
  );
  return [...answers.map((answer) => garblingOf(0, [], answer)), ...changed];
}

function garblingOf(old: number, places: readonly number[], answers: string): Uint8Array {
  const changes = places.flatMap((at) => [at >> 8, at & 255, 1, 0]);
  return Uint8Array.from([old + places.length, ...changes, ...Buffer.from(answers, 'latin1')]);
}

/** The near end of a connection to a TLS server that gives the answer and ends. */
export function garbledServer({ isOld, changes }: Garbling, answer: string): Socket {
  const [near, far] = duplexPair();
  const { old, current } = contexts();
  const secureContext = isOld ? old : current;
  const server = new tls.TLSSocket(far as Socket, { isServer: true, secureContext });
  server.on('error', () => {});
  server.once('data', () =>
    give(
      answer,
      (bytes) => server.write(bytes),
      () => server.end(),
    ),
  );
  const garbled = new GarbledStream(near, changes);
  garbled.once('close', () => server.destroy());
  return garbled as unknown as Socket;
}

/** A stream whose reader sees changed bytes. */
class GarbledStream extends Duplex {
  readonly #inner: Duplex;
  /** Both ends may wait for each other, as after a changed length: then the server hangs up. */
  readonly #patience = setTimeout(() => this.#finish(new Uint8Array(0)), PATIENCE_MS);

  constructor(inner: Duplex, changes: readonly Change[]) {
    super();
    this.#inner = inner;
    let position = 0;
    inner.on('data', (chunk: Uint8Array) => {
      this.#patience.refresh();
      const view = Buffer.from(chunk);
      for (const { at, mask, isEnd } of changes) {
        const index = at - position;
        if (index < 0 || index >= view.length) continue;
        view[index] = (view[index] ?? 0) ^ mask;
        if (isEnd) return this.#finish(view.subarray(0, index));
      }
      position += view.length;
      if (!this.readableEnded) this.push(view);
    });
    inner.on('end', () => this.#finish(new Uint8Array(0)));
    inner.on('error', () => {});
    this.on('error', () => {});
  }

  override _read(): void {}

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.#inner.write(chunk);
    done();
  }

  override _final(done: () => void): void {
    this.#inner.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#patience);
    this.#inner.destroy();
    done(error);
  }

  #finish(rest: Uint8Array): void {
    this.#inner.removeAllListeners('data').resume();
    if (this.readableEnded || this.destroyed) return;
    this.push(rest);
    this.push(null);
  }
}

/** What a server shows, for either TLS. */
interface Contexts {
  readonly current: SecureContext;
  readonly old: SecureContext;
}

let made: Contexts | null = null;

/** The server's, whose authority this thread trusts from now on. */
function contexts(): Contexts {
  if (made !== null) return made;
  const until = new Date(Date.now() + 24 * 3_600_000);
  const issuer = makeCertificate({ name: 'an authority of the fuzzing', until });
  tls.setDefaultCACertificates([issuer.cert]);
  // For both ends: a quarter of a handshake's time would go into keys for the age of quanta.
  tls.DEFAULT_ECDH_CURVE = 'prime256v1';
  const shown = makeCertificate({ name: 'fuzz', host: HOST, issuer, until });
  made = {
    current: tls.createSecureContext(shown),
    old: tls.createSecureContext({ ...shown, maxVersion: 'TLSv1.2' }),
  };
  return made;
}
