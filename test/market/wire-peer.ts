/**
 * A peer that a test scripts message by message over a real socket: a buyer or a seller that says
 * what it likes. It keeps everything it heard.
 */
import { randomBytes } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { LOCAL_CHAIN_ID, LOCAL_ESCROW, loadSecp256k1 } from '../../src/chain/index.ts';
import { EscrowDigests } from '../../src/payment/index.ts';
import { type Address, attoPerMib, bytes, fromHex } from '../../src/units/index.ts';
import {
  type BlockRef,
  type BwPayMessage,
  decodeBwPay,
  decodeHandshake,
  encodeBare,
  encodeBitfield,
  encodeBlockRef,
  encodeBwPay,
  encodeExtended,
  encodeHandshake,
  HANDSHAKE_BYTES,
  type HelloMessage,
  MESSAGE,
  PeerFramer,
  putPieceHeader,
} from '../../src/wire/index.ts';
import { bdecode, bencode } from '../support/bencode.ts';
import type { MadeTorrent } from '../support/make-torrent.ts';

const { secp256k1 } = loadSecp256k1();

/** The true EIP-712 domain of the stage's chain. */
export const DIGESTS: EscrowDigests = new EscrowDigests({
  chainId: LOCAL_CHAIN_ID,
  escrow: LOCAL_ESCROW,
});

/** Our id for `bw_pay`; the other side sends under it. */
const OWN_PAY_ID = 7;
const BLOCK_BYTES = 16_384;
const PIPELINE_BLOCKS = 64;
const PATIENCE_MS = 30_000;

/** Who a scripted peer is. */
export interface WirePeerOptions {
  readonly torrent: MadeTorrent;
  readonly pieceLengthBytes: number;
  /** Its account's private key, 32 bytes. */
  readonly key: Uint8Array;
}

/** One connection of a scripted peer, after both handshakes. */
export class WirePeer implements AsyncDisposable {
  readonly account: Address;
  readonly heard: BwPayMessage[] = [];
  /** Payload of blocks that came. */
  receivedBytes = 0;
  isChoked = true;
  /** The connection has ended. */
  isClosed = false;
  /** Called for every block that is asked of us. */
  onRequest: (block: BlockRef) => void = () => {};
  readonly #socket: Socket;
  readonly #options: WirePeerOptions;
  readonly #ownId = randomBytes(20);
  readonly #framer: PeerFramer;
  #head: Buffer = Buffer.alloc(0);
  #remoteId: Uint8Array | null = null;
  #remotePayId: number | null = null;
  readonly #wanted: BlockRef[] = [];

