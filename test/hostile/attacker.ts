/** Raw sockets that speak BitTorrent as badly as a test wants. */
import net from 'node:net';
import { encodeHandshake, HANDSHAKE_BYTES } from '../../src/wire/index.ts';

/** How an attacker greets. */
export interface Greeting {
  readonly port: number;
  readonly infoHash: Uint8Array;
  readonly fast?: boolean;
}

let nextId = 1;

/** Our handshake, with a peer id of its own. */
export function greeting(infoHash: Uint8Array, fast = true): Uint8Array {
  const peerId = new Uint8Array(20).fill(0x58);
  new DataView(peerId.buffer).setUint32(16, nextId++);
  return encodeHandshake({ infoHash, peerId, flags: { extended: true, fast, dht: false } });
}

/** One hostile connection. */
export class Attacker {
  readonly socket: net.Socket;
  readonly closed: Promise<void>;
  isClosed = false;
  receivedBytes = 0;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.isClosed = true;
        resolve();
      });
    });
    socket.on('data', (chunk: Buffer) => {
      this.receivedBytes += chunk.length;
    });
  }

  /** Connects and says nothing. */
  static async connect(port: number): Promise<Attacker> {
    const attacker = new Attacker(net.connect({ port, host: '127.0.0.1', noDelay: true }));
    await attacker.#next('connect');
    return attacker;
  }

  /** Connects and shakes hands. */
  static async greet({ port, infoHash, fast = true }: Greeting): Promise<Attacker> {
    const attacker = await Attacker.connect(port);
    attacker.send(greeting(infoHash, fast));
    while (attacker.receivedBytes < HANDSHAKE_BYTES && !attacker.isClosed) {
      await attacker.#next('data');
    }
    return attacker;
  }

  send(...messages: readonly Uint8Array[]): void {
    if (!this.isClosed) this.socket.write(Buffer.concat(messages));
  }

  /** Sends again and again, as fast as the victim reads, until it hangs up. */
  async flood(message: Uint8Array): Promise<void> {
    while (!this.isClosed) {
      if (this.socket.write(message)) await new Promise((resolve) => setImmediate(resolve));
      else await this.#next('drain');
    }
  }

  /** The next such event, or the end. */
  #next(event: 'connect' | 'data' | 'drain'): Promise<void> {
    const happened = new Promise<void>((resolve) => this.socket.once(event, () => resolve()));
    return Promise.race([happened, this.closed]);
  }

  leave(): void {
    this.socket.destroy();
  }
}
