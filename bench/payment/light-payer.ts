/**
 * A paying downloader reduced to what costs the seller: handshakes, `bw_pay` with real signatures,
 * requests. It checks no piece and keeps no byte, so that one process can be a thousand of them.
 */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { EscrowDigests, LaneOffer, Secp256k1 } from '../../src/payment/index.ts';
import {
  type Address,
  type Atto,
  type AttoPerMib,
  assert,
  atto,
  attoPerMib,
  attoPerSecond,
  bytes,
  costOf,
  minAtto,
  ZERO_ATTO,
} from '../../src/units/index.ts';
import {
  type AckMessage,
  BencodeDict,
  type BwPayMessage,
  decodeBencodeDict,
  decodeBwPay,
  decodeHandshake,
  encodeBare,
  encodeBencode,
  encodeBlockRef,
  encodeBwPay,
  encodeExtended,
  encodeHandshake,
  HANDSHAKE_BYTES,
  type HelloMessage,
  MESSAGE,
  PeerFramer,
  type QuoteMessage,
} from '../../src/wire/index.ts';

/** What all payers of a process share. */
export interface PayerWorld {
  readonly port: number;
  readonly torrent: {
    readonly infoHash: Uint8Array;
    readonly totalBytes: number;
    readonly pieceLengthBytes: number;
  };
  readonly money: { readonly chainId: number; readonly escrow: Address };
  readonly digests: EscrowDigests;
  readonly secp256k1: Secp256k1;
  /** Signs the vouchers of every lane. */
  readonly hotKey: Uint8Array;
  readonly bid: { readonly budget: Atto; readonly maxPrice: AttoPerMib };
  /** Reserves a lane for the seller. */
  requestLane(payee: Address): Promise<LaneOffer>;
  readonly tally: PayerTally;
}

/** What all payers of a process did. */
export interface PayerTally {
  payingCount: number;
  receivedBytes: number;
  voucherCount: number;
  /** From sending a voucher to its `ack`. */
  readonly ackMs: number[];
  readonly errors: string[];
}

/** Our id for `bw_pay`; the other side sends under it. */
const OWN_PAY_ID = 7;
const BLOCK_BYTES = 16_384;
const PIPELINE_BLOCKS = 16;
const LANE_RETRY_MS = 1_000;
const ERRORS_MAX = 100;

/** One connection. */
export class LightPayer {
  readonly #world: PayerWorld;
  readonly #key: Uint8Array;
  readonly #account: Address;
  readonly #socket: Socket;
  readonly #peerId = randomBytes(20);
  readonly #framer: PeerFramer;
  #head: Buffer | null = Buffer.alloc(0);
  #remoteId = new Uint8Array(20);
  #payId = 0;
  #isChoked = true;
  #offer: LaneOffer | null = null;
  #isAdmitted = false;
  #quote: QuoteMessage | null = null;
  #accepted: QuoteMessage | null = null;
  /** Price of each block asked for, in order. */
  #asked: AttoPerMib[] = [];
  #nextBlock: number;
  #owed: Atto = ZERO_ATTO;
  #signed: Atto = ZERO_ATTO;
  #unpaidBytes = 0;
  #sentAt = 0;

