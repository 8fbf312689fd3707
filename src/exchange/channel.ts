/** What buyer and seller sessions share of one connection: sending, refusing, telling. */
import type { PeerLink } from '../engine/index.ts';
import { hostAndPort, type Instant } from '../units/index.ts';
import {
  BW_PAY_CODE_BYTES_MAX,
  BW_PAY_TEXT_BYTES_MAX,
  type BwPayMessage,
  encodeBwPay,
  type HelloMessage,
} from '../wire/index.ts';
import type { ExchangeEvent, Happening, PeerRef } from './events.ts';
import { REFUSALS_MAX } from './limits.ts';
import type { PaymentContext } from './ports.ts';

/** One connection that speaks `bw_pay`. */
export class PayChannel {
  readonly link: PeerLink;
  readonly ref: PeerRef;
  readonly #onEvent: (event: ExchangeEvent) => void;
  #refusals = 0;
  /** The time of the latest call from the engine; callbacks of ports use it. */
  now: Instant;
  /** Ports may answer after the connection is gone. */
  isClosed = false;
  /** The remote's checked `hello`; null before. */
  hello: HelloMessage | null = null;

  constructor(link: PeerLink, now: Instant, onEvent: (event: ExchangeEvent) => void) {
    this.link = link;
    this.now = now;
    this.#onEvent = onEvent;
    const { peerKey, torrentKey, remoteHost, remotePort } = link;
    const remote = hostAndPort({ host: remoteHost, port: remotePort });
    this.ref = { peerKey, torrentKey, remote };
  }

  send(message: BwPayMessage): void {
    if (!this.isClosed) this.link.send(encodeBwPay(message));
  }

  tell(happening: Happening): void {
    this.#onEvent({ ...this.ref, ...happening });
  }

  /** Says no, with the reason. A peer that needs to hear it too often is cut off. */
  refuse(code: string, text: string): void {
    if (this.isClosed) return;
    this.tell({ type: 'refused', by: 'us', code, text });
    this.sendError(code, text);
    this.#refusals++;
    if (this.#refusals >= REFUSALS_MAX) this.close(`bw_pay: refused too often, last ${code}`);
  }

  /** An `error` that blames nobody. */
  sendError(code: string, text: string): void {
    this.send({
      type: 'error',
      code: printable(code, BW_PAY_CODE_BYTES_MAX).replaceAll(' ', '-'),
      text: printable(text, BW_PAY_TEXT_BYTES_MAX),
    });
  }

  /** The peer did something right that cost it money. */
  forgive(): void {
    this.#refusals = 0;
  }

  close(reason: string): void {
    if (!this.isClosed) this.link.close(reason);
  }

  context(paidBytes: number): PaymentContext {
    return { torrentKey: this.ref.torrentKey, remote: this.ref.remote, paidBytes };
  }
}

function printable(text: string, length: number): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, length);
}
