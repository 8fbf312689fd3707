/** Peers that are not clients of ours: each behaves badly in one way, and never tires of it. */
import type { Connection, ConnectionEvents } from '../engine/index.ts';
import { randomInt } from '../units/index.ts';
import {
  encodeBare,
  encodeBlockRef,
  encodeHandshake,
  HANDSHAKE_BYTES,
  MESSAGE,
  PeerFramer,
  type PeerMessageSink,
  WireError,
} from '../wire/index.ts';
import type { TorrentData } from './torrent-data.ts';
import type { VirtualNetwork } from './virtual-network.ts';

/**
 * `liar` announces everything and refuses every request; `hoarder` announces everything and
 * answers nothing; `silent` shakes hands and says nothing; `mute` does not even shake hands;
 * `slow-reader` asks for much and reads a little now and then; `babbler` sends random bytes.
 */
export type Manner = 'liar' | 'hoarder' | 'silent' | 'mute' | 'slow-reader' | 'babbler';

const READ_EVERY_MS = 2_000;

const DEAF: PeerMessageSink = {
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
  onExtended: () => {},
  onHashMessage: () => {},
  onBlockStart: () => null,
  onBlockEnd: () => {},
};

/** What a stranger is made of. */
export interface StrangerOptions {
  readonly host: string;
  readonly manner: Manner;
  readonly network: VirtualNetwork;
  readonly data: TorrentData;
}

/** One connection of a stranger, dialled or accepted. */
export class Stranger implements ConnectionEvents {
  readonly #options: StrangerOptions;
  readonly #framer: PeerFramer;
  #connection: Connection | null = null;
  #seen = 0;
  #isClosed = false;

  constructor(options: StrangerOptions) {
    this.#options = options;
    this.#framer = new PeerFramer({ ...DEAF, ...this.#answers() });
  }

  /** Takes the connection it answers on, and says its first words when it is open already. */
  bind(connection: Connection): this {
    this.#connection = connection;
    if (!connection.isOutbound) this.#greet();
    return this;
  }

  onOpen(): void {
    this.#greet();
  }

  onBytes(view: Uint8Array): void {
    const skipped = Math.min(HANDSHAKE_BYTES - this.#seen, view.length);
    this.#seen += skipped;
    if (skipped === view.length) return;
    try {
      this.#framer.push(view.subarray(skipped));
    } catch (failure) {
      if (!(failure instanceof WireError)) throw failure;
      this.#connection?.close('not understood');
    }
    if (this.#options.manner === 'slow-reader') this.#nap();
  }

  onDrain(): void {}

  onClosed(): void {
    this.#isClosed = true;
  }

  #greet(): void {
    const { manner, data, network, host } = this.#options;
    if (manner === 'mute') return;
    const peerId = Uint8Array.from(host.padEnd(20).slice(0, 20), (char) => char.charCodeAt(0));
    const flags = { extended: false, fast: true, dht: false };
    this.#send(encodeHandshake({ infoHash: data.infoHash, peerId, flags }));
    if (manner === 'silent') return;
    if (manner === 'babbler') {
      const noise = new Uint8Array(1 + randomInt(network.random, 4_000));
      this.#send(noise.map(() => randomInt(network.random, 256)));
      return;
    }
    if (manner === 'slow-reader') {
      this.#send(encodeBare(MESSAGE.haveNone), encodeBare(MESSAGE.interested));
      return;
    }
    this.#send(encodeBare(MESSAGE.haveAll), encodeBare(MESSAGE.unchoke));
  }

  #answers(): Partial<PeerMessageSink> {
    const { manner, data } = this.#options;
    if (manner === 'liar') {
      return {
        onRequest: (index, begin, length) =>
          this.#send(encodeBlockRef(MESSAGE.reject, { index, begin, length })),
      };
    }
    if (manner !== 'slow-reader') return {};
    return {
      onChoke: (isChoking) => {
        for (let index = 0; !isChoking && index < data.pieceCount - 1; index++) {
          this.#send(encodeBlockRef(MESSAGE.request, { index, begin: 0, length: 16384 }));
        }
      },
    };
  }

  #nap(): void {
    this.#connection?.pauseReading();
    this.#options.network.clock.after(READ_EVERY_MS, () => {
      if (!this.#isClosed) this.#connection?.resumeReading();
    });
  }

  #send(...messages: readonly Uint8Array[]): void {
    if (!this.#isClosed) this.#connection?.write(messages);
  }
}
