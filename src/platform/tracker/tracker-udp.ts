/** UDP to trackers: one socket per family, or a proxy's relay; many exchanges over it. */
import { createSocket, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import {
  type UdpConnection,
  type UdpEffect,
  UdpExchange,
  type UdpQuestion,
} from '../../discovery/index.ts';
import type { Instant, Random } from '../../units/index.ts';
import type { Endpoint, Family, UdpReply } from '../../wire/index.ts';
import type { DatagramRelay, Egress } from '../egress/index.ts';
import { explainFailure, TrackerError } from './tracker-error.ts';

/** One question to one address. */
export interface UdpAsk {
  /** Literal, checked by `resolveTracker`; or a name, which a proxy looks up. */
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
  /** Where datagrams go: of a name's addresses the one that answered first. */
  to: string;
  timer: NodeJS.Timeout | undefined;
}

/** A connection id, and whose it is. */
interface Kept {
  readonly connection: UdpConnection;
  readonly to: string;
}

/** Questions under way at once, over all torrents. */
const PENDING_MAX = 1000;

/** Addresses whose connection id is kept for its minute. */
const CONNECTIONS_MAX = 500;

/** UDP to trackers, for all torrents of a process. `close` it at the end. */
export class TrackerUdp {
  readonly #options: TrackerUdpOptions;
  readonly #sockets = new Map<Family, Socket>();
  readonly #connections = new Map<string, Kept>();
  readonly #pending = new Set<Pending>();
  /** Opened with the first question through a proxy. */
  #relay: DatagramRelay | null = null;
  #isClosed = false;

  constructor(options: TrackerUdpOptions) {
    this.#options = options;
  }

  /** Asks and waits for the answer. Throws `TrackerError` with the reason in words. */
  async ask(ask: UdpAsk): Promise<UdpReply> {
    ask.signal.throwIfAborted();
    const { carriesUdp, refusal } = this.#options.egress;
    if (refusal !== null) throw new TrackerError('TRACKER_FAILED', `is not asked: ${refusal}`);
    if (!carriesUdp || this.#relay?.isRefused) throw notCarried();
    if (this.#isClosed || this.#pending.size >= PENDING_MAX) {
      throw new TrackerError('TRACKER_FAILED', 'is not asked: too many questions are under way');
    }
    const { promise, resolve, reject } = Promise.withResolvers<UdpReply>();
    const kept = this.#connections.get(keyOf(ask));
    const exchange = new UdpExchange({
      question: ask.question,
      connection: kept?.connection ?? null,
      retransmissionsMax: this.#options.retransmissionsMax,
      random: this.#options.random,
    });
    const settle = (outcome: UdpReply | Error): void => {
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    };
    const to = kept?.to ?? ask.address;
    const pending: Pending = { ask, exchange, settle, to, timer: undefined };
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
    this.#relay?.close();
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
          this.#keep(keyOf(pending.ask), { connection: effect.connection, to: pending.to });
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
    const { port, family } = pending.ask;
    if (this.#options.egress.hasProxy) {
      this.#relayOf().send(datagram, pending.to, port);
      return;
    }
    const fail = (error: Error): void => {
      pending.settle(
        new TrackerError('TRACKER_FAILED', explainFailure(error), {}, { cause: error }),
      );
    };
    try {
      const socket = this.#socket(family);
      socket.ref();
      socket.send(datagram, port, pending.to, (error) => {
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
    socket.on('message', (message, { address: host, port }) => {
      this.#onMessage(message, { host, port });
    });
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

  #relayOf(): DatagramRelay {
    this.#relay ??= this.#options.egress.relay({
      onDatagram: (message, host, port) => this.#onMessage(message, { host, port }),
      onRefused: () => {
        for (const { settle } of this.#pending) settle(notCarried());
      },
    });
    return this.#relay;
  }

  #onMessage(message: Uint8Array, from: Endpoint): void {
    for (const pending of this.#pending) {
      const { ask, exchange, to } = pending;
      if (ask.port !== from.port || (to !== from.host && isIP(to) !== 0)) continue;
      const family: Family = from.host.includes(':') ? 6 : 4;
      const effects = exchange.onDatagram(message, family, this.#options.now());
      // The number of the question proves that it is the tracker.
      if (effects.length > 0) pending.to = from.host;
      this.#perform(pending, effects);
    }
  }

  #keep(key: string, kept: Kept): void {
    this.#connections.delete(key);
    this.#connections.set(key, kept);
    const [oldest] = this.#connections.keys();
    if (this.#connections.size > CONNECTIONS_MAX && oldest !== undefined) {
      this.#connections.delete(oldest);
    }
  }
}

/** What a question fails with that would need another way than the user's. */
export function notCarried(): TrackerError {
  return new TrackerError('TRACKER_FAILED', 'is not asked: UDP does not go through the proxy');
}

function keyOf({ address, port }: UdpAsk): string {
  return `${address} ${port}`;
}
