import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { buildLaneTree } from '../../payment/index.ts';
import { Database } from '../../platform/database/index.ts';
import { openLocalKey } from '../../platform/keystore/index.ts';
import { atto, ZERO_ATTO } from '../../units/index.ts';
import { LEDGER_MIGRATIONS } from './schema.ts';
import { sentRecords } from './sent-records.ts';
import {
  accept,
  admit,
  BTT,
  CONTEXT,
  grantedLane,
  requestLane,
  sign,
  signed,
  Town,
} from './testing/two-parties.ts';

const DAY = 86_400;
const town = new Town();
after(() => town.close());

const buyer = await town.node('buyer', { autoDepositMax: atto(1_000n * BTT) });
const seller = await town.node('seller');
const poor = await town.node('poor', { autoDepositMax: atto(1_000n * BTT) });
await buyer.faucet(atto(2_000n * BTT));
await seller.faucet(atto(BTT));

test('a lane is paid for, claimed and refunded, and not an atto is lost', async () => {
  const held = async () => {
    const contract = await buyer.chain.balance(buyer.chain.escrow.address);
    return contract + (await buyer.balances()).wallet + (await seller.balances()).wallet;
  };
  const before = await held();
  const { offer, signed: start } = await grantedLane(buyer, seller.account, 100n * BTT);
  assert.equal(start, 0n);
  assert.equal((await buyer.balances()).locked, 100n * BTT);
  assert.deepEqual(await admit(seller, offer), { ok: true, earned: 0n });
  for (const amount of [1n, 10n * BTT, 30n * BTT]) {
    const outcome = await accept(seller, await signed(buyer, offer, amount));
    assert.deepEqual(outcome, { ok: true, earned: amount });
  }
  assert.equal((await seller.balances()).earnedUnclaimed, 30n * BTT);

  const claims = await seller.claimAll();
  assert.deepEqual([claims.laneCount, claims.amount], [1, 30n * BTT]);
  assert.equal((await seller.balances()).free, 30n * BTT);
  assert.equal((await seller.balances()).earnedUnclaimed, 0n);
  assert.equal((await buyer.balances()).locked, 70n * BTT);

  // Its only lane is claimed, so the allotment need not wait for its expiry.
  const refunds = await buyer.refundAll();
  assert.deepEqual([refunds.allotmentCount, refunds.amount], [1, 70n * BTT]);
  assert.deepEqual(
    [(await buyer.balances()).free, (await buyer.balances()).locked],
    [70n * BTT, 0n],
  );
  await seller.withdraw(atto(30n * BTT));
  await buyer.withdraw(atto(70n * BTT));
  const fees = [...buyer.history(), ...seller.history()].reduce((sum, { fee }) => sum + fee, 0n);
  assert.equal(await held(), before - fees);
  assert.equal(await buyer.chain.balance(buyer.chain.escrow.address), 0n);
});

test('a voucher with the other v, of a signer known by then, is claimed in full', async () => {
  const { offer } = await grantedLane(buyer, seller.account, 4n * BTT);
  await admit(seller, offer);
  await accept(seller, await signed(buyer, offer, BTT));
  const { voucher, signature } = await signed(buyer, offer, 3n * BTT);
  const changed = signature.with(64, signature[64] === 27 ? 28 : 27);
  assert.deepEqual(await accept(seller, { voucher, signature: changed }), {
    ok: true,
    earned: 3n * BTT,
  });
  assert.equal((await seller.claimAll()).amount, 3n * BTT);
  await seller.withdraw(atto(3n * BTT));
});

test('sellers that are asked for together share one allotment', async () => {
  const opened = buyer.history().filter(({ kind }) => kind === 'open').length;
  const lanes = await Promise.all(
    [1n, 2n, 3n].map((cap) => grantedLane(buyer, seller.account, cap * BTT)),
  );
  assert.equal(new Set(lanes.map(({ offer }) => offer.allotment)).size, 1);
  assert.deepEqual(
    lanes.map(({ offer }) => offer.lane.index),
    [0, 1, 2],
  );
  assert.equal(buyer.history().filter(({ kind }) => kind === 'open').length, opened + 1);
});

test('wishes beyond the 128 lanes of an allotment are not left waiting', async () => {
  // They were, until somebody else asked for a lane: nothing set the timer again.
  const lanes = await Promise.all(
    Array.from({ length: 130 }, () => grantedLane(buyer, seller.account, BTT / 100n)),
  );
  assert.equal(new Set(lanes.map(({ offer }) => offer.allotment)).size, 2);
  for (const { offer } of lanes) buyer.purse.releaseLane(offer.allotment, offer.lane.index);
});

