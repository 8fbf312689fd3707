/** Adds up what happened, from the players' own words and from the chain's receipts. */
import type { Fact } from './actor.ts';
import type { Settlement } from './stage.ts';

/** What `--json` ends with. Amounts are decimal strings of atto. */
export interface Tally {
  readonly ok: boolean;
  readonly bytes: number;
  readonly sha256: string;
  /** Every copy equals the source. */
  readonly sha256Ok: boolean;
  readonly buyer: { readonly seconds: number };
  readonly free: readonly { readonly seconds: number }[];
  /** Mean time of the free downloaders over the buyer's. */
  readonly speedup: number;
  readonly paidAtto: string;
  readonly earnedAtto: string;
  readonly claimedAtto: string;
  readonly refundedAtto: string;
  readonly depositAtto: string;
  readonly gasUsed: number;
  readonly vouchers: number;
  /** Deposit = claimed + refunded, paid = earned = claimed, to the last atto. */
  readonly conserved: boolean;
  readonly seconds: number;
}

/** A movement as `wallet history` lists it. */
interface Movement {
  readonly kind: string;
  readonly amount: string;
  readonly transactionHash: string;
}

/** The sum of a wallet's movements of one kind. */
function sumOf(history: Fact, kind: string): bigint {
  return movementsOf(history)
    .filter((movement) => movement.kind === kind)
    .reduce((sum, { amount }) => sum + BigInt(amount), 0n);
}

/** Money at the end, each sum from one independent record. */
export interface Sums {
  /** Moved into the contract by the buyer, as its history says. */
  readonly deposit: bigint;
  /** Vouchers that the buyer signed. */
  readonly paid: bigint;
  /** Vouchers that the seller holds. */
  readonly earned: bigint;
  /** What the contract credited to the seller. */
  readonly claimed: bigint;
  /** What of the deposit is the buyer's again: closed allotments, and what was never locked. */
  readonly refunded: bigint;
}

/** Reads the sums. */
export function readSums(settlement: Settlement, buyer: Fact): Sums {
  const deposit = sumOf(settlement.buyer, 'deposit');
  const locked = sumOf(settlement.buyer, 'open');
  return {
    deposit,
    paid: BigInt(`${buyer['paidAtto']}`),
    earned: BigInt(`${settlement.earnings['earnedAtto']}`),
    claimed: sumOf(settlement.seller, 'claim'),
    refunded: deposit - locked + sumOf(settlement.buyer, 'refund'),
  };
}

/** Whether nothing was made and nothing lost. */
export function isConserved({ deposit, paid, earned, claimed, refunded }: Sums): boolean {
  return deposit === claimed + refunded && earned === claimed && paid === earned;
}

/** Gas of every transaction of both wallets, asked of the chain itself. */
export async function gasOf(settlement: Settlement, rpcUrl: string): Promise<number> {
  const hashes = [settlement.buyer, settlement.seller].flatMap((history) =>
    movementsOf(history).map((movement) => movement.transactionHash),
  );
  let gas = 0;
  for (const hash of new Set(hashes)) gas += await gasUsed(rpcUrl, hash);
  return gas;
}

async function gasUsed(rpcUrl: string, hash: string): Promise<number> {
  const body = { jsonrpc: '2.0', id: 1, method: 'eth_getTransactionReceipt', params: [hash] };
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(rpcUrl, { method: 'POST', headers, body: JSON.stringify(body) });
  const { result } = (await answer.json()) as { readonly result: { readonly gasUsed: string } };
  return Number(result.gasUsed);
}

function movementsOf(history: Fact): readonly Movement[] {
  return history['movements'] as readonly Movement[];
}
