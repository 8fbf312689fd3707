/** Fuzzed bytes as the answers of a web server, one for each connection. */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { Egress, type TunnelEnd } from '../../src/platform/egress/index.ts';

const ANSWERS_MAX = 12;

/** Between two answers of one input. */
export const BREAK = '\n~~\n';

/** An answer that ends in this is held open for a while behind what it says. */
export const HELD = '\n..\n';
const HELD_MS = 5;

/** The answers of an input; each character is a byte. */
export function answersIn(input: Uint8Array): string[] {
  return Buffer.from(input).toString('latin1').split(BREAK).slice(0, ANSWERS_MAX);
}

/** Says an answer, and ends: at once, or when it was held open. */
export function give(answer: string, say: (bytes: Uint8Array) => void, end: () => void): void {
  const isHeld = answer.endsWith(HELD);
  say(Buffer.from(isHeld ? answer.slice(0, -HELD.length) : answer, 'latin1'));
  if (isHeld) setTimeout(end, HELD_MS);
  else end();
}

/** Gives its answer once it is asked, and ends. */
export class AnsweringStream extends Duplex {
  readonly #answer: string;

  constructor(answer: string) {
    super();
    this.#answer = answer;
    this.on('error', () => {});
  }

  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
    // Later, as from a network: undici takes what comes while it writes for an end without answer.
    setImmediate(() => {
      if (this.readableEnded || this.destroyed) return;
      give(
        this.#answer,
        (bytes) => this.push(bytes),
        () => this.push(null),
      );
    });
  }

  override _read(): void {}
}

/** A way out that leads to the other end of a stream. */
export class OtherEnd extends Egress {
  readonly #connect: () => Socket;

  constructor(connect: () => Socket) {
    super({ bindHost: null }, () => {});
    this.#connect = connect;
  }

  override get hasProxy(): boolean {
    return true;
  }

  override async tunnel(): Promise<TunnelEnd> {
    return { socket: this.#connect(), head: new Uint8Array(0) };
  }
}
