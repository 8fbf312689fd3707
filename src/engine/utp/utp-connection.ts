/**
 * One uTP connection (BEP 29): a stream of bytes over datagrams that may be lost, late, doubled or
 * out of order. To the engine it is a connection like any other.
 */
import { sequenceAdd, UTP_HEADER_BYTES, type UtpPacket, type UtpType } from '../../wire/index.ts';
import type { Connection, ConnectionEvents } from '../ports.ts';
import { DelayHistory } from './delay-history.ts';
import { Ledbat } from './ledbat.ts';
import { PacketSender } from './packet-sender.ts';
import { RECEIVE_BYTES_MAX, ReceiveWindow } from './receive-window.ts';
import { RoundTrip } from './round-trip.ts';
import { SendWindow, type SentPacket } from './send-window.ts';
import type { UtpIdentity, UtpLink, UtpState } from './utp-link.ts';
import { WriteQueue } from './write-queue.ts';

/** A datagram's payload at most: fits every path but odd tunnels, over IPv6, too. */
const PACKET_BYTES_MAX = 1400;
/** A dial is given up after so many requests: 1 s, 2 s and 4 s without an answer. */
const DIALS_MAX = 3;
/** A connection is given up after so many timeouts in a row without any packet. */
const TIMEOUTS_MAX = 5;
/** Who was let in and sends nothing is forgotten. */
const GREETED_US = 10_000_000;
/** What was sent before closing is seen to for so long … */
const LINGER_US = 5_000_000;
/** … and so much of what was only written: a last message, not blocks. */
const LINGER_BYTES_MAX = 16 * 1024;
/** Routers forget an address that is silent for half a minute (libutp's number). */
const KEEP_ALIVE_US = 29_000_000;

/** See the head of this file. The host calls `onPacket`, `settle` and `tick`. */
export class UtpConnection implements Connection {
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly isOutbound: boolean;
  readonly isUtp = true;
  readonly identity: UtpIdentity;
  readonly #link: UtpLink;
  readonly #sender: PacketSender;
  readonly #queue: WriteQueue;
  readonly #sent: SendWindow;
  readonly #congestion = new Ledbat(PACKET_BYTES_MAX);
  readonly #roundTrip = new RoundTrip();
  readonly #delays = new DelayHistory();
  #events: ConnectionEvents | null = null;
  #received = new ReceiveWindow(0);
  #state: UtpState;
  #remoteWindow = RECEIVE_BYTES_MAX;
  #isAckDue = false;
  #isPaused = false;
  /** Closed before it was known where its events go. */
  #refusal: string | null = null;
  /** Number of the other end's last packet. */
  #endSequence: number | null = null;
  #timeouts = 0;
  /** When to stop waiting for an answer; Infinity when none is wanted. */
  #deadlineUs = Infinity;
  #isProbing = false;
  #stateSinceUs: number;

  constructor(link: UtpLink, identity: UtpIdentity) {
    this.#link = link;
    this.identity = identity;
    this.remoteHost = identity.host;
    this.remotePort = identity.port;
    this.isOutbound = identity.isOutbound;
    this.#sender = new PacketSender(link, identity);
    this.#queue = new WriteQueue(identity.isOutbound);
    this.#sent = new SendWindow(identity.firstSequence, link.randomNumber);
    this.#state = identity.isOutbound ? 'dialling' : 'greeted';
    this.#stateSinceUs = link.nowUs();
  }

  get queuedBytes(): number {
    return this.#queue.byteCount;
  }

  /** Whether the other end has shown that it gets what is sent to its address. */
  get isProven(): boolean {
    return this.#state !== 'greeted';
  }

  /** Sends the request to connect. */
  dial(events: ConnectionEvents): void {
    this.#events = events;
    this.#transmitNew('syn', this.#link.memory(UTP_HEADER_BYTES));
  }

  /** Answers a request to connect; also one that came twice. */
  greet(request: UtpPacket): void {
    this.#received = new ReceiveWindow(request.sequence);
    this.#noteTimes(request);
    this.#sendState();
  }

  write(parts: readonly Uint8Array[], done?: () => void): void {
    if (this.#events === null) {
      if (done) this.#link.later(done);
      return;
    }
    this.#queue.push(parts, done ?? null);
    this.#link.wake();
  }

  pauseReading(): void {
    this.#isPaused = true;
  }

  resumeReading(): void {
    this.#isPaused = false;
    this.#received.owe();
    this.#link.wake();
  }

  close(reason: string): void {
    if (this.#events === null) {
      this.#refusal ??= reason;
      return;
    }
    this.#end(reason);
  }

