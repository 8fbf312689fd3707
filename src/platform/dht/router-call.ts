/** Routers behind a proxy: called by name, and known by the address that answers. */
import { randomBytes } from 'node:crypto';
import { toHex } from '../../units/index.ts';
import { decodeKrpc, encodeKrpc, NODE_ID_BYTES, WireError } from '../../wire/index.ts';
import type { DhtRouter } from './dht-routers.ts';

/** Unpredictable, and of another length than those of the node's own questions. */
const CALL_BYTES = 8;

/** Calls by name. What names mean is the proxy's to find out: nobody here asks. */
export class RouterCall {
  readonly #send: (packet: Uint8Array, to: DhtRouter) => void;
  /** Numbers of the last round's calls that nobody has answered. */
  readonly #open = new Set<string>();

  constructor(send: (packet: Uint8Array, to: DhtRouter) => void) {
    this.#send = send;
  }

  /** Calls all of them; answers to earlier calls are of no more use. */
  call(routers: readonly DhtRouter[]): void {
    this.#open.clear();
    for (const router of routers) {
      const transactionId = new Uint8Array(randomBytes(CALL_BYTES));
      this.#open.add(toHex(transactionId));
      const senderId = new Uint8Array(randomBytes(NODE_ID_BYTES));
      const query = { method: 'ping' } as const;
      const ping = { kind: 'query', transactionId, senderId, isReadOnly: true, query } as const;
      this.#send(encodeKrpc(ping), router);
    }
  }

  /** Whether this is the first answer to a call: then a router is where it came from. */
  isAnswer(packet: Uint8Array): boolean {
    if (this.#open.size === 0) return false;
    try {
      const { kind, transactionId } = decodeKrpc(packet);
      return kind === 'reply' && this.#open.delete(toHex(transactionId));
    } catch (failure) {
      if (failure instanceof WireError) return false;
      throw failure;
    }
  }
}
