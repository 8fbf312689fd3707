/** Swarms in which some pay for upload, and some default. */
import { bytesPerSecond } from '../../units/index.ts';
import { addTrader, type Trader } from '../money/index.ts';
import type { Swarm } from '../swarm.ts';
import type { SwarmNode } from '../swarm-node.ts';
import { HOME, MINUTE_MS, makeSwarm, type ScenarioTerms } from './stage.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
/** Atto per MiB: the least a seller takes, the most a payer gives. */
const ASK = 1_000n;
const MAX_PRICE = 5_000n;

/** Little of their own to give: what they get is what the seller gives. */
const TAKER = { has: 'none', engine: { uploadLimit: bytesPerSecond(5_000) } } as const;

/** As many who pay as who do not, at one seller of limited upload: payers first, none starved. */
export function paidUpload({ seed, peers }: ScenarioTerms): Swarm {
  const swarm = makeMarket(seed);
  // All but a piece: two seeds would part before the last voucher is through.
  const seller = addTrader(swarm, { has: (piece) => piece > 0, ...SELLER });
  const payers = Array.from({ length: peers }, () =>
    addTrader(swarm, { ...TAKER, maxPrice: MAX_PRICE }),
  );
  const free = swarm.addMany(peers, TAKER);
  swarm.introduce();
  const paid = payers.map(({ node }) => node);
  const isServed = (node: SwarmNode): boolean => node.have.count >= swarm.pieceCount - 1;
  swarm.clock.run(10 * MINUTE_MS, () => paid.every(isServed));
  const shares = free.map((node) => node.receivedBytes / swarm.memory.content.totalBytes);
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  if (mean > 0.6) swarm.faults.push(`payers had all, the others ${mean.toFixed(2)} already`);
  if (Math.min(...shares) < 0.03) swarm.faults.push(`of those who did not pay, some got ${shares}`);
  swarm.clock.run(5_000, () => payers.every(({ exchange }) => exchange.settle()));
  swarm.clock.run(1_000);
  balance(swarm, [seller], payers);
  swarm.add({ has: 'all' });
  swarm.introduce();
  swarm.runUntilComplete([seller.node, ...paid, ...free], 10 * MINUTE_MS);
  return swarm;
}

/** A seller that stops delivering, a buyer that stops paying: nobody loses more than a window. */
export function defaulters({ seed, peers }: ScenarioTerms): Swarm {
  const swarm = makeMarket(seed);
  const sellers = [0, 1].map(() => addTrader(swarm, { has: 'all', ...SELLER }));
  const payers = Array.from({ length: peers }, () =>
    addTrader(swarm, { ...TAKER, maxPrice: MAX_PRICE }),
  );
  swarm.introduce();
  swarm.repeat(50, 10 * MINUTE_MS, () => watchLosses(swarm, sellers));
  swarm.clock.run(6_000);
  const [fraud] = sellers;
  const [broke] = payers;
  if (fraud) fraud.node.store.isStuck = true;
  if (broke) broke.purse.refusal = { code: 'sign-none', text: 'it has no more' };
  swarm.runUntilComplete(
    payers.map(({ node }) => node),
    10 * MINUTE_MS,
  );
  balance(swarm, sellers, payers, 'lossy');
  return swarm;
}

const SELLER = { ask: ASK, engine: { uploadLimit: bytesPerSecond(400_000) } } as const;

function makeMarket(seed: number): Swarm {
  return makeSwarm({ seed, path: HOME, pieceLengthBytes: 64 * KIB, totalBytes: 4 * MIB });
}

/**
 * What sellers earned is what payers signed, but for vouchers on their way to who had left; and
 * nobody paid for what did not come.
 */
function balance(
  swarm: Swarm,
  sellers: readonly Trader[],
  payers: readonly Trader[],
  vouchers: 'all' | 'lossy' = 'all',
): void {
  const earned = sellers.reduce((sum, { book }) => sum + book.earned, 0n);
  const signed = payers.reduce((sum, { purse }) => sum + purse.signed, 0n);
  const isRight = vouchers === 'all' ? earned === signed : earned <= signed;
  if (!isRight) swarm.faults.push(`${signed} atto were signed, ${earned} earned`);
  if (earned === 0n) swarm.faults.push('nothing was sold');
  for (const { node, purse } of payers) {
    // Each lane may round up by one.
    const most = (BigInt(node.receivedBytes) * MAX_PRICE) / BigInt(MIB) + BigInt(purse.laneCount);
    if (purse.signed > most) swarm.faults.push(`${node.host} paid ${purse.signed} of ${most}`);
  }
}

/** What a seller has delivered and not been paid for stays within the window it names. */
function watchLosses(swarm: Swarm, sellers: readonly Trader[]): void {
  for (const { node, exchange } of sellers) {
    for (const { selling } of exchange.snapshot().peers) {
      if (selling && selling.standing === 'paying' && selling.unpaidBytes > selling.windowBytes) {
        swarm.faults.push(`${node.host} risks ${selling.unpaidBytes} bytes`);
      }
    }
  }
}