  /** A packet for this connection came. */
  onPacket(packet: UtpPacket): void {
    if (this.#state === 'over') return;
    if (packet.type === 'reset') {
      this.#break('the peer broke the connection');
      return;
    }
    if (packet.type === 'syn') {
      if (!this.isOutbound && this.#state === 'greeted') this.#sendState();
      return;
    }
    if (!this.#sent.isPlausible(packet.acknowledged)) return;
    if (this.#state === 'dialling' && !this.#open(packet)) return;
    if (this.#state === 'greeted' && !this.#isProof(packet)) return;
    this.#noteTimes(packet);
    this.#timeouts = 0;
    if (!this.#onAcknowledged(packet)) return;
    if (packet.type === 'data' || packet.type === 'fin') this.#onPayload(packet);
    if (this.#sent.isEmpty) this.#deadlineUs = Infinity;
    this.#link.wake();
  }

  /** After a batch of packets, and after writes: sends what may be sent. */
  settle(): void {
    this.#deliverUnread();
    if (this.#state === 'over') return;
    this.#pump();
    if (this.#isAckDue) this.#sendState();
    if (this.#state === 'closing' && this.#sent.isEmpty) this.#forget();
  }

  /** Several times a second: timeouts, keep-alives. */
  tick(): void {
    const now = this.#link.nowUs();
    if (this.#state === 'over') return;
    if (this.#state === 'greeted') {
      if (now - this.#stateSinceUs > GREETED_US) this.#forget();
      return;
    }
    if (now >= this.#deadlineUs) this.#onTimeout();
    if (this.#state === 'closing' && now - this.#stateSinceUs > LINGER_US) this.#forget();
    if (this.#state === 'open' && now - this.#sender.spokeAtUs > KEEP_ALIVE_US) this.#sendState();
  }

  /** Breaks it, and says so to the other end. */
  abandon(reason: string): void {
    if (this.#state === 'open') this.#sendState('reset');
    this.#break(reason);
  }

  /** The answer to our dial. Its number is that of the data that will follow (as in libutp). */
  #open(packet: UtpPacket): boolean {
    if (packet.type !== 'state') return false;
    this.#received = new ReceiveWindow(sequenceAdd(packet.sequence, -1));
    this.#state = 'open';
    this.#link.later(() => this.#events?.onOpen());
    return true;
  }

  /** Only who got our answer knows its number: so the address is not forged. */
  #isProof({ type, acknowledged }: UtpPacket): boolean {
    return type === 'data' && acknowledged === sequenceAdd(this.#sent.next, -1);
  }

  #noteTimes(packet: UtpPacket): void {
    this.#sender.onPacket(packet);
    this.#remoteWindow = packet.windowBytes;
  }

  /** False when it was a lie, and the connection is over. */
  #onAcknowledged(packet: UtpPacket): boolean {
    const nowUs = this.#link.nowUs();
    const isPure = packet.type === 'state';
    const wasFull =
      this.#sent.onWayBytes + PACKET_BYTES_MAX > this.#congestion.windowBytes || this.#sent.hasLost;
    const outcome = this.#sent.acknowledge(packet.acknowledged, packet.selectiveAck, {
      nowUs,
      isPure,
    });
    if (outcome.roundTripUs !== null) this.#roundTrip.add(outcome.roundTripUs);
    if (outcome.ackedPackets > 0) {
      this.#roundTrip.onAnswer();
      this.#isProbing = false;
      this.#startWaiting();
      if (packet.delay !== 0) {
        const { ackedBytes, roundTripUs } = outcome;
        const waitingUs = Math.min(this.#delays.add(packet.delay, nowUs), roundTripUs ?? Infinity);
        this.#congestion.onAck({ ackedBytes, waitingUs, wasFull });
      }
    }
    if (outcome.isNewLoss) this.#congestion.onLoss();
    if (outcome.isLie) this.abandon('the peer acknowledged what was not sent');
    return !outcome.isLie;
  }

  #onPayload(packet: UtpPacket): void {
    this.#isAckDue = true;
    const arrival = this.#received.place(packet.sequence, packet.payload);
    const isKept = arrival === 'next' || arrival === 'early';
    if (packet.type === 'fin' && isKept) this.#endSequence = packet.sequence;
    if (arrival !== 'next') return;
    if (this.#state === 'greeted') {
      this.#state = 'open';
      this.#events = this.#link.accept(this);
      if (this.#refusal !== null) this.#end(this.#refusal);
    }
    this.#received.advance();
    this.#deliver(packet.payload);
    for (;;) {
      const early = this.#received.takeEarly();
      if (!early) break;
      this.#deliver(early);
    }
    this.#checkEnd();
  }

  #deliver(payload: Uint8Array): void {
    if (payload.length === 0 || this.#events === null) return;
    if (this.#isPaused || this.#received.hasUnread) this.#received.keep(payload);
    else this.#events.onBytes(payload);
  }

  #deliverUnread(): void {
    let payload = this.#received.takeUnread(this.#isPaused);
    if (!payload) return;
    for (; payload; payload = this.#received.takeUnread(this.#isPaused)) {
      this.#events?.onBytes(payload);
    }
    // The other end waits for room.
    this.#isAckDue = true;
    this.#checkEnd();
  }

  #checkEnd(): void {
    if (this.#state !== 'open' || this.#endSequence === null) return;
    if (this.#endSequence !== this.#received.acknowledged || this.#received.hasUnread) return;
    this.#end('the peer hung up');
  }

  /** Sends lost packets again, then new ones, as far as both windows allow. */
  #pump(): void {
    const { windowBytes } = this.#congestion;
    while (this.#sent.hasLost && this.#mayFly(PACKET_BYTES_MAX, windowBytes)) {
      const lost = this.#sent.takeLost(this.#link.nowUs());
      if (!lost) break;
      this.#transmit(lost);
    }
    if (this.#state !== 'open' || this.#sent.hasLost) return;
    while (this.#queue.byteCount > 0 && !this.#sent.isFull) {
      const size = this.#nextSize;
      if (!this.#mayFly(size, windowBytes)) break;
      if (!this.#hasRoom(size)) {
        if (this.#deadlineUs === Infinity) this.#startWaiting();
        break;
      }
      const bytes = this.#nextPayload();
      if (this.#queue.byteCount > 0 && this.#sent.isTestDue) this.#sent.addKeptBack(bytes);
      else this.#transmitNew('data', bytes);
      if (this.#queue.byteCount === 0) this.#link.later(() => this.#events?.onDrain());
    }
  }

  get #nextSize(): number {
    return Math.min(this.#queue.packetBytes + UTP_HEADER_BYTES, PACKET_BYTES_MAX);
  }

  /** The next bytes of the stream, with room for a header. */
  #nextPayload(): Uint8Array {
    const bytes = this.#link.memory(this.#nextSize);
    this.#queue.fill(bytes, UTP_HEADER_BYTES, (done) => this.#link.later(done));
    return bytes;
  }

  #mayFly(size: number, windowBytes: number): boolean {
    return this.#sent.onWayBytes === 0 || this.#sent.onWayBytes + size <= windowBytes;
  }

  /** Whether the other end has room; it is asked again now and then when it has none. */
  #hasRoom(size: number): boolean {
    if (this.#sent.onWayBytes + size <= this.#remoteWindow) return true;
    return this.#isProbing && this.#sent.onWayBytes === 0;
  }

  #transmitNew(type: UtpType, bytes: Uint8Array): void {
    this.#transmit(this.#sent.add(type, bytes, this.#link.nowUs()));
  }

  #transmit(packet: SentPacket): void {
    if (this.#deadlineUs === Infinity) this.#startWaiting();
    if (!this.#received.hasGap) this.#isAckDue = false;
    this.#sender.send(packet, this.#received);
  }

  #startWaiting(): void {
    this.#deadlineUs = this.#link.nowUs() + this.#roundTrip.timeoutUs;
  }

  #sendState(type: 'state' | 'reset' = 'state'): void {
    this.#isAckDue = false;
    this.#sender.sendState(type, this.#sent.next, this.#received);
  }

  #onTimeout(): void {
    this.#timeouts++;
    const isDialling = this.#state === 'dialling';
    if (this.#timeouts >= (isDialling ? DIALS_MAX : TIMEOUTS_MAX)) {
      this.#break(isDialling ? 'the host does not answer' : 'the peer does not answer any more');
      return;
    }
    this.#roundTrip.onTimeout();
    if (this.#sent.isEmpty) this.#isProbing = true;
    else {
      this.#congestion.onTimeout();
      this.#sent.loseAll();
    }
    this.#startWaiting();
    this.#pump();
  }

  /** Nobody listens to us any more. What is on the way, and the end of the stream, is seen to. */
  #end(reason: string): void {
    if (this.#state !== 'open') {
      this.#break(reason);
      return;
    }
    this.#pump();
    while (this.#queue.byteCount > 0 && this.#queue.byteCount <= LINGER_BYTES_MAX) {
      this.#sent.addUnsent('data', this.#nextPayload());
    }
    this.#sent.addUnsent('fin', this.#link.memory(UTP_HEADER_BYTES));
    this.#tell(reason);
    this.#state = 'closing';
    this.#stateSinceUs = this.#link.nowUs();
    this.#link.wake();
  }

  #break(reason: string): void {
    this.#tell(reason);
    this.#forget();
  }

  #tell(reason: string): void {
    this.#queue.clear((done) => this.#link.later(done));
    const events = this.#events;
    this.#events = null;
    if (events) this.#link.later(() => events.onClosed(reason));
  }

  #forget(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#deadlineUs = Infinity;
    this.#link.forget();
  }
}
