/** One connection's `bw_pay`: the hellos, the limits on messages, and who gets which message. */
import type { PeerExtensionSession, PeerLink } from '../engine/index.ts';
import { networkPrefix } from '../market/index.ts';
import type { EscrowDigests } from '../payment/index.ts';
import { type Address, attoPerMib, bytes, type Instant, instant } from '../units/index.ts';
import {
  BW_PAY_PRICE_MAX,
  BW_PAY_VERSION,
  type BwPayMessage,
  decodeBwPay,
  type HelloMessage,
} from '../wire/index.ts';
import type { BuyerDesk } from './buyer-desk.ts';
import { BuyerSession } from './buyer-session.ts';
import { PayChannel } from './channel.ts';
import type { ExchangeEvent } from './events.ts';
import { MESSAGES_BURST, MESSAGES_PER_SECOND } from './limits.ts';
import type { SessionIdentity } from './ports.ts';
import { RateGate } from './rate-gate.ts';
import type { SellerDesk } from './seller-desk.ts';
import { SellerSession } from './seller-session.ts';

/** What every connection's session is made from. */
export interface SessionWorld {
  readonly identity: SessionIdentity;
  readonly digests: EscrowDigests;
  /** Who signed a digest; null when nobody can have. */
  recover(digest: Uint8Array, signature: Uint8Array): Address | null;
  readonly seller: SellerDesk | null;
  readonly buyer: BuyerDesk | null;
  onEvent(event: ExchangeEvent): void;
  onClosed(session: PaySession): void;
}

/** Length of the identifiers in a handshake (BEP 3). */
const ID_BYTES = 20;

/** The extension's session with one peer. */
export class PaySession implements PeerExtensionSession {
  readonly channel: PayChannel;
  readonly buying: BuyerSession | null;
  readonly selling: SellerSession | null;
  readonly #world: SessionWorld;
  readonly #gate = new RateGate(MESSAGES_PER_SECOND, MESSAGES_BURST);
  #hasGreeted = false;
  #barterMark = { verified: 0, bought: 0, at: instant(0), rate: 0 };

  constructor(link: PeerLink, world: SessionWorld) {
    this.#world = world;
    this.channel = new PayChannel(link, instant(0), (event) => world.onEvent(event));
    this.buying = world.buyer ? new BuyerSession(this.channel, world.buyer) : null;
    this.selling = world.seller
      ? new SellerSession(this.channel, world.seller, () => this.#unpaidRateReceived())
      : null;
  }

  onSupported(now: Instant): void {
    this.channel.now = now;
    if (this.#hasGreeted) return;
    this.#hasGreeted = true;
    const { identity, seller } = this.#world;
    const { link } = this.channel;
    const { infoHash, localPeerId, remotePeerId } = link;
    const digest = this.#world.digests.bind({
      infoHash: infoHash.subarray(0, ID_BYTES),
      signerPeerId: localPeerId,
      remotePeerId,
      payee: identity.payee,
    });
    this.channel.send({
      type: 'hello',
      version: BW_PAY_VERSION,
      chainId: identity.chainId,
      escrow: identity.escrow,
      payee: identity.payee,
      // The highest price there is says that nothing is for sale.
      reserve: seller?.reserve ?? attoPerMib(BW_PAY_PRICE_MAX),
      grace: bytes(seller?.grace.left(networkPrefix(link.remoteHost), now) ?? 0),
      signature: identity.bind(digest),
    });
  }

  /** @throws WireError WIRE_BW_PAY when the bytes are no message: the engine closes. */
  onMessage(payload: Uint8Array, now: Instant): void {
    const { channel } = this;
    channel.now = now;
    if (channel.isClosed) return;
    if (!this.#gate.pass(now)) {
      channel.refuse('flood', 'too many messages a second');
      return;
    }
    const message = decodeBwPay(payload);
    if (!message) return;
    if (message.type === 'hello') {
      this.#onHello(message);
      return;
    }
    if (!channel.hello) {
      // An `error` may cross our hello; anything else out of turn is a mistake.
      if (message.type !== 'error') channel.refuse('hello-first', 'the first message is hello');
      return;
    }
    this.#dispatch(message);
  }