test('a lane given back serves the same payee again, from where it was', async () => {
  const first = await grantedLane(buyer, seller.account, 8n * BTT);
  await signed(buyer, first.offer, 2n * BTT);
  buyer.purse.releaseLane(first.offer.allotment, first.offer.lane.index);
  const second = await grantedLane(buyer, seller.account, 8n * BTT);
  assert.deepEqual(second.offer, first.offer);
  assert.equal(second.signed, 2n * BTT);
  const third = await grantedLane(buyer, seller.account, 8n * BTT);
  assert.notDeepEqual(third.offer, first.offer, 'a lane in use is not given twice');
});

test('an empty wallet is refused a lane with a plain line', async () => {
  const grant = await requestLane(poor, seller.account, BTT);
  assert.deepEqual(grant, {
    ok: false,
    refusal: { code: 'purse-empty', text: 'the wallet has too little BTT for another lane' },
  });
  await assert.rejects(poor.deposit(atto(BTT)), /the wallet has 0 BTT, and 1 BTT are wanted/);
});

test('a wallet that cannot pay for gas says so', async () => {
  await assert.rejects(poor.withdraw(ZERO_ATTO), /is empty: send it some BTT to pay for gas/);
  await poor.faucet(atto(2n * BTT));
  await poor.deposit(atto(BTT));
  const { wallet } = await poor.balances();
  const value = atto(wallet - 30_000n * (await poor.chain.gasPrice()));
  const journal = sentRecords(Database.open({ path: ':memory:', migrations: LEDGER_MIGRATIONS }));
  const queue = poor.chain.queueFor(poor.identity().payeeKey, journal);
  await queue.send({ to: seller.account, data: '0x', value, purpose: 'spend nearly all' });
  await queue.close();
  await assert.rejects(poor.withdraw(atto(BTT)), /has too little BTT for this and its gas/);
});

test('a lane that is not on the chain is not admitted', async () => {
  const { offer } = await grantedLane(buyer, seller.account, 5n * BTT);
  const { root, sum, depth, laneCount, paths } = buildLaneTree([
    { payee: seller.account, cap: atto(500n * BTT) },
  ]);
  const lane = { ...offer.lane, index: 0, cap: atto(500n * BTT) };
  const header = { ...offer.header, root, sum, depth, laneCount };
  const patient = { book: { patienceMs: 100 } };
  const other = await town.node('other seller', patient);
  const forged = { ...offer, header, lane, path: paths[0] ?? [] };
  const admission = await admit(seller, forged);
  assert.equal(admission.ok ? '' : admission.refusal.code, 'lane-unknown');
  const notMine = await admit(other, offer);
  assert.equal(notMine.ok ? '' : notMine.refusal.code, 'lane-not-mine');
});

test('a voucher of another key, or not above the best, earns nothing', async () => {
  const { offer } = await grantedLane(buyer, seller.account, 40n * BTT);
  await admit(seller, offer);
  const good = await signed(buyer, offer, BTT);
  const codeOf = async (voucher: typeof good) => {
    const outcome = await accept(seller, voucher);
    return outcome.ok ? 'taken' : outcome.refusal.code;
  };
  const more = { ...good, voucher: { ...good.voucher, amount: atto(2n * BTT) } };
  assert.equal(await codeOf(more), 'voucher-signature');
  assert.equal(await codeOf(good), 'taken');
  assert.equal(await codeOf(good), 'voucher-not-more');
  assert.equal((await seller.balances()).earnedUnclaimed, BTT);
});

test('the purse signs neither above the cap nor less than before', async () => {
  const { offer } = await grantedLane(buyer, seller.account, 41n * BTT);
  const { allotment, lane } = offer;
  const codeOf = async (amount: bigint) => {
    const outcome = await sign(buyer, { allotment, lane: lane.index, amount: atto(amount) });
    return outcome.ok ? 'signed' : outcome.refusal.code;
  };
  assert.equal(await codeOf(42n * BTT), 'sign-above-cap');
  assert.equal(await codeOf(5n * BTT), 'signed');
  assert.equal(await codeOf(4n * BTT), 'sign-less');
});

