/**
 * Two nodes, a buyer and a seller, joined by a simulated stream: enough of an engine to move blocks
 * under an extension, with a virtual clock and one seed for everything.
 */
import type {
  PeerCounters,
  PeerExtensionSession,
  PeerLink,
  UploadCandidate,
} from '../../engine/index.ts';
import { VirtualClock } from '../../sim/index.ts';
import { account, identityOf, MemoryBook, MemoryPurse, signerOf } from '../../sim/money/index.ts';
import {
  atto,
  attoPerMib,
  BLOCK_BYTES,
  type Instant,
  instant,
  MIB,
  type Random,
  seededRandom,
} from '../../units/index.ts';
import {
  createExchange,
  type Exchange,
  type ExchangeDependencies,
  type ExchangeEvent,
  type PeerSnapshot,
} from '../index.ts';

/** How a pair is set up. Times in ms, sizes in bytes, prices in atto per MiB. */
export interface PairOptions {
  readonly seed?: number;
  readonly delayMs?: number;
  /** The seller's line. */
  readonly bytesPerMs?: number;
  readonly pieceBytes?: number;
  readonly totalBytes?: number;
  readonly ask?: bigint;
  readonly maxPrice?: bigint;
  readonly budget?: bigint;
  readonly graceBytes?: number;
  /** Requests in flight. */
  readonly depth?: number;
  /** Whether those who do not pay are served. */
  readonly servesFree?: boolean;
}

/** The engine's clock step. */
const STEP_MS = 5;
const TICK_MS = 100;
const ROUND_MS = 10_000;

type Frame = { readonly at: number; readonly deliver: () => void };

/** What the simulated engine keeps of one end of the connection. */
class End implements PeerLink {
  readonly peerKey: number;
  readonly torrentKey: string = 'ab'.repeat(20);
  readonly infoHash: Uint8Array = new Uint8Array(20).fill(0xab);
  readonly remoteHost = '192.0.2.1';
  readonly remotePort = 6881;
  readonly isOutbound = true;
  readonly localPeerId: Uint8Array;
  readonly remotePeerId: Uint8Array;
  pieceLengthBytes = 0;
  isDownloading = false;
  isServed = false;
  closedFor: string | null = null;
  requestTag = 0;
  serveTag = 0;
  wantsRechoke = false;
  received = 0;
  sent = 0;
  verified = 0;
  rate = 0;
  onSend: (payload: Uint8Array) => void = () => {};

  constructor(peerKey: number, ids: { readonly local: number; readonly remote: number }) {
    this.peerKey = peerKey;
    this.localPeerId = new Uint8Array(20).fill(ids.local);
    this.remotePeerId = new Uint8Array(20).fill(ids.remote);
  }

  get counters(): PeerCounters {
    return {
      receivedBytes: this.received,
      sentBytes: this.sent,
      verifiedBytes: this.verified,
      receiveRate: this.rate,
      sendRate: this.rate,
    };
  }

  send(payload: Uint8Array): void {
    this.onSend(payload.slice());
  }

  setRequestTag(tag: number): void {
    this.requestTag = tag;
  }

  setServeTag(tag: number): void {
    this.serveTag = tag;
  }

  resumeUpload(): void {}

  requestRechoke(): void {
    this.wantsRechoke = true;
  }

  close(reason: string): void {
    this.closedFor = reason;
  }
}

/** One live connection. */
export interface Wire {
  readonly buyerEnd: End;
  readonly sellerEnd: End;
  readonly buyer: PeerExtensionSession;
  readonly seller: PeerExtensionSession;
  readonly toSeller: Frame[];
  readonly toBuyer: Frame[];
  /** Tags of requests the buyer waits for, oldest first. */
  readonly pending: number[];
  readonly queue: number[];
  isUnchoked: boolean;
  knowsUnchoked: boolean;
  inPiece: number;
  isBroken: boolean;
}

/** Two exchanges and at most one connection between them at a time. */
export class Pair {
  readonly options: Required<PairOptions>;
  readonly random: Random;
  readonly purse: MemoryPurse;
  readonly book: MemoryBook;
  readonly buyer: Exchange;
  readonly seller: Exchange;
  readonly events: ExchangeEvent[] = [];
  wire: Wire;
  delivered = 0;
  /** The next piece that completes is a bad one. */
  nextPieceIsBad = false;
  /** What the buyer believes is still missing. */
  remainingBytes: () => number = () => Math.max(0, this.options.totalBytes - this.delivered);
  /** Called after every step: invariants go here. */
  onStep: () => void = () => {};
  #connections = 0;
  readonly #clock = new VirtualClock();
  readonly #startedAt = this.#clock.now;
  #roundAt = 0;
  #budgetOfLine = 0;

