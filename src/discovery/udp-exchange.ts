/** One question to a UDP tracker: connecting, asking, asking again (BEP 15). Pure. */
import { type Instant, instant, type Random, randomInt } from '../units/index.ts';
import {
  type AnnounceRequest,
  decodeUdpReply,
  encodeUdpRequest,
  type Family,
  type UdpReply,
  type UdpRequest,
  WireError,
} from '../wire/index.ts';

/** What to ask once connected. */
export type UdpQuestion =
  | { readonly kind: 'announce'; readonly announce: AnnounceRequest; readonly urlData: string }
  | { readonly kind: 'scrape'; readonly infoHashes: readonly Uint8Array[] };

/** A connection id and when it came. Good for one minute at the client (BEP 15). */
export interface UdpConnection {
  readonly id: bigint;
  readonly since: Instant;
}

/** What the shell has to do. */
export type UdpEffect =
  | { readonly kind: 'send'; readonly datagram: Uint8Array }
  /** Call `onTimer` at this time; replaces the time given before. */
  | { readonly kind: 'wake'; readonly at: Instant }
  /** Keep for the next question to the same address. */
  | { readonly kind: 'connected'; readonly connection: UdpConnection }
  /** No answer for so long; it was asked again. */
  | { readonly kind: 'late'; readonly waitedMs: number }
  | { readonly kind: 'answered'; readonly reply: UdpReply }
  /** The end without an answer. */
  | { readonly kind: 'unanswered'; readonly waitedMs: number };

/** How an exchange is set up. */
export interface UdpExchangeOptions {
  readonly question: UdpQuestion;
  /** From an earlier exchange with the same address. */
  readonly connection: UdpConnection | null;
  /** 0..8 (BEP 15); each doubles the wait, so 8 means two hours. */
  readonly retransmissionsMax: number;
  /** Must be unpredictable: transaction ids are all that stops forged replies. */
  readonly random: Random;
}

/** "If a response is not received after 15 * 2 ^ n seconds" (BEP 15). */
const FIRST_WAIT_MS = 15_000;

/** "A client can use a connection ID until one minute after it has received it" (BEP 15). */
const CONNECTION_LIFE_MS = 60_000;

/** The state of one question; make one per question, feed it datagrams and the time. */
export class UdpExchange {
  readonly #options: UdpExchangeOptions;
  #connection: UdpConnection | null;
  /** -1 before the first datagram. */
  #transactionId = -1;
  #isConnecting = false;
  #retransmissions = 0;
  #startedAt: Instant = instant(0);
  #wakeAt: Instant = instant(Infinity);
  #isDone = false;
  #hasReconnected = false;

  constructor(options: UdpExchangeOptions) {
    this.#options = options;
    this.#connection = options.connection;
  }

  /** Whether a reply with this transaction id is ours. */
  owns(transactionId: number): boolean {
    return !this.#isDone && transactionId === this.#transactionId;
  }

  /** Sends the first datagram. Call once. */
  start(now: Instant): readonly UdpEffect[] {
    this.#startedAt = now;
    return this.#send(now);
  }

  /**
   * Takes a datagram from the tracker's address, which is of this family; what is not an answer is
   * ignored.
   */
  onDatagram(datagram: Uint8Array, family: Family, now: Instant): readonly UdpEffect[] {
    const reply = readReply(datagram, family);
    if (!reply || !this.owns(reply.transactionId)) return [];
    if (reply.action === 'error') return this.#onError(reply, now);
    if (this.#isConnecting) {
      if (reply.action !== 'connect') return [];
      this.#connection = { id: reply.connectionId, since: now };
      return [{ kind: 'connected', connection: this.#connection }, ...this.#send(now)];
    }
    if (reply.action !== this.#options.question.kind) return [];
    this.#isDone = true;
    return [{ kind: 'answered', reply }];
  }

  /** Retransmits or gives up when it is time; harmless when called early. */
  onTimer(now: Instant): readonly UdpEffect[] {
    if (this.#isDone || now < this.#wakeAt) return [];
    const waitedMs = Math.round(now - this.#startedAt);
    if (this.#retransmissions >= this.#options.retransmissionsMax) {
      this.#isDone = true;
      return [{ kind: 'unanswered', waitedMs }];
    }
    this.#retransmissions++;
    return [{ kind: 'late', waitedMs }, ...this.#send(now)];
  }

  /**
   * A tracker that restarted does not know the connection id we kept: ask for a new one, once.
   * Any other error is the answer.
   */
  #onError(reply: UdpReply, now: Instant): readonly UdpEffect[] {
    const usedKeptId = !this.#isConnecting && this.#connection === this.#options.connection;
    if (usedKeptId && !this.#hasReconnected) {
      this.#hasReconnected = true;
      this.#connection = null;
      return this.#send(now);
    }
    this.#isDone = true;
    return [{ kind: 'answered', reply }];
  }

  #send(now: Instant): readonly UdpEffect[] {
    const { random } = this.#options;
    if (this.#connection && now >= this.#connection.since + CONNECTION_LIFE_MS) {
      this.#connection = null;
    }
    const isConnecting = this.#connection === null;
    // Asking the same again keeps the id, so that a slow answer to the first time still counts.
    if (isConnecting !== this.#isConnecting || this.#transactionId < 0) {
      this.#transactionId = randomInt(random, 2 ** 32);
    }
    this.#isConnecting = isConnecting;
    this.#wakeAt = instant(now + FIRST_WAIT_MS * 2 ** this.#retransmissions);
    const datagram = encodeUdpRequest(this.#request());
    return [
      { kind: 'send', datagram },
      { kind: 'wake', at: this.#wakeAt },
    ];
  }

  #request(): UdpRequest {
    const { question } = this.#options;
    const transactionId = this.#transactionId;
    const connectionId = this.#connection?.id;
    if (connectionId === undefined) return { action: 'connect', transactionId };
    switch (question.kind) {
      case 'announce': {
        const { announce, urlData } = question;
        return { action: 'announce', transactionId, connectionId, announce, urlData };
      }
      case 'scrape':
        return {
          action: 'scrape',
          transactionId,
          connectionId,
          infoHashes: question.infoHashes,
        };
    }
  }
}

function readReply(datagram: Uint8Array, family: Family): UdpReply | null {
  try {
    return decodeUdpReply(datagram, family);
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}
