/**
 * The accepting end of Message Stream Encryption ("B" in the specification): answers with a key,
 * finds out which torrent is meant, chooses a method.
 */
import { concatBytes } from '../../units/index.ts';
import { readUint16, readUint32, uint16 } from './fields.ts';
import { Inbox } from './inbox.ts';
import {
  labelled,
  MSE_KEY_BYTES,
  type MseCrypto,
  PAD_BYTES_MAX,
  randomPad,
  streamCiphers,
  VC_BYTES,
  xor,
} from './keys.ts';
import type { Rc4 } from './rc4.ts';
import { failed, METHOD_BIT, MORE, type MseMethod, type MseProgress } from './session.ts';

/** What the accepting end decides. */
export interface ResponderOptions {
  /** The info-hash whose `torrentMark` this is; null when we do not serve it. */
  findTorrent(mark: Uint8Array): Uint8Array | null;
  /** Methods we accept, the preferred one first. */
  readonly accept: readonly MseMethod[];
}

const HASH_BYTES = 20;
/** The constant, what is offered, and the length of the padding. */
const OFFER_BYTES = VC_BYTES + 4 + 2;
/** The stream's first bytes, sent along by the other end. 68 are usual. */
const EARLY_BYTES_MAX = 16 * 1024;

/** One handshake: `receive` until it is not `more`. */
export class MseResponder {
  readonly #crypto: MseCrypto;
  readonly #options: ResponderOptions;
  readonly #send: (bytes: Uint8Array) => void;
  readonly #inbox = new Inbox();
  #secret: Uint8Array | null = null;
  /** What the other end's padding ends with. */
  #mark: Uint8Array | null = null;
  #infoHash: Uint8Array | null = null;
  #outgoing: Rc4 | null = null;
  #incoming: Rc4 | null = null;
  #provide = 0;
  #padLength: number | null = null;
  #earlyLength: number | null = null;

  constructor(crypto: MseCrypto, options: ResponderOptions, send: (bytes: Uint8Array) => void) {
    this.#crypto = crypto;
    this.#options = options;
    this.#send = send;
  }

  /** Takes bytes from the other end. */
  receive(view: Uint8Array): MseProgress {
    this.#inbox.push(view);
    if (!this.#secret) {
      if (this.#inbox.length < MSE_KEY_BYTES) return MORE;
      if (!this.#answerKey()) return failed('its encryption key is not one');
    }
    if (this.#mark) {
      const at = this.#inbox.find(this.#mark, PAD_BYTES_MAX + 1);
      if (at < 0) return this.#isPadOverlong ? failed('it does not speak BitTorrent') : MORE;
      this.#inbox.take(at + HASH_BYTES);
      this.#mark = null;
    }
    if (!this.#infoHash) {
      if (this.#inbox.length < HASH_BYTES) return MORE;
      if (!this.#findTorrent()) return failed('it asked for a torrent we do not have');
    }
    return this.#readOffer();
  }

  get #isPadOverlong(): boolean {
    return this.#inbox.length >= PAD_BYTES_MAX + HASH_BYTES;
  }

  #answerKey(): boolean {
    const keys = this.#crypto.newKeyPair();
    const secret = keys.secretWith(this.#inbox.take(MSE_KEY_BYTES));
    if (!secret) return false;
    this.#secret = secret;
    this.#mark = labelled(this.#crypto, 'req1', secret);
    this.#send(concatBytes(keys.publicKey, randomPad(this.#crypto)));
    return true;
  }

  #findTorrent(): boolean {
    const secret = this.#secret ?? new Uint8Array(0);
    const mask = labelled(this.#crypto, 'req3', secret);
    this.#infoHash = this.#options.findTorrent(xor(this.#inbox.take(HASH_BYTES), mask));
    if (!this.#infoHash) return false;
    const { fromA, fromB } = streamCiphers(this.#crypto, secret, this.#infoHash);
    this.#incoming = fromA;
    this.#outgoing = fromB;
    return true;
  }

  #readOffer(): MseProgress {
    const incoming = this.#incoming;
    if (!incoming) return MORE;
    if (this.#padLength === null) {
      if (this.#inbox.length < OFFER_BYTES) return MORE;
      const offer = this.#inbox.take(OFFER_BYTES);
      incoming.apply(offer);
      if (offer.subarray(0, VC_BYTES).some((byte) => byte !== 0)) {
        return failed('its encryption does not fit');
      }
      this.#provide = readUint32(offer, VC_BYTES);
      this.#padLength = readUint16(offer, VC_BYTES + 4);
      if (this.#padLength > PAD_BYTES_MAX) return failed('its padding is too long');
    }
    if (this.#earlyLength === null) {
      if (this.#inbox.length < this.#padLength + 2) return MORE;
      const tail = this.#inbox.take(this.#padLength + 2);
      incoming.apply(tail);
      this.#earlyLength = readUint16(tail, this.#padLength);
      if (this.#earlyLength > EARLY_BYTES_MAX) return failed('it sends too much too early');
    }
    return this.#inbox.length < this.#earlyLength ? MORE : this.#choose(incoming);
  }

  /** All of the offer is here. */
  #choose(incoming: Rc4): MseProgress {
    const { accept } = this.#options;
    const method = accept.find((one) => (METHOD_BIT[one] & this.#provide) !== 0);
    if (!method) return failed('it offers no way to encrypt that we accept');
    const outgoing = this.#outgoing;
    const infoHash = this.#infoHash;
    if (!outgoing || !infoHash) return MORE;
    const pad = randomPad(this.#crypto).fill(0);
    const choice = Uint8Array.of(0, 0, 0, METHOD_BIT[method]);
    const answer = concatBytes(new Uint8Array(VC_BYTES), choice, uint16(pad.length), pad);
    outgoing.apply(answer);
    this.#send(answer);
    const early = this.#inbox.takeAll();
    const isSecret = method === 'rc4';
    // What was sent along is always encrypted, what follows it only if that was chosen.
    incoming.apply(isSecret ? early : early.subarray(0, this.#earlyLength ?? 0));
    return {
      state: 'done',
      session: {
        infoHash,
        method,
        outgoing: isSecret ? outgoing : null,
        incoming: isSecret ? incoming : null,
        early,
      },
    };
  }
}
