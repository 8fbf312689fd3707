/** Fuzzed bytes as changes to what a TLS server sends, in its handshake and after it. */
import type { Socket } from 'node:net';
import { Duplex, duplexPair } from 'node:stream';
import {
  createSecureContext,
  getCACertificates,
  type SecureContext,
  setDefaultCACertificates,
  TLSSocket,
} from 'node:tls';
import { makeCertificate } from '../support/certificates.ts';

/** Whom the certificate is for. */
const HOST = '8.8.4.4';
const CHANGE_BYTES = 4;
const CHANGES_MAX = 7;
const PATIENCE_MS = 100;

/** A change to a byte on its way: where, what it is mixed with, and whether the stream ends. */
interface Change {
  readonly at: number;
  readonly mask: number;
  readonly isEnd: boolean;
}

/** How an input is read: so many changes, then the answers in the clear. */
export interface Garbling {
  readonly changes: readonly Change[];
  readonly answers: Uint8Array;
}

/** The first byte counts the changes, each of four bytes. */
export function readGarbling(input: Uint8Array): Garbling {
  const count = Math.min((input[0] ?? 0) % 8, CHANGES_MAX);
  const changes = Array.from({ length: count }, (_, nth): Change => {
    const [high = 0, low = 0, mask = 0, kind = 0] = input.subarray(1 + nth * CHANGE_BYTES);
    return { at: high * 256 + low, mask, isEnd: kind === 255 };
  });
  return { changes, answers: input.subarray(1 + count * CHANGE_BYTES) };
}

/** Answers by TLS: as they are, and changed in the handshake and behind it. */
export function tlsAnswers(answers: readonly string[]): readonly Uint8Array[] {
  const places = [[], [], [3], [10], [60, 61], [130], [400], [700], [900, 1000], [1100], [1200]];
  return places.map((at, nth) => garblingOf(at, answers[nth % answers.length] ?? ''));
}

function garblingOf(places: readonly number[], answers: string): Uint8Array {
  const changes = places.flatMap((at) => [at >> 8, at & 255, 1, 0]);
  return Uint8Array.from([places.length, ...changes, ...Buffer.from(answers, 'latin1')]);
}

/** The near end of a connection to a TLS server that gives the answer and ends. */
export function garbledServer(changes: readonly Change[], answer: string): Socket {
  const [near, far] = duplexPair();
  const server = new TLSSocket(far as Socket, { isServer: true, secureContext: context() });
  server.on('error', () => {});
  server.once('data', () => server.end(Buffer.from(answer, 'latin1')));
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

let made: SecureContext | null = null;

/** The server's, whose authority this thread trusts from now on. */
function context(): SecureContext {
  if (made !== null) return made;
  const until = new Date(Date.now() + 24 * 3_600_000);
  const issuer = makeCertificate({ name: 'an authority of the fuzzing', until });
  setDefaultCACertificates([...getCACertificates('default'), issuer.cert]);
  made = createSecureContext(makeCertificate({ name: 'fuzz', host: HOST, issuer, until }));
  return made;
}