test('after a restart lanes, vouchers and earnings are where they were', async () => {
  const first = await town.node('restarting buyer', { autoDepositMax: atto(1_000n * BTT) });
  await first.faucet(atto(100n * BTT));
  const { offer } = await grantedLane(first, seller.account, 10n * BTT);
  await admit(seller, offer);
  await accept(seller, await signed(first, offer, 3n * BTT));
  await first.close();
  const second = await town.node('restarting buyer');
  const again = await grantedLane(second, seller.account, 10n * BTT);
  assert.deepEqual(again, { ok: true, offer, signed: 3n * BTT });
  assert.deepEqual(await admit(seller, again.offer), { ok: true, earned: 3n * BTT });
});

test('an allotment is found again from the chain alone, and its rest comes back', async () => {
  const forgetful = await town.node('forgetful', { autoDepositMax: atto(1_000n * BTT) });
  await forgetful.faucet(atto(100n * BTT));
  await grantedLane(forgetful, seller.account, 10n * BTT);
  await forgetful.close();
  const folder = join(town.folder, 'forgetful');
  const name = `money-31199-${forgetful.account.slice(2, 10)}.sqlite`;
  rmSync(join(folder, name));
  const again = await town.node('forgetful');
  assert.equal(await again.recover(), 1);
  assert.equal((await again.balances()).locked, 10n * BTT);
  assert.equal((await again.refundAll()).allotmentCount, 0, 'not before it expires');
  await again.advanceTime(4 * DAY);
  assert.equal((await again.refundAll()).amount, 10n * BTT);
  assert.equal((await again.balances()).free, 10n * BTT);
});

test('once an allotment is expired its lanes can only be lost, and everything else comes back', async () => {
  await seller.advanceTime(1);
  await buyer.advanceTime(1);
  const claims = await seller.claimAll();
  assert.equal(claims.laneCount, 0);
  assert.equal((await seller.balances()).earnedUnclaimed, 0n);
  await buyer.refundAll();
  assert.equal((await buyer.balances()).locked, 0n);
});

test('the history can be read as a table, with amounts in BTT', () => {
  const { movements, traffic } = buyer.csv();
  assert.match(movements, /^time,kind,amountBtt,feeBtt,subject,transaction\r\n/);
  assert.match(movements, /,refund,70,0\.\d+,0x[0-9a-f]{64},0x[0-9a-f]{64}\r\n/);
  assert.ok(traffic.includes(`bought,${CONTEXT.torrentKey},127.0.0.1:6881,${seller.account},`));
});

test('a ledger of another chain is not mixed up with this one', async () => {
  const stranger = await town.node('stranger');
  await stranger.close();
  const elsewhere = { localChainFolder: join(town.folder, 'another chain') };
  await assert.rejects(town.node('stranger', elsewhere), /belongs to another chain or contract/);
});

// The seller took vouchers on a lane whose claim had gone through while it was down, and could cash
// none of them: a claim ends a lane.
test('a claim that a crash cut off is found again before vouchers are taken', async () => {
  const first = await town.node('cut-off');
  await first.faucet(atto(BTT));
  const { offer } = await grantedLane(buyer, first.account, 5n * BTT);
  await admit(first, offer);
  await accept(first, await signed(buyer, offer, BTT));
  const [lane] = first.book.claimable();
  assert.ok(lane);
  await first.book.beginClaim([lane]);
  const key = (await openLocalKey(join(town.folder, 'cut-off', 'local-key.json'))).fundingKey;
  const journal = Database.open({ path: ':memory:', migrations: LEDGER_MIGRATIONS });
  const queue = first.chain.queueFor(key, sentRecords(journal));
  await first.chain.escrow.claim(queue, [lane], { purpose: 'claim 1 lanes' });
  await queue.close();
  await first.close();
  const second = await town.node('cut-off');
  const outcome = await accept(second, await signed(buyer, offer, 2n * BTT));
  assert.equal(!outcome.ok && outcome.refusal.code, 'voucher-unknown-lane');
  const offered = await admit(second, offer);
  assert.equal(!offered.ok && offered.refusal.code, 'lane-claimed');
  assert.equal((await second.balances()).earnedUnclaimed, 0n);
  assert.deepEqual(
    second.history().map(({ kind, amount }) => [kind, amount]),
    [['claim', BTT]],
  );
});

test('a claim that was begun and never sent leaves the lane as it was', async () => {
  const first = await town.node('not-sent');
  const { offer } = await grantedLane(buyer, first.account, 5n * BTT);
  await admit(first, offer);
  await accept(first, await signed(buyer, offer, BTT));
  await first.book.beginClaim(first.book.claimable());
  await first.close();
  const second = await town.node('not-sent');
  const outcome = await accept(second, await signed(buyer, offer, 2n * BTT));
  assert.deepEqual(outcome, { ok: true, earned: 2n * BTT });
});
