/** What several transfer threads show, as one. */
import type { ExchangeSnapshot } from '../../exchange/index.ts';
import { type Atto, type AttoPerMib, addAtto, ZERO_ATTO } from '../../units/index.ts';
import type { TransferSnapshot } from './messages.ts';

/** Torrents and peers of all threads, and the sums of their trade. */
export function joinSnapshots(snapshots: readonly TransferSnapshot[]): TransferSnapshot {
  const exchanges = snapshots.flatMap(({ exchange }) => (exchange ? [exchange] : []));
  return {
    torrents: snapshots.flatMap(({ torrents }) => torrents),
    exchange: exchanges.length === 0 ? null : joinExchanges(exchanges),
  };
}

function joinExchanges(exchanges: readonly ExchangeSnapshot[]): ExchangeSnapshot {
  return {
    seller: joinSellers(exchanges.flatMap(({ seller }) => (seller ? [seller] : []))),
    buyer: joinBuyers(exchanges.flatMap(({ buyer }) => (buyer ? [buyer] : []))),
    peers: exchanges.flatMap(({ peers }) => peers),
  };
}

/** Each thread clears its own market: the lowest reserve and the highest price are shown. */
function joinSellers(
  sellers: readonly NonNullable<ExchangeSnapshot['seller']>[],
): ExchangeSnapshot['seller'] {
  const [first] = sellers;
  if (!first) return null;
  const reserves = sellers.map(({ reserve }) => reserve).toSorted(ascending);
  const prices = sellers.map(({ price }) => price).toSorted(ascending);
  return {
    reserve: reserves[0] ?? first.reserve,
    price: prices.at(-1) ?? first.price,
    earned: sum(sellers.map(({ earned }) => earned)),
    soldBytes: total(sellers.map(({ soldBytes }) => soldBytes)),
    graceOutstandingBytes: total(sellers.map((seller) => seller.graceOutstandingBytes)),
  };
}

function joinBuyers(
  buyers: readonly NonNullable<ExchangeSnapshot['buyer']>[],
): ExchangeSnapshot['buyer'] {
  const [first] = buyers;
  if (!first) return null;
  return {
    maxPrice: first.maxPrice,
    budget: sum(buyers.map(({ budget }) => budget)),
    spent: sum(buyers.map(({ spent }) => spent)),
    committed: sum(buyers.map(({ committed }) => committed)),
    boughtBytes: total(buyers.map(({ boughtBytes }) => boughtBytes)),
    voucherCount: total(buyers.map(({ voucherCount }) => voucherCount)),
  };
}

function ascending(a: AttoPerMib, b: AttoPerMib): number {
  return a < b ? -1 : 1;
}

function sum(amounts: readonly Atto[]): Atto {
  return amounts.reduce(addAtto, ZERO_ATTO);
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
