/** Encryption for one engine: what its policy asks of each connection, which torrents it has. */
import { toHex } from '../units/index.ts';
import { torrentMark } from '../wire/index.ts';
import { CipherBuffers } from './cipher-buffers.ts';
import { DialWays } from './dial-ways.ts';
import { type DialWay, ENCRYPTION_RULES, type EncryptionOptions } from './encryption-policy.ts';
import { isWebSeed, type PeerAddress } from './peer-book.ts';
import type { Connection, ConnectionEvents, Dialer } from './ports.ts';
import { SecureAccepting, SecureDialling, type SecureParts } from './secure-handshake.ts';

/** A connection as the engine is to know it, and where the events of the one below go. */
export interface Secured {
  readonly connection: Connection;
  readonly events: ConnectionEvents;
}

/** Stands between an engine and its dialer and listener. Without options it only passes on. */
export class StreamSecurity {
  readonly #parts: SecureParts | null;
  readonly #ways: DialWays;
  /** Info-hashes by their mark: an incoming connection is found in one look, however many. */
  readonly #torrents = new Map<string, { readonly infoHash: Uint8Array; reasons: number }>();

  constructor(options: EncryptionOptions | null) {
    const rules = ENCRYPTION_RULES[options?.policy ?? 'off'];
    this.#ways = new DialWays(rules.ways);
    const { crypto } = options ?? {};
    const findTorrent = (mark: Uint8Array): Uint8Array | null =>
      this.#torrents.get(toHex(mark))?.infoHash ?? null;
    const isUsed = crypto && rules.acceptsEncrypted;
    this.#parts = isUsed ? { rules, crypto, buffers: new CipherBuffers(), findTorrent } : null;
  }

  /** Incoming connections may ask for the torrent, until `remove` was called as often. */
  add(infoHash: Uint8Array): void {
    if (!this.#parts) return;
    const mark = toHex(torrentMark(this.#parts.crypto, infoHash));
    const reasons = this.#torrents.get(mark)?.reasons ?? 0;
    this.#torrents.set(mark, { infoHash, reasons: reasons + 1 });
  }

  /** Takes one `add` back. */
  remove(infoHash: Uint8Array): void {
    if (!this.#parts) return;
    const mark = toHex(torrentMark(this.#parts.crypto, infoHash));
    const reasons = (this.#torrents.get(mark)?.reasons ?? 0) - 1;
    if (reasons > 0) this.#torrents.set(mark, { infoHash, reasons });
    else this.#torrents.delete(mark);
  }

  /** A connection came in; what it says, once readable, goes to `upper`. */
  accept(lower: Connection, upper: ConnectionEvents): Secured {
    if (!this.#parts) return { connection: lower, events: upper };
    const accepting = new SecureAccepting(this.#parts, lower, upper);
    return { connection: accepting.connection, events: accepting };
  }

  /** The way to dial the address by now. A web seed has no use for our encryption. */
  wayTo(address: PeerAddress): DialWay {
    if (isWebSeed(address)) return 'plain';
    return this.#ways.next(address);
  }

  /** Dials for a torrent, by the given way. */
  dial(
    dialer: Dialer,
    target: PeerAddress & { readonly infoHash: Uint8Array; readonly way: DialWay },
    upper: ConnectionEvents,
  ): Connection {
    const { host, port, infoHash, way } = target;
    if (!this.#parts || way === 'plain') return dialer.connect(host, port, upper);
    const dialling = new SecureDialling(this.#parts, infoHash, upper);
    return dialling.attach(dialer.connect(host, port, dialling));
  }

  /** The peer there has shaken hands. */
  onWorked(address: PeerAddress, way: DialWay): void {
    this.#ways.onWorked(address, way);
  }

  /** The peer there cut us off before it had shaken hands; true: try the other way at once. */
  onCutOff(address: PeerAddress, way: DialWay): boolean {
    return !isWebSeed(address) && this.#ways.onCutOff(address, way);
  }
}