  constructor(options: PairOptions = {}) {
    this.options = {
      seed: 1,
      delayMs: 20,
      bytesPerMs: 10_000,
      pieceBytes: 256 * 1024,
      totalBytes: 64 * MIB,
      ask: 1000n,
      maxPrice: 5000n,
      budget: 10n ** 9n,
      graceBytes: MIB,
      depth: 64,
      servesFree: true,
      ...options,
    };
    const later = (delayMs: number, job: () => void): void => this.#clock.after(delayMs, job);
    this.random = seededRandom(this.options.seed);
    this.purse = new MemoryPurse(later);
    this.book = new MemoryBook(later);
    const shared = {
      recover: (_digest: Uint8Array, signature: Uint8Array) => signerOf(signature),
      onEvent: (event: ExchangeEvent) => {
        this.events.push(event);
      },
      remainingBytes: () => this.remainingBytes(),
    } satisfies Partial<ExchangeDependencies>;
    const { ask, maxPrice, budget, graceBytes } = this.options;
    this.buyer = createExchange(
      { ...shared, identity: identityOf(account(1)), purse: this.purse, book: null },
      { seller: null, buyer: { maxPrice: attoPerMib(maxPrice), budget: atto(budget) } },
    );
    this.seller = createExchange(
      { ...shared, identity: identityOf(account(2)), purse: null, book: this.book },
      { seller: { ask: { kind: 'fixed', price: attoPerMib(ask) }, graceBytes }, buyer: null },
    );
    this.wire = this.connect();
  }

  get now(): Instant {
    return this.#clock.now;
  }

  get elapsedMs(): number {
    return this.now - this.#startedAt;
  }

  /** Ends the present connection, if any, and starts another; frames under way are lost. */
  connect(): Wire {
    if (this.wire) this.disconnect();
    const key = ++this.#connections;
    const buyerEnd = new End(key, { local: 1, remote: 2 });
    const sellerEnd = new End(key, { local: 2, remote: 1 });
    buyerEnd.pieceLengthBytes = this.options.pieceBytes;
    sellerEnd.pieceLengthBytes = this.options.pieceBytes;
    buyerEnd.isDownloading = this.delivered < this.options.totalBytes;
    const wire: Wire = {
      buyerEnd,
      sellerEnd,
      buyer: this.buyer.extension.attach(buyerEnd),
      seller: this.seller.extension.attach(sellerEnd),
      toSeller: [],
      toBuyer: [],
      pending: [],
      queue: [],
      isUnchoked: false,
      knowsUnchoked: false,
      inPiece: 0,
      isBroken: false,
    };
    buyerEnd.onSend = (payload) =>
      this.#post(wire.toSeller, () => wire.seller.onMessage(payload, this.now));
    sellerEnd.onSend = (payload) =>
      this.#post(wire.toBuyer, () => wire.buyer.onMessage(payload, this.now));
    // The engine decides anew whenever somebody becomes interested.
    sellerEnd.wantsRechoke = true;
    this.wire = wire;
    wire.buyer.onSupported(this.now);
    wire.seller.onSupported(this.now);
    return wire;
  }

  disconnect(): void {
    if (this.wire.isBroken) return;
    this.wire.isBroken = true;
    this.wire.buyer.onClosed(this.now);
    this.wire.seller.onClosed(this.now);
  }

  /** What the buyer's and the seller's status pages show of the connection. */
  get buying(): NonNullable<PeerSnapshot['buying']> {
    return this.buyer.snapshot().peers[0]?.buying as NonNullable<PeerSnapshot['buying']>;
  }

  get selling(): NonNullable<PeerSnapshot['selling']> {
    return this.seller.snapshot().peers[0]?.selling as NonNullable<PeerSnapshot['selling']>;
  }

  count(type: ExchangeEvent['type']): number {
    return this.events.filter((event) => event.type === type).length;
  }

  /** Lets `ms` pass. */
  run(ms: number): void {
    const end = this.now + ms;
    while (this.now < end) this.#step();
  }

  /** Runs until `isDone` or, at most, for `ms`; returns whether it was done. */
  runUntil(isDone: () => boolean, ms = 120_000): boolean {
    const end = this.now + ms;
    while (this.now < end && !isDone()) this.#step();
    return isDone();
  }

  get isComplete(): boolean {
    return this.delivered >= this.options.totalBytes;
  }