  creditBytes(tag: number): number {
    return tag === 0 ? Infinity : (this.selling?.creditBytes(tag) ?? 0);
  }

  onBlockSent(tag: number, byteCount: number): void {
    this.selling?.onBlockSent(tag, byteCount);
  }

  onBlockReceived(tag: number, byteCount: number, now: Instant): void {
    this.channel.now = now;
    this.buying?.onBlockReceived(tag, byteCount, now);
  }

  onVerified(byteCount: number): void {
    this.buying?.onVerified(byteCount);
  }

  onPieceFailed(): void {
    this.buying?.onPieceFailed();
  }

  /**
   * Money for what was delivered is still on its way: a connection that is no longer needed should
   * stay a moment. Ends by itself after `SETTLING_MS` at the latest.
   */
  get isSettling(): boolean {
    if (this.channel.isClosed) return false;
    return (this.buying?.isSettling ?? false) || (this.selling?.isSettling ?? false);
  }

  onTick(now: Instant): void {
    this.channel.now = now;
    this.buying?.onTick(now);
    this.selling?.onTick(now);
  }

  onClosed(now: Instant): void {
    if (this.channel.isClosed) return;
    this.channel.now = now;
    this.channel.isClosed = true;
    this.buying?.onClosed();
    this.selling?.onClosed(now);
    this.#world.onClosed(this);
  }

  #onHello(hello: HelloMessage): void {
    const { channel } = this;
    const { identity } = this.#world;
    if (channel.hello) {
      channel.refuse('hello-again', 'one hello is enough');
      return;
    }
    if (hello.chainId !== identity.chainId || hello.escrow !== identity.escrow) {
      channel.refuse('other-chain', `I settle on chain ${identity.chainId}`);
      return;
    }
    const { infoHash, localPeerId, remotePeerId } = channel.link;
    const digest = this.#world.digests.bind({
      infoHash: infoHash.subarray(0, ID_BYTES),
      signerPeerId: remotePeerId,
      remotePeerId: localPeerId,
      payee: hello.payee,
    });
    if (this.#world.recover(digest, hello.signature) !== hello.payee) {
      channel.refuse('hello-signature', 'the signature is not of the payee for this link');
      return;
    }
    channel.hello = hello;
    this.buying?.onHello(hello);
  }

  #dispatch(message: Exclude<BwPayMessage, HelloMessage>): void {
    switch (message.type) {
      case 'quote':
        this.buying?.onQuote(message);
        break;
      case 'ack':
        this.buying?.onAck(message);
        break;
      case 'error':
        this.buying?.onError(message);
        break;
      case 'bid':
      case 'accept':
      case 'lane':
      case 'voucher':
        if (this.selling) this.#sell(this.selling, message);
        else this.channel.refuse('not-selling', 'nothing is for sale here');
    }
  }

  #sell(
    selling: SellerSession,
    message: Extract<BwPayMessage, { type: 'bid' | 'accept' | 'lane' | 'voucher' }>,
  ): void {
    switch (message.type) {
      case 'bid':
        selling.onBid(message);
        break;
      case 'accept':
        selling.onAccept(message.sequence);
        break;
      case 'lane':
        selling.onLane(message);
        break;
      case 'voucher':
        selling.onVoucher(message);
    }
  }

  /** Verified bytes a second from this peer that we did not pay for, over the last interval. */
  #unpaidRateReceived(): number {
    const { now, link } = this.channel;
    const mark = this.#barterMark;
    const elapsed = now - mark.at;
    if (elapsed < 1000) return mark.rate;
    const verified = link.counters.verifiedBytes;
    const bought = this.buying?.boughtBytes ?? 0;
    const free = verified - mark.verified - (bought - mark.bought);
    const rate = Math.max(0, (free * 1000) / elapsed);
    this.#barterMark = { verified, bought, at: now, rate };
    return rate;
  }
}
