/**
 * A buyer and a seller with ledgers on one local chain: deposit, lane, voucher, claim, refund.
 * Run: node examples/money.ts
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MoneyService, openMoney } from '../src/daemon/money/index.ts';
import type { LaneGrant, SignOutcome } from '../src/exchange/index.ts';
import { openLocalKey } from '../src/platform/keystore/index.ts';
import { formatBtt, parseBtt } from '../src/units/index.ts';

const folder = await mkdtemp(join(tmpdir(), 'bidwidth-example-'));

/** A wallet with its ledger. Both are on the chain that the first of them starts. */
async function open(name: string): Promise<MoneyService> {
  const dataFolder = join(folder, name);
  const keys = await openLocalKey(join(dataFolder, 'key.json'));
  const localChainFolder = join(folder, 'chain');
  return openMoney({ dataFolder, network: { name: 'local' }, keys, localChainFolder });
}

/** Purse and book answer by callback, as the transfer loop wants it. */
function answer<T>(ask: (done: (answer: T) => void) => void): Promise<T> {
  return new Promise(ask);
}

const [buyer, seller] = [await open('buyer'), await open('seller')];
try {
  await buyer.faucet(parseBtt('100'));
  await seller.faucet(parseBtt('1'));
  await buyer.deposit(parseBtt('50'));

  // Reserved for this seller, and answered when the chain holds it deep enough.
  const grant = await answer<LaneGrant>((done) =>
    buyer.purse.requestLane(seller.account, parseBtt('8'), done),
  );
  if (!grant.ok) throw new Error(grant.refusal.text);
  const { allotment, lane } = grant.offer;
  console.log(`reserved ${formatBtt(lane.cap)} BTT`);

  // Each answer comes after the disk: the seller's lane, the buyer's signature, the seller's word.
  await answer((done) => seller.book.admitLane(grant.offer, done));
  const voucher = { allotment, lane: lane.index, amount: parseBtt('2.5') };
  const context = { torrentKey: 'ab'.repeat(20), remote: '127.0.0.1:6881', paidBytes: 1 << 28 };
  const out = await answer<SignOutcome>((done) => buyer.purse.signVoucher(voucher, context, done));
  if (!out.ok) throw new Error(out.refusal.text);
  await answer((done) => seller.book.acceptVoucher(out.signed, context, done));
  console.log(`earned ${formatBtt((await seller.balances()).earnedUnclaimed)} BTT`);

  const claims = await seller.claimAll();
  const refunds = await buyer.refundAll();
  console.log(`claimed ${formatBtt(claims.amount)} BTT, refunded ${formatBtt(refunds.amount)} BTT`);
  console.log(`the seller has ${formatBtt((await seller.balances()).free)} BTT in the contract`);
} finally {
  await seller.close();
  await buyer.close();
  await rm(folder, { recursive: true });
}
