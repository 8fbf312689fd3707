/** A client of a swarm that buys upload, or sells it. */
import { createExchange, type Exchange } from '../../exchange/index.ts';
import { atto, attoPerMib } from '../../units/index.ts';
import type { Swarm } from '../swarm.ts';
import type { NodeOptions, SwarmNode } from '../swarm-node.ts';
import { account, identityOf, MemoryBook, MemoryPurse, signerOf } from './memory-money.ts';

/** How it trades: prices in atto per MiB, amounts in atto. */
export interface TraderOptions extends NodeOptions {
  /** Its lowest price; it does not sell when absent. */
  readonly ask?: bigint;
  /** The highest price it pays; it does not buy when absent. */
  readonly maxPrice?: bigint;
  readonly budget?: bigint;
}

/** A client, its exchange and its money. */
export interface Trader {
  readonly node: SwarmNode;
  readonly exchange: Exchange;
  readonly purse: MemoryPurse;
  readonly book: MemoryBook;
}

/** What a newcomer gets before it has paid. Small, so that it does not hide what is bought. */
const GRACE_BYTES = 64 * 1024;

/** Adds a client that trades from now on. */
export function addTrader(swarm: Swarm, options: TraderOptions): Trader {
  const { ask, maxPrice, budget = 10n ** 9n, ...rest } = options;
  const own = account(1_000 + swarm.nodes.length);
  const later = (delayMs: number, job: () => void): void => swarm.clock.after(delayMs, job);
  const purse = new MemoryPurse(later, own);
  const book = new MemoryBook(later);
  const exchange = createExchange(
    {
      identity: identityOf(own),
      purse: maxPrice === undefined ? null : purse,
      book: ask === undefined ? null : book,
      recover: (_, signature) => signerOf(signature),
      onEvent: () => {},
    },
    {
      seller:
        ask === undefined
          ? null
          : { ask: { kind: 'fixed', price: attoPerMib(ask) }, graceBytes: GRACE_BYTES },
      buyer:
        maxPrice === undefined ? null : { maxPrice: attoPerMib(maxPrice), budget: atto(budget) },
    },
  );
  const deps = { extensions: [exchange.extension], uploadPolicy: exchange.policy };
  return { node: swarm.add({ ...rest, deps }), exchange, purse, book };
}
