/**
 * How a seller's upload is priced and shared, round by round. Run: node examples/market.ts
 */
import { CLEARING_INTERVAL_MS, type MarketBid, SellerMarket } from '../src/market/index.ts';
import {
  type AttoPerMib,
  attoPerSecond,
  bytesPerSecond,
  formatBtt,
  formatSize,
  instant,
  MIB,
  parseBtt,
  parseBttPerGib,
  parseRate,
  perGib,
} from '../src/units/index.ts';

const NAMES = ['rich', 'modest', 'trader'];

/** A bidder that would spend so much a second, and takes all it gets. */
function bid(key: number, bttPerSecond: string, maxBttPerGib: string, barterMib = 0): MarketBid {
  return {
    key,
    budget: attoPerSecond(parseBtt(bttPerSecond)),
    maxPrice: parseBttPerGib(maxBttPerGib),
    maxRate: bytesPerSecond(Infinity),
    barterRate: bytesPerSecond(barterMib * MIB),
  };
}

/** To four digits: whole attos of a MiB make long fractions of a GiB. */
const price = (value: AttoPerMib): string => `${formatBtt(perGib(value)).slice(0, 5)} BTT/GiB`;
const market = new SellerMarket();
const reserve = parseBttPerGib('4');
const capacity = parseRate('10M');

// A lone bidder pays what the seller asks, however much it bids. Two who want more than there is
// raise the price, by a quarter a round at most. Above its limit a bidder's cash stays away. Bytes
// that it sends to the seller count as payment at the last price.
const rounds: readonly (readonly MarketBid[])[] = [
  [bid(0, '0.09', '100')],
  [bid(0, '0.09', '100'), bid(1, '0.03', '100')],
  [bid(0, '0.09', '100'), bid(1, '0.03', '100')],
  [bid(0, '0.09', '100'), bid(1, '0.03', '5')],
  [bid(0, '0.09', '100'), bid(2, '0.03', '100', 2)],
];
for (const [nth, bids] of rounds.entries()) {
  const now = instant(nth * CLEARING_INTERVAL_MS);
  const round = market.round({ now, capacity, reserve, bids });
  console.log(`round ${nth + 1}: ${price(round.price)}, free ${formatSize(round.freeRate)}/s`);
  for (const share of round.shares) {
    const name = NAMES[share.key] ?? '';
    console.log(`  ${name.padEnd(7)} ${formatSize(share.rate)}/s at ${price(share.price)}`);
  }
}