  #step(): void {
    this.#clock.run(STEP_MS);
    if (!this.wire.isBroken) this.#stepWire(this.wire);
    this.onStep();
  }

  #stepWire(wire: Wire): void {
    for (const frames of [wire.toSeller, wire.toBuyer]) {
      while ((frames[0]?.at ?? Infinity) <= this.now) frames.shift()?.deliver();
    }
    if (this.now % TICK_MS === 0) {
      wire.buyer.onTick(this.now);
      wire.seller.onTick(this.now);
    }
    if (wire.sellerEnd.wantsRechoke || this.now >= this.#roundAt) this.#rechoke(wire);
    this.#request(wire);
    this.#serve(wire);
    if (wire.buyerEnd.closedFor !== null || wire.sellerEnd.closedFor !== null) this.disconnect();
  }

  #rechoke(wire: Wire): void {
    wire.sellerEnd.wantsRechoke = false;
    if (this.now >= this.#roundAt) this.#roundAt = this.now + ROUND_MS;
    const candidate: UploadCandidate = {
      peerKey: wire.sellerEnd.peerKey,
      torrentKey: wire.sellerEnd.torrentKey,
      remoteHost: wire.sellerEnd.remoteHost,
      place: null,
      isInterested: wire.buyerEnd.isDownloading,
      isUnchoked: wire.isUnchoked,
      isSeeding: true,
      receiveRate: 0,
      sendRate: wire.sellerEnd.rate,
      receivedBytes: 0,
      sentBytes: wire.sellerEnd.sent,
      connectedAt: instant(0),
      unchokedAt: null,
    };
    const grants = this.seller.policy.allot({
      now: this.now,
      capacity: this.options.bytesPerMs * 1000,
      isLimited: true,
      slots: 4,
      candidates: this.options.servesFree || this.selling.standing !== 'free' ? [candidate] : [],
      random: this.random,
    });
    const isUnchoked = grants.some((grant) => grant.peerKey === candidate.peerKey);
    if (isUnchoked === wire.isUnchoked) return;
    wire.isUnchoked = isUnchoked;
    if (!isUnchoked) wire.queue.length = 0;
    this.#post(wire.toBuyer, () => {
      wire.knowsUnchoked = isUnchoked;
      wire.buyerEnd.isServed = isUnchoked;
      if (!isUnchoked) wire.pending.length = 0;
    });
  }

  #request(wire: Wire): void {
    if (!wire.knowsUnchoked || !wire.buyerEnd.isDownloading) return;
    while (wire.pending.length < this.options.depth) {
      wire.pending.push(wire.buyerEnd.requestTag);
      this.#post(wire.toSeller, () => {
        if (wire.isUnchoked) wire.queue.push(wire.sellerEnd.serveTag);
      });
    }
  }

  #serve(wire: Wire): void {
    const most = this.options.bytesPerMs * STEP_MS;
    this.#budgetOfLine = Math.min(this.#budgetOfLine + most, 2 * most + BLOCK_BYTES);
    let sent = 0;
    while (this.#budgetOfLine >= BLOCK_BYTES) {
      const tag = wire.queue[0];
      if (tag === undefined || wire.seller.creditBytes(tag) < BLOCK_BYTES) break;
      wire.queue.shift();
      wire.seller.onBlockSent(tag, BLOCK_BYTES);
      wire.sellerEnd.sent += BLOCK_BYTES;
      this.#budgetOfLine -= BLOCK_BYTES;
      sent += BLOCK_BYTES;
      this.#post(wire.toBuyer, () => this.#receive(wire));
    }
    const rate = (sent / STEP_MS) * 1000;
    for (const end of [wire.sellerEnd, wire.buyerEnd]) end.rate += (rate - end.rate) / 100;
  }

  #receive(wire: Wire): void {
    const tag = wire.pending.shift();
    if (tag === undefined) return;
    wire.buyerEnd.received += BLOCK_BYTES;
    this.delivered += BLOCK_BYTES;
    wire.inPiece += BLOCK_BYTES;
    if (this.isComplete) wire.buyerEnd.isDownloading = false;
    wire.buyer.onBlockReceived(tag, BLOCK_BYTES, this.now);
    if (wire.inPiece < this.options.pieceBytes && !this.isComplete) return;
    const size = wire.inPiece;
    wire.inPiece = 0;
    if (this.nextPieceIsBad) {
      this.nextPieceIsBad = false;
      wire.buyer.onPieceFailed();
      return;
    }
    wire.buyerEnd.verified += size;
    wire.buyer.onVerified(size);
  }

  /** Frames arrive in order, each after the delay. */
  #post(frames: Frame[], deliver: () => void): void {
    frames.push({ at: this.now + this.options.delayMs, deliver });
  }
}