  constructor(socket: Socket, options: WirePeerOptions) {
    this.#socket = socket;
    this.#options = options;
    this.account = secp256k1.publicAddress(options.key);
    this.#framer = new PeerFramer({
      onChoke: (isChoking) => {
        this.isChoked = isChoking;
        this.#ask(PIPELINE_BLOCKS);
      },
      onRequest: (index, begin, length) => this.onRequest({ index, begin, length }),
      onExtended: (id, payload) => this.#onExtended(id, payload),
      onBlockStart: () => null,
      onBlockEnd: (_index, _begin, length) => {
        this.receivedBytes += length;
        this.#ask(1);
      },
      ...{ onInterested: () => {}, onHave: () => {}, onBitfield: () => {}, onHaveAll: () => {} },
      ...{ onHaveNone: () => {}, onCancel: () => {}, onReject: () => {}, onAllowedFast: () => {} },
    });
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
    });
    socket.write(
      encodeHandshake({
        infoHash: fromHex(options.torrent.infoHash),
        peerId: this.#ownId,
        flags: { extended: true, fast: false, dht: false },
      }),
    );
    const handshake = bencode({ m: { bw_pay: OWN_PAY_ID } });
    socket.write(encodeExtended(0, handshake));
  }

  /** Connects to a node of ours and waits until it speaks `bw_pay` with us. */
  static async dial(port: number, options: WirePeerOptions): Promise<WirePeer> {
    const peer = new WirePeer(connect(port, '127.0.0.1'), options);
    await peer.until('the other side speaks bw_pay', () => peer.#remotePayId !== null);
    return peer;
  }

  /** Says `hello` with a signature that is right for this connection, `changes` apart. */
  hello(changes: Partial<HelloMessage> = {}): void {
    const payee = this.account;
    const digest = DIGESTS.bind({
      infoHash: fromHex(this.#options.torrent.infoHash),
      signerPeerId: this.#ownId,
      remotePeerId: this.#remoteId ?? new Uint8Array(20),
      payee,
    });
    this.say({
      ...{ type: 'hello', version: 1, chainId: LOCAL_CHAIN_ID, escrow: LOCAL_ESCROW, payee },
      ...{ reserve: attoPerMib(0n), grace: bytes(0) },
      signature: secp256k1.sign(digest, this.#options.key),
      ...changes,
    });
  }

  /** Sends messages of the market. */
  say(...messages: readonly BwPayMessage[]): void {
    for (const message of messages) this.sayRaw(encodeBwPay(message));
  }

  /** Sends anything as a message of the market. */
  sayRaw(payload: Uint8Array): void {
    if (!this.isClosed) this.#socket.write(encodeExtended(this.#remotePayId ?? 0, payload));
  }

  /** Codes of the errors heard, in order. */
  get errors(): readonly string[] {
    return this.heard.flatMap((message) => (message.type === 'error' ? [message.code] : []));
  }

  /** Messages of one type, in order. */
  all<T extends BwPayMessage['type']>(type: T): Extract<BwPayMessage, { type: T }>[] {
    return this.heard.filter((message) => message.type === type) as Extract<
      BwPayMessage,
      { type: T }
    >[];
  }

  /** The first message of a type, once it is there. */
  async first<T extends BwPayMessage['type']>(
    type: T,
  ): Promise<Extract<BwPayMessage, { type: T }>> {
    await this.until(`a ${type} comes`, () => this.all(type).length > 0);
    const [message] = this.all(type);
    if (!message) throw new Error(`no ${type}`);
    return message;
  }

  /** The other side refuses something with `code`. */
  refused(code: string): Promise<void> {
    return this.until(`error ${code}`, () => this.errors.includes(code));
  }

  /** Waits for something to come true; says what was heard when it does not. */
  async until(what: string, isSo: () => boolean): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!isSo()) {
      if (performance.now() > deadline) {
        const heard = this.heard.map(({ type }) => type).join(' ');
        throw new Error(`never came true: ${what}; heard ${heard}; errors ${this.errors}`);
      }
      await delay(10);
    }
  }

  /** Wants everything, and asks for it as fast as it comes. */
  leech(): void {
    const { torrent, pieceLengthBytes } = this.#options;
    for (let at = 0; at + BLOCK_BYTES <= torrent.totalBytes; at += BLOCK_BYTES) {
      const index = Math.floor(at / pieceLengthBytes);
      this.#wanted.push({ index, begin: at % pieceLengthBytes, length: BLOCK_BYTES });
    }
    this.#socket.write(encodeBare(MESSAGE.interested));
    this.#ask(PIPELINE_BLOCKS);
  }

  /** Claims to have every piece, and lets the other side ask. */
  offerEverything(): void {
    const { torrent, pieceLengthBytes } = this.#options;
    const count = Math.ceil(torrent.totalBytes / pieceLengthBytes);
    const bits = new Uint8Array(Math.ceil(count / 8));
    for (let at = 0; at < count; at++) bits[at >> 3] = (bits[at >> 3] ?? 0) | (0x80 >> (at & 7));
    this.#socket.write(encodeBitfield(bits));
    this.#socket.write(encodeBare(MESSAGE.unchoke));
  }

  /** Answers a request with these bytes. */
  deliver(block: BlockRef, payload: Uint8Array): void {
    const head = new Uint8Array(13);
    putPieceHeader(head, 0, block);
    if (!this.isClosed) this.#socket.write(Buffer.concat([head, payload]));
  }

  /** Whether `bw_pay` and the handshake are through. */
  get isReady(): boolean {
    return this.#remotePayId !== null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    if (this.#remoteId) {
      this.#framer.push(chunk);
      return;
    }
    this.#head = Buffer.concat([this.#head, chunk]);
    if (this.#head.length < HANDSHAKE_BYTES) return;
    this.#remoteId = decodeHandshake(this.#head.subarray(0, HANDSHAKE_BYTES)).peerId;
    this.#framer.push(this.#head.subarray(HANDSHAKE_BYTES));
  }

  #onExtended(id: number, payload: Uint8Array): void {
    if (id === 0) {
      const { value } = bdecode(payload);
      const names = value instanceof Map ? value.get('m') : undefined;
      const payId = names instanceof Map ? names.get('bw_pay') : undefined;
      if (typeof payId === 'number') this.#remotePayId = payId;
      return;
    }
    const message = id === OWN_PAY_ID ? decodeBwPay(payload) : null;
    if (message) this.heard.push(message);
  }

  /** What a choke dropped is not asked for again: there is more than any test takes. */
  #ask(count: number): void {
    if (this.isChoked || this.isClosed) return;
    for (const block of this.#wanted.splice(0, count)) {
      this.#socket.write(encodeBlockRef(MESSAGE.request, block));
    }
  }
}

/** A scripted peer that others dial. */
export interface WirePeerServer extends AsyncDisposable {
  readonly port: number;
  /** Everybody who connected. */
  readonly peers: readonly WirePeer[];
}

/** Listens, and runs `script` for every connection once it speaks `bw_pay`. */
export async function serveWirePeer(
  options: WirePeerOptions,
  script: (peer: WirePeer) => void,
): Promise<WirePeerServer> {
  const peers: WirePeer[] = [];
  const server = createServer((socket) => {
    const peer = new WirePeer(socket, options);
    peers.push(peer);
    peer
      .until('bw_pay', () => peer.isReady)
      .then(
        () => script(peer),
        () => {},
      );
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  const close = async (): Promise<void> => {
    for (const peer of peers) await peer[Symbol.asyncDispose]();
    server.close();
  };
  return { port, peers, [Symbol.asyncDispose]: close };
}
