/** A peer that is scripted message by message: honest, silly or hostile. */
import type { Connection, ConnectionEvents } from '../engine/index.ts';
import {
  encodeHandshake,
  HANDSHAKE_BYTES,
  type HandshakeFlags,
  PeerFramer,
  type PeerMessageSink,
  WireError,
} from '../wire/index.ts';
import type { Swarm } from './swarm.ts';
import type { SwarmNode } from './swarm-node.ts';
import { SIM_PORT } from './virtual-host.ts';

/** What a scripted peer does on a message; everything left out does nothing. */
export type Script = Partial<PeerMessageSink>;

/** How a scripted peer introduces itself. */
export interface WirePeerOptions {
  readonly host?: string;
  readonly flags?: Partial<HandshakeFlags>;
  readonly peerId?: Uint8Array;
}

/** Hears everything and does nothing. */
export const DEAF: PeerMessageSink = {
  onChoke: () => {},
  onInterested: () => {},
  onHave: () => {},
  onBitfield: () => {},
  onHaveAll: () => {},
  onHaveNone: () => {},
  onRequest: () => {},
  onCancel: () => {},
  onReject: () => {},
  onAllowedFast: () => {},
  onPort: () => {},
  onExtended: () => {},
  onHashMessage: () => {},
  onBlockStart: () => null,
  onBlockEnd: () => {},
};

/** A scripted peer: it shakes hands, and follows its script. */
export class WirePeer implements ConnectionEvents {
  readonly connection: Connection;
  readonly script: Script = {};
  /** Why the connection ended; null while it is open. */
  closed: string | null = null;
  isShaken = false;
  readonly #swarm: Swarm;
  readonly #options: WirePeerOptions;
  readonly #framer: PeerFramer;
  #seen = 0;

  /** Dials a node, or answers on a connection that it was dialled on. */
  constructor(swarm: Swarm, other: SwarmNode | Connection, options: WirePeerOptions = {}) {
    this.#swarm = swarm;
    this.#options = options;
    this.#framer = new PeerFramer(
      new Proxy(DEAF, {
        get: (deaf, name) => Reflect.get(this.script, name) ?? Reflect.get(deaf, name),
      }),
    );
    if ('write' in other) {
      this.connection = other;
      swarm.clock.after(0, () => this.onOpen());
    } else {
      const dialer = swarm.network.dialerOf(options.host ?? '10.9.9.9');
      this.connection = dialer.connect(other.host, SIM_PORT, this);
    }
  }

  /** Sends messages as they are. */
  send(...messages: readonly Uint8Array[]): void {
    if (this.closed === null) this.connection.write(messages.map((message) => message.slice()));
  }

  onOpen(): void {
    const { flags, peerId } = this.#options;
    this.send(
      encodeHandshake({
        infoHash: this.#swarm.memory.infoHash,
        peerId: peerId ?? new Uint8Array(20).fill(0x2d),
        flags: { extended: false, fast: true, dht: false, ...flags },
      }),
    );
  }

  onBytes(view: Uint8Array): void {
    const skipped = Math.min(HANDSHAKE_BYTES - this.#seen, view.length);
    this.#seen += skipped;
    this.isShaken = this.#seen === HANDSHAKE_BYTES;
    if (skipped === view.length) return;
    try {
      this.#framer.push(view.subarray(skipped));
    } catch (failure) {
      if (!(failure instanceof WireError)) throw failure;
      this.connection.close('not understood');
    }
  }

  onDrain(): void {}

  onClosed(reason: string): void {
    this.closed = reason;
  }
}
