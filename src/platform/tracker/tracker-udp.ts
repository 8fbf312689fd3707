/** UDP to trackers: one socket per family, many exchanges over it. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import {
  type UdpConnection,
  type UdpEffect,
  UdpExchange,
  type UdpQuestion,
} from '../../discovery/index.ts';
import type { Instant, Random } from '../../units/index.ts';
import type { Family, UdpReply } from '../../wire/index.ts';
import type { Egress } from '../egress/index.ts';
import { explainFailure, TrackerError } from './tracker-error.ts';

/** One question to one address. */
export interface UdpAsk {
  /** Literal, checked by `resolveTracker`. */
  readonly address: string;
  readonly family: Family;
  readonly port: number;
  readonly question: UdpQuestion;
  /** Told at each retransmission. */
  readonly onLate?: (waitedMs: number) => void;
  readonly signal: AbortSignal;
}

/** What UDP to trackers needs. */
export interface TrackerUdpOptions {
  /** Never one through a proxy. */
  readonly egress: Egress;
  readonly now: () => Instant;
  /** Unpredictable: see `UdpExchangeOptions`. */
  readonly random: Random;
  /** 15·2ⁿ s are waited after the n-th; 2 means giving up after 105 s. */
  readonly retransmissionsMax: number;
}

interface Pending {
  readonly ask: UdpAsk;
  readonly exchange: UdpExchange;
  readonly settle: (outcome: UdpReply | Error) => void;
  timer: NodeJS.Timeout | undefined;
}

/** Questions under way at once, over all torrents. */
const PENDING_MAX = 1000;

/** Addresses whose connection id is kept for its minute. */
const CONNECTIONS_MAX = 500;

/** UDP to trackers, for all torrents of a process. `close` it at the end. */
export class TrackerUdp {
  readonly #options: TrackerUdpOptions;
  readonly #sockets = new Map<Family, Socket>();
  readonly #connections = new Map<string, UdpConnection>();
  readonly #pending = new Set<Pending>();
  #isClosed = false;

  constructor(options: TrackerUdpOptions) {
    this.#options = options;
  }

  /** Asks and waits for the answer. Throws `TrackerError` with the reason in words. */
  async ask(ask: UdpAsk): Promise<UdpReply> {
    ask.signal.throwIfAborted();
    const { isOpen, refusal } = this.#options.egress;
    if (!isOpen || refusal !== null) {
      throw new TrackerError('TRACKER_FAILED', `is not asked: ${refusal ?? 'there is a proxy'}`);
    }
    if (this.#isClosed || this.#pending.size >= PENDING_MAX) {
      throw new TrackerError('TRACKER_FAILED', 'is not asked: too many questions are under way');
    }
    const { promise, resolve, reject } = Promise.withResolvers<UdpReply>();
    const exchange = new UdpExchange({
      question: ask.question,
      family: ask.family,
      connection: this.#connections.get(keyOf(ask)) ?? null,
      retransmissionsMax: this.#options.retransmissionsMax,
      random: this.#options.random,
    });
    const settle = (outcome: UdpReply | Error): void => {
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    };
    const pending: Pending = { ask, exchange, settle, timer: undefined };
    this.#pending.add(pending);
    const abort = (): void => {
      settle(new TrackerError('TRACKER_FAILED', 'was not waited for'));
    };
    ask.signal.addEventListener('abort', abort, { once: true });
    try {
      this.#perform(pending, exchange.start(this.#options.now()));
      return await promise;
    } finally {
      ask.signal.removeEventListener('abort', abort);
      clearTimeout(pending.timer);
      this.#pending.delete(pending);
      if (![...this.#pending].some((other) => other.ask.family === ask.family)) {
        // An idle socket must not keep the process alive.
        this.#sockets.get(ask.family)?.unref();
      }
    }
  }

  /** Fails what is under way and closes the sockets. */
  close(): void {
    this.#isClosed = true;
    for (const { settle } of this.#pending) {
      settle(new TrackerError('TRACKER_FAILED', 'was not waited for'));
    }
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  #perform(pending: Pending, effects: readonly UdpEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'send':
          this.#send(pending, effect.datagram);
          break;
        case 'wake': {
          const { exchange } = pending;
          const delayMs = Math.ceil(effect.at - this.#options.now());
          clearTimeout(pending.timer);
          pending.timer = setTimeout(() => {
            this.#perform(pending, exchange.onTimer(this.#options.now()));
          }, delayMs);
          break;
        }
        case 'connected':
          this.#keep(keyOf(pending.ask), effect.connection);
          break;
        case 'late':
          pending.ask.onLate?.(effect.waitedMs);
          break;
        case 'answered':
          pending.settle(effect.reply);
          break;
        case 'unanswered': {
          const seconds = Math.round(effect.waitedMs / 1000);
          const reason = `did not answer within ${seconds} s`;
          pending.settle(new TrackerError('TRACKER_FAILED', reason));
          break;
        }
      }
    }
  }

  #send(pending: Pending, datagram: Uint8Array): void {
    const { port, address, family } = pending.ask;
    const fail = (error: Error): void => {
      pending.settle(
        new TrackerError('TRACKER_FAILED', explainFailure(error), {}, { cause: error }),
      );
    };
    try {
      const socket = this.#socket(family);
      socket.ref();
      socket.send(datagram, port, address, (error) => {
        if (error) fail(error);
      });
    } catch (error) {
      // `send` throws on what the socket cannot do at all, such as having been closed.
      fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #socket(family: Family): Socket {
    const open = this.#sockets.get(family);
    if (open) return open;
    const socket =
      family === 4 ? createSocket('udp4') : createSocket({ type: 'udp6', ipv6Only: true });
    this.#sockets.set(family, socket);
    const { bindHost } = this.#options.egress;
    // The address is literal: `send` binds an unbound socket only, and waits for this.
    if (bindHost !== null) socket.bind({ address: bindHost });
    socket.on('message', (message, remote) => this.#onMessage(message, remote));
    socket.on('error', (error) => {
      this.#sockets.delete(family);
      socket.close();
      const reason = explainFailure(error);
      for (const { ask, settle } of this.#pending) {
        if (ask.family === family) settle(new TrackerError('TRACKER_FAILED', reason));
      }
    });
    return socket;
  }

  #onMessage(message: Uint8Array, remote: RemoteInfo): void {
    for (const pending of this.#pending) {
      const { ask, exchange } = pending;
      if (ask.port !== remote.port || ask.address !== remote.address) continue;
      this.#perform(pending, exchange.onDatagram(message, this.#options.now()));
    }
  }

  #keep(key: string, connection: UdpConnection): void {
    this.#connections.delete(key);
    this.#connections.set(key, connection);
    const [oldest] = this.#connections.keys();
    if (this.#connections.size > CONNECTIONS_MAX && oldest !== undefined) {
      this.#connections.delete(oldest);
    }
  }
}

function keyOf({ address, port }: UdpAsk): string {
  return `${address} ${port}`;
}
