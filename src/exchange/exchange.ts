/**
 * Puts the exchange together: the extension for the engine, its upload policy, and a status view.
 */
import type { PeerExtension, UploadPolicy } from '../engine/index.ts';
import { standardChoking } from '../engine/index.ts';
import { EscrowDigests } from '../payment/index.ts';
import type { Address, Atto, AttoPerMib } from '../units/index.ts';
import { BW_PAY_NAME } from '../wire/index.ts';
import { BuyerDesk, type BuyerOptions, type RemainingBytes } from './buyer-desk.ts';
import type { ExchangeEvent, PeerRef } from './events.ts';
import { paidPolicy } from './paid-policy.ts';
import { PaySession, type SessionWorld } from './peer-session.ts';
import type { BuyerPurse, SellerBook, SessionIdentity } from './ports.ts';
import { SellerDesk, type SellerOptions } from './seller-desk.ts';
import type { BuyingSnapshot, SellingSnapshot } from './session-snapshot.ts';

/** What the exchange works with. */
export interface ExchangeDependencies {
  readonly identity: SessionIdentity;
  /** Null: this node does not buy. */
  readonly purse: BuyerPurse | null;
  /** Null: this node does not sell. */
  readonly book: SellerBook | null;
  /** Recovers the signer of a digest: `nobleSecp256k1.recover` or a faster one. */
  recover(digest: Uint8Array, signature: Uint8Array): Address | null;
  /** Still missing of a torrent; lets lanes be as large as needed and no larger. */
  readonly remainingBytes?: RemainingBytes;
  /** For the history and the screen. Must be quick. */
  onEvent(event: ExchangeEvent): void;
}

/** How the exchange trades. A side is active when it has both its port and its options. */
export interface ExchangeOptions {
  readonly seller: SellerOptions | null;
  readonly buyer: BuyerOptions | null;
}

/** One connection in the status view. */
export interface PeerSnapshot extends PeerRef {
  /** The peer's payee address; null before its hello. */
  readonly payee: Address | null;
  readonly buying: BuyingSnapshot | null;
  readonly selling: SellingSnapshot | null;
}

/** The exchange as the status page shows it: plain values. */
export interface ExchangeSnapshot {
  readonly seller: {
    /** The lowest price now, and what newcomers are quoted. */
    readonly reserve: AttoPerMib;
    readonly price: AttoPerMib;
    readonly earned: Atto;
    readonly soldBytes: number;
    readonly graceOutstandingBytes: number;
  } | null;
  readonly buyer: {
    readonly maxPrice: AttoPerMib;
    readonly budget: Atto;
    readonly spent: Atto;
    /** Reserved in lanes and not spent. */
    readonly committed: Atto;
    readonly boughtBytes: number;
    readonly voucherCount: number;
  } | null;
  readonly peers: readonly PeerSnapshot[];
}

/** The market of one node. */
export interface Exchange {
  readonly extension: PeerExtension;
  /** The node's upload policy; without a selling side, the standard one. */
  readonly policy: UploadPolicy;
  snapshot(): ExchangeSnapshot;
  /**
   * Signs everything that is owed. True when nothing is owed, being signed, or unacknowledged: call
   * it now and then before stopping, for as long as you care to wait.
   */
  settle(): boolean;
  /** Changes terms while running; a side that was not created stays off. */
  configure(options: Partial<ExchangeOptions>): void;
}

/** Creates the exchange. Everything it does happens inside calls of the engine and of the ports. */
export function createExchange(
  dependencies: ExchangeDependencies,
  options: ExchangeOptions,
): Exchange {
  const { identity, purse, book } = dependencies;
  const remaining: RemainingBytes = dependencies.remainingBytes ?? (() => null);
  const seller = book && options.seller ? new SellerDesk(book, options.seller) : null;
  const buyer = purse && options.buyer ? new BuyerDesk(purse, options.buyer, remaining) : null;
  const sessions = new Set<PaySession>();
  const world: SessionWorld = {
    identity,
    digests: new EscrowDigests({ chainId: identity.chainId, escrow: identity.escrow }),
    recover: (digest, signature) => dependencies.recover(digest, signature),
    seller,
    buyer,
    onEvent: (event) => dependencies.onEvent(event),
    onClosed: (session) => sessions.delete(session),
  };
  const standard = standardChoking();
  return {
    extension: {
      name: BW_PAY_NAME,
      attach(link) {
        const session = new PaySession(link, world);
        sessions.add(session);
        return session;
      },
    },
    policy: seller ? paidPolicy(seller, standard) : standard,
    snapshot: () => ({
      seller: seller && sellerView(seller),
      buyer: buyer && buyerView(buyer),
      peers: [...sessions].map(peerView),
    }),
    settle: () => [...sessions].every((session) => session.buying?.settle() ?? true),
    configure(changed) {
      if (changed.seller) seller?.setAsk(changed.seller.ask);
      if (changed.buyer) buyer?.setOptions(changed.buyer);
    },
  };
}

function sellerView(desk: SellerDesk): NonNullable<ExchangeSnapshot['seller']> {
  return {
    reserve: desk.reserve,
    price: desk.price,
    earned: desk.earned,
    soldBytes: desk.soldBytes,
    graceOutstandingBytes: desk.grace.outstandingBytes,
  };
}

function buyerView(desk: BuyerDesk): NonNullable<ExchangeSnapshot['buyer']> {
  const { maxPrice, budget } = desk.options;
  const { spent, committed, boughtBytes, voucherCount } = desk;
  return { maxPrice, budget, spent, committed, boughtBytes, voucherCount };
}

function peerView(session: PaySession): PeerSnapshot {
  return {
    ...session.channel.ref,
    payee: session.channel.hello?.payee ?? null,
    buying: session.buying?.snapshot ?? null,
    selling: session.selling?.snapshot ?? null,
  };
}
