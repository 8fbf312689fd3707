/**
 * Who is served, and with what weight: those who pay by the market's shares, all others from the
 * free pool, which always gets a fifth. Without a payer, exactly the standard choking.
 */
import type { UploadCandidate, UploadGrant, UploadPolicy, UploadRound } from '../engine/index.ts';
import {
  FREE_SHARE,
  FreePool,
  type MarketBid,
  type MarketRound,
  saleSupply,
} from '../market/index.ts';
import { type BytesPerSecond, UNLIMITED } from '../units/index.ts';
import type { SellerDesk, SellingPeer } from './seller-desk.ts';

/** A payer is never weighed at nothing: it would wait for ever for its first block. */
const WEIGHT_MIN = 1e-6;

/** Makes the policy. `standard` decides alone while nobody pays. */
export function paidPolicy(desk: SellerDesk, standard: UploadPolicy): UploadPolicy {
  const pool = new FreePool();
  return {
    allot(round: UploadRound): readonly UploadGrant[] {
      const groups = groupByStanding(round.candidates, desk);
      const bids = groups.paying.flatMap(({ session }) => session.marketBid() ?? []);
      const capacity = round.isLimited ? (round.capacity as BytesPerSecond) : UNLIMITED;
      const market = desk.market.round({ now: round.now, capacity, reserve: desk.reserve, bids });
      if (market.isNewPrice) onNewPrice({ desk, market, bids, capacity });

      const held = groups.waiting.map(({ peerKey }) => ({ peerKey, weight: WEIGHT_MIN }));
      if (groups.paying.length === 0) {
        return [...standard.allot({ ...round, candidates: groups.free }), ...held];
      }
      const freeShares = pool.choose({
        now: round.now,
        rate: round.isLimited ? market.freeRate : (FREE_SHARE as BytesPerSecond),
        slots: round.slots,
        candidates: groups.free
          .filter((peer) => peer.isInterested)
          .map((peer) => ({ ...peer, key: peer.peerKey })),
        random: round.random,
      });
      return [
        ...paidGrants(market, round.isLimited),
        ...freeShares.map(({ key, rate }) => ({
          peerKey: key,
          weight: Math.max(rate, WEIGHT_MIN),
        })),
        ...held,
      ];
    },
  };
}

interface Groups {
  readonly paying: { readonly session: SellingPeer }[];
  /** Used up its grace and waits for a lane: its queue is kept, nothing is sent. */
  readonly waiting: UploadCandidate[];
  readonly free: UploadCandidate[];
}

function groupByStanding(candidates: readonly UploadCandidate[], desk: SellerDesk): Groups {
  const groups: Groups = { paying: [], waiting: [], free: [] };
  for (const peer of candidates) {
    const session = desk.sessions.get(peer.peerKey);
    switch (session?.standing ?? 'free') {
      case 'paying':
        if (session && peer.isInterested) groups.paying.push({ session });
        break;
      case 'waiting':
        if (peer.isUnchoked) groups.waiting.push(peer);
        break;
      case 'barred':
        session?.onBarred();
        break;
      case 'free':
        groups.free.push(peer);
    }
  }
  return groups;
}

/** Market shares as weights; without a limit, shares of the four fifths. */
function paidGrants(market: MarketRound, isLimited: boolean): readonly UploadGrant[] {
  const total = market.shares.reduce((sum, share) => sum + share.rate, 0);
  const scale = isLimited || total === 0 ? 1 : (1 - FREE_SHARE) / total;
  return market.shares.map((share) => ({
    peerKey: share.key,
    weight: Math.max(share.rate * scale, WEIGHT_MIN),
  }));
}

/** A new price stands: everybody who bids hears its own, and the ask learns from the round. */
function onNewPrice(news: {
  readonly desk: SellerDesk;
  readonly market: MarketRound;
  readonly bids: readonly MarketBid[];
  readonly capacity: BytesPerSecond;
}): void {
  const { desk, market, capacity } = news;
  const shares = new Map(market.shares.map((share) => [share.key, share]));
  let pricedOutCount = 0;
  for (const [key, session] of desk.sessions) {
    const share = shares.get(key);
    if (session.isPricedOut) pricedOutCount++;
    // A personal price of zero means that the cash stays away: it is told the full price.
    const price = share && share.price > 0n ? share.price : market.price;
    session.offer(price, share?.rate ?? 0);
  }
  const sold = market.shares.reduce((sum, share) => sum + share.rate, 0);
  const supply = saleSupply(capacity);
  const utilisation = supply === Infinity || supply === 0 ? 0 : sold / supply;
  desk.onRoundCleared({ pricedOutCount, buyingCount: news.bids.length, utilisation });
}
