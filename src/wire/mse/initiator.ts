/**
 * The dialling end of Message Stream Encryption ("A" in the specification, Vuze wiki, "Message
 * Stream Encryption"): sends a key, proves that it knows the torrent, offers methods.
 */
import { concatBytes } from '../../units/index.ts';
import { readUint16, readUint32, uint16 } from './fields.ts';
import { Inbox } from './inbox.ts';
import {
  labelled,
  MSE_KEY_BYTES,
  type MseCrypto,
  type MseKeyPair,
  PAD_BYTES_MAX,
  randomPad,
  streamCiphers,
  VC_BYTES,
  xor,
} from './keys.ts';
import type { Rc4 } from './rc4.ts';
import { failed, METHOD_BIT, MORE, type MseMethod, type MseProgress } from './session.ts';

/** What the dialling end decides. */
export interface InitiatorOptions {
  /** The torrent wanted: the key that both ends must know. */
  readonly infoHash: Uint8Array;
  /** Methods offered; at least one. */
  readonly provide: readonly MseMethod[];
  /** The stream's first bytes, sent along, always encrypted: the BitTorrent handshake. */
  readonly early: Uint8Array;
}

/** One handshake. `start` once, then `receive` until it is not `more`. */
export class MseInitiator {
  readonly #crypto: MseCrypto;
  readonly #options: InitiatorOptions;
  readonly #send: (bytes: Uint8Array) => void;
  readonly #keys: MseKeyPair;
  readonly #inbox = new Inbox();
  #outgoing: Rc4 | null = null;
  #incoming: Rc4 | null = null;
  /** The encrypted verification constant, to be found behind the other end's padding. */
  #mark: Uint8Array | null = null;
  #select = 0;
  #padLength: number | null = null;

  constructor(crypto: MseCrypto, options: InitiatorOptions, send: (bytes: Uint8Array) => void) {
    this.#crypto = crypto;
    this.#options = options;
    this.#send = send;
    this.#keys = crypto.newKeyPair();
  }

  /** Sends our key and padding. */
  start(): void {
    this.#send(concatBytes(this.#keys.publicKey, randomPad(this.#crypto)));
  }

  /** Takes bytes from the other end. */
  receive(view: Uint8Array): MseProgress {
    this.#inbox.push(view);
    if (this.#incoming === null) {
      if (this.#inbox.length < MSE_KEY_BYTES) return MORE;
      const refusal = this.#prove(this.#inbox.take(MSE_KEY_BYTES));
      if (refusal) return refusal;
    }
    if (this.#mark) {
      const at = this.#inbox.find(this.#mark, PAD_BYTES_MAX + 1);
      if (at < 0) return this.#isPadOverlong ? failed('it does not answer in kind') : MORE;
      this.#incoming?.apply(this.#inbox.take(at + VC_BYTES).subarray(at));
      this.#mark = null;
    }
    return this.#readChoice();
  }

  get #isPadOverlong(): boolean {
    return this.#inbox.length >= PAD_BYTES_MAX + VC_BYTES;
  }

  /** Their key has come: shows that we know the torrent, and offers. Null when that worked. */
  #prove(remoteKey: Uint8Array): MseProgress | null {
    const { infoHash, provide, early } = this.#options;
    const secret = this.#keys.secretWith(remoteKey);
    if (!secret) return failed('its encryption key is not one');
    const { fromA, fromB } = streamCiphers(this.#crypto, secret, infoHash);
    this.#outgoing = fromA;
    this.#incoming = fromB;
    // What eight zeros look like encrypted; the cipher itself stays where it is until it is found.
    const preview = streamCiphers(this.#crypto, secret, infoHash).fromB;
    this.#mark = new Uint8Array(VC_BYTES);
    preview.apply(this.#mark);
    const pad = randomPad(this.#crypto).fill(0);
    const bits = provide.reduce((sum, method) => sum | METHOD_BIT[method], 0);
    const offer = concatBytes(
      new Uint8Array(VC_BYTES),
      Uint8Array.of(0, 0, 0, bits),
      uint16(pad.length),
      pad,
      uint16(early.length),
      early,
    );
    fromA.apply(offer);
    const named = xor(
      labelled(this.#crypto, 'req2', infoHash),
      labelled(this.#crypto, 'req3', secret),
    );
    this.#send(concatBytes(labelled(this.#crypto, 'req1', secret), named, offer));
    return null;
  }

  #readChoice(): MseProgress {
    const incoming = this.#incoming;
    if (!incoming) return MORE;
    if (this.#padLength === null) {
      if (this.#inbox.length < 6) return MORE;
      const head = this.#inbox.take(6);
      incoming.apply(head);
      this.#select = readUint32(head, 0);
      this.#padLength = readUint16(head, 4);
      if (this.#padLength > PAD_BYTES_MAX) return failed('its padding is too long');
    }
    if (this.#inbox.length < this.#padLength) return MORE;
    incoming.apply(this.#inbox.take(this.#padLength));
    const { provide, infoHash } = this.#options;
    const method = provide.find((one) => METHOD_BIT[one] === this.#select);
    if (!method) return failed('it chose a way to encrypt that was not offered');
    const early = this.#inbox.takeAll();
    if (method === 'rc4') incoming.apply(early);
    const isSecret = method === 'rc4';
    return {
      state: 'done',
      session: {
        infoHash,
        method,
        outgoing: isSecret ? this.#outgoing : null,
        incoming: isSecret ? incoming : null,
        early,
      },
    };
  }
}