  constructor(world: PayerWorld, nth: number) {
    this.#world = world;
    this.#key = Uint8Array.from({ length: 32 }, (_, at) =>
      at < 28 ? 1 : (nth >> (8 * (31 - at))) & 255,
    );
    this.#account = world.secp256k1.publicAddress(this.#key);
    // Everybody begins somewhere else, as in a swarm.
    this.#nextBlock = (nth * 977) % this.#blockCount;
    this.#framer = new PeerFramer({
      onChoke: (isChoking) => this.#onChoke(isChoking),
      onExtended: (id, payload) => this.#onExtended(id, payload),
      onBlockStart: () => null,
      onBlockEnd: (_index, _begin, length) => this.#onBlock(length),
      ...{ onInterested: () => {}, onHave: () => {}, onBitfield: () => {}, onHaveAll: () => {} },
      ...{ onHaveNone: () => {}, onCancel: () => {}, onReject: () => {}, onAllowedFast: () => {} },
      onRequest: () => {},
    });
    this.#socket = connect(world.port, '127.0.0.1');
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk) => this.#take(chunk));
    this.#socket.on('error', (error) => this.#complain(error.message));
    this.#socket.on('close', () => this.#complain('closed'));
    const flags = { extended: true, fast: false, dht: false };
    const { infoHash } = world.torrent;
    this.#socket.write(encodeHandshake({ infoHash, peerId: this.#peerId, flags }));
    this.#socket.write(encodeExtended(0, encodeBencode({ m: { bw_pay: OWN_PAY_ID } })));
  }

  /** How far it got, for a message. */
  get stage(): string {
    if (this.#isAdmitted) return this.#accepted ? 'pays' : 'has no quote';
    if (this.#offer) return 'has offered a lane';
    return this.#payId === 0 ? 'has no handshake' : 'has no lane';
  }

  close(): void {
    this.#socket.removeAllListeners('close');
    this.#socket.destroy();
  }

  get #blockCount(): number {
    return Math.floor(this.#world.torrent.totalBytes / BLOCK_BYTES);
  }

  #take(chunk: Buffer): void {
    if (!this.#head) {
      this.#framer.push(chunk);
      return;
    }
    this.#head = Buffer.concat([this.#head, chunk]);
    if (this.#head.length < HANDSHAKE_BYTES) return;
    this.#remoteId = Uint8Array.from(
      decodeHandshake(this.#head.subarray(0, HANDSHAKE_BYTES)).peerId,
    );
    const rest = this.#head.subarray(HANDSHAKE_BYTES);
    this.#head = null;
    this.#framer.push(rest);
  }

  #onExtended(id: number, payload: Uint8Array): void {
    if (id === 0) {
      const names = decodeBencodeDict(payload).get('m');
      this.#payId = names instanceof BencodeDict ? (names.integer('bw_pay') ?? 0) : 0;
      if (this.#payId !== 0) this.#greet();
      return;
    }
    const message = id === OWN_PAY_ID ? decodeBwPay(payload) : null;
    if (message) this.#hear(message);
  }

  #greet(): void {
    const { digests, secp256k1, torrent, money, bid } = this.#world;
    const payee = this.#account;
    const { infoHash } = torrent;
    const remotePeerId = this.#remoteId;
    const digest = digests.bind({ infoHash, signerPeerId: this.#peerId, remotePeerId, payee });
    const signature = secp256k1.sign(digest, this.#key);
    const nothing = { reserve: attoPerMib(0n), grace: bytes(0) };
    this.#say({ type: 'hello', version: 1, ...money, payee, ...nothing, signature });
    const budget = attoPerSecond(bid.budget);
    this.#say({ type: 'bid', budget, maxPrice: bid.maxPrice, rate: bytes(0), sequence: 1 });
    this.#socket.write(encodeBare(MESSAGE.interested));
  }

  #hear(message: BwPayMessage): void {
    switch (message.type) {
      case 'hello':
        void this.#bringLane(message);
        break;
      case 'quote':
        this.#quote = message;
        this.#acceptNewest();
        break;
      case 'ack':
        this.#onAck(message);
        break;
      case 'error':
        this.#onError(message.code);
        break;
      default:
        this.#complain(`heard ${message.type}`);
    }
  }

  async #bringLane({ payee }: HelloMessage): Promise<void> {
    this.#offer = await this.#world.requestLane(payee);
    this.#offerLane();
  }

  #offerLane(): void {
    if (this.#offer && !this.#socket.destroyed) this.#say({ type: 'lane', ...this.#offer });
  }

  #onAck({ amount }: AckMessage): void {
    if (this.#isAdmitted) {
      this.#world.tally.ackMs.push(performance.now() - this.#sentAt);
      return;
    }
    this.#isAdmitted = true;
    // A lane of an earlier run goes on where it was.
    this.#owed = amount;
    this.#signed = amount;
    this.#world.tally.payingCount++;
    this.#acceptNewest();
  }

  #onError(code: string): void {
    // The seller checks so many lanes on the chain at a time.
    if (code === 'lane-busy') setTimeout(() => this.#offerLane(), LANE_RETRY_MS);
    else this.#complain(code);
  }

  #acceptNewest(): void {
    const quote = this.#quote;
    if (!quote || !this.#isAdmitted || quote.sequence === this.#accepted?.sequence) return;
    this.#accepted = quote;
    this.#say({ type: 'accept', sequence: quote.sequence });
    this.#ask();
  }

  #onChoke(isChoking: boolean): void {
    this.#isChoked = isChoking;
    if (isChoking) this.#asked = [];
    else this.#ask();
  }

  #ask(): void {
    const price = this.#accepted?.price;
    if (price === undefined || this.#isChoked) return;
    const { pieceLengthBytes } = this.#world.torrent;
    const requests: Uint8Array[] = [];
    while (this.#asked.length < PIPELINE_BLOCKS) {
      const at = this.#nextBlock * BLOCK_BYTES;
      this.#nextBlock = (this.#nextBlock + 1) % this.#blockCount;
      this.#asked.push(price);
      const index = Math.floor(at / pieceLengthBytes);
      const block = { index, begin: at % pieceLengthBytes, length: BLOCK_BYTES };
      requests.push(encodeBlockRef(MESSAGE.request, block));
    }
    if (requests.length > 0) this.#socket.write(Buffer.concat(requests));
  }

  #onBlock(length: number): void {
    this.#world.tally.receivedBytes += length;
    const price = this.#asked.shift();
    if (price !== undefined) {
      this.#owed = atto(this.#owed + costOf(bytes(length), price));
      this.#unpaidBytes += length;
    }
    this.#ask();
    if (this.#accepted && this.#unpaidBytes >= this.#accepted.tick) this.#pay();
  }

  #pay(): void {
    const { digests, secp256k1, hotKey, tally } = this.#world;
    assert(this.#offer, 'who pays has a lane');
    const { allotment, lane } = this.#offer;
    const amount = minAtto(this.#owed, lane.cap);
    if (amount <= this.#signed) return;
    const voucher = { allotment, lane: lane.index, amount };
    const signature = secp256k1.sign(digests.voucher(voucher), hotKey);
    this.#say({ type: 'voucher', ...voucher, signature });
    this.#signed = amount;
    this.#unpaidBytes = 0;
    this.#sentAt = performance.now();
    tally.voucherCount++;
  }

  #say(message: BwPayMessage): void {
    this.#socket.write(encodeExtended(this.#payId, encodeBwPay(message)));
  }

  #complain(what: string): void {
    const { errors } = this.#world.tally;
    if (errors.length < ERRORS_MAX) errors.push(what);
  }
}
