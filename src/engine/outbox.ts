/** Small outgoing messages, gathered and sent as one write. */
import type { Connection } from './ports.ts';

const START_BYTES = 512;

/** Messages queued for one connection until `flush`. */
export class Outbox {
  readonly #connection: Connection;
  #bytes: Uint8Array = new Uint8Array(START_BYTES);
  #length = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Room for `size` bytes at the end; the caller fills it at once. */
  reserve(size: number): { readonly view: Uint8Array; readonly at: number } {
    if (this.#length + size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + size));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    const at = this.#length;
    this.#length += size;
    return { view: this.#bytes, at };
  }

  /** Queues a copy of `message`. */
  push(message: Uint8Array): void {
    const { view, at } = this.reserve(message.length);
    view.set(message, at);
  }

  /** Hands everything to the connection. */
  flush(): void {
    if (this.#length === 0) return;
    this.#connection.write([this.takeAll()]);
  }

  /** What is queued, as one array of its own; the box is empty afterwards. */
  takeAll(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    if (this.#bytes.length > 64 * 1024) this.#bytes = new Uint8Array(START_BYTES);
    return taken;
  }
}
