/** A peer that a test scripts message by message: honest, silly or hostile. */
import {
  encodeHandshake,
  HANDSHAKE_BYTES,
  type HandshakeFlags,
  PeerFramer,
  type PeerMessageSink,
} from '../../wire/index.ts';
import type { Connection, ConnectionEvents } from '../index.ts';
import { SWARM_PORT, type Swarm, type SwarmNode } from './swarm.ts';

/** What a scripted peer does on a message; everything left out does nothing. */
export type Script = Partial<PeerMessageSink>;

/** How a scripted peer introduces itself. */
export interface WirePeerOptions {
  readonly host?: string;
  readonly flags?: Partial<HandshakeFlags>;
  readonly peerId?: Uint8Array;
}

const SILENT: PeerMessageSink = {
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

/** A scripted peer: it dials a node, shakes hands, and follows its script. */
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

  constructor(swarm: Swarm, node: SwarmNode, options: WirePeerOptions = {}) {
    this.#swarm = swarm;
    this.#options = options;
    this.#framer = new PeerFramer(
      new Proxy(SILENT, {
        get: (silent, name) =>
          Reflect.get(this.script, name) ?? Reflect.get(silent, name) ?? undefined,
      }),
    );
    const dialer = swarm.network.dialerOf(options.host ?? '10.9.9.9');
    this.connection = dialer.connect(node.host, SWARM_PORT, this);
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
    if (skipped < view.length) this.#framer.push(view.subarray(skipped));
  }

  onDrain(): void {}

  onClosed(reason: string): void {
    this.closed = reason;
  }
}
