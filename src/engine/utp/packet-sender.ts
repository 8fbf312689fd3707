/** What one uTP connection says of itself in the header of every packet, and when it spoke last. */
import {
  encodeUtp,
  putUtpHeader,
  type UtpHeader,
  type UtpPacket,
  type UtpType,
} from '../../wire/index.ts';
import type { ReceiveWindow } from './receive-window.ts';
import type { SentPacket } from './send-window.ts';
import type { UtpIdentity, UtpLink } from './utp-link.ts';

/** Sends the packets of one connection. */
export class PacketSender {
  readonly #link: UtpLink;
  readonly #identity: UtpIdentity;
  /** How late the other end's last packet came, by the difference of both clocks. */
  #replyDelay = 0;
  /** When anything was sent last. */
  spokeAtUs: number;

  constructor(link: UtpLink, identity: UtpIdentity) {
    this.#link = link;
    this.#identity = identity;
    this.spokeAtUs = link.nowUs();
  }

  /** A packet came. */
  onPacket(packet: UtpPacket): void {
    this.#replyDelay = (this.#link.nowUs() - packet.timestamp) >>> 0;
  }

  /** Sends a packet of the stream, whose header is written now. */
  send({ type, sequence, bytes }: SentPacket, received: ReceiveWindow): void {
    putUtpHeader(bytes, this.#header(type, sequence, received));
    this.#link.send(bytes);
  }

  /** Says what has come, and nothing else; or breaks the connection. */
  sendState(type: 'state' | 'reset', sequence: number, received: ReceiveWindow): void {
    const mask = type === 'state' ? received.selectiveAck() : null;
    this.#link.send(encodeUtp(this.#header(type, sequence, received), mask));
  }

  #header(type: UtpType, sequence: number, received: ReceiveWindow): UtpHeader {
    const nowUs = this.#link.nowUs();
    this.spokeAtUs = nowUs;
    const { receiveId, sendId } = this.#identity;
    return {
      type,
      connectionId: type === 'syn' ? receiveId : sendId,
      timestamp: nowUs >>> 0,
      delay: this.#replyDelay,
      windowBytes: received.windowBytes,
      sequence,
      acknowledged: type === 'syn' ? 0 : received.acknowledged,
    };
  }
}
