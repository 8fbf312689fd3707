/**
 * The fault figure: a paid download between real processes, each of which is killed at random
 * moments with `kill -9`, the chain's too. At the end no byte and no atto is missing.
 *
 * `BIDWIDTH_KILLS` sets how often (default 100), `BIDWIDTH_SEED` replays a run's decisions.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { readContract } from '../market/contract.ts';
import { Stage } from '../market/stage.ts';
import { sha256OfFile } from '../support/files.ts';
import { type SeededRandom, seededRandom } from '../support/random.ts';
import { Cast, type Victim } from './cast.ts';
import { type Ledger, readLedger, sumOf } from './ledger.ts';
import { type Amounts, startWireTap } from './wire-tap.ts';

const KILLS = Number(process.env['BIDWIDTH_KILLS'] ?? 100);
const CONTENT_BYTES = 24 * 1_048_576 + 4_321;

/** A life after start-up, in milliseconds; all three are killed in turns, so each lives longer. */
const LIFE_MS_MIN = 300;
const LIFE_MS_MAX = 2_000;

/** The last transfer takes two seconds when nobody is killed any more. */
const PEACE_MS = 90_000;

/** Who dies together, and how often. The seller's claims are killed only while it is down. */
const DEATHS: readonly (readonly [readonly Victim[], number])[] = [
  [['buyer'], 5],
  [['seller'], 5],
  [['chain'], 2],
  [['anvil'], 2],
  [['chain', 'anvil'], 2],
  [['buyer', 'seller'], 1],
  [['seller', 'claimer'], 2],
  [['buyer', 'seller', 'chain', 'anvil'], 1],
];

/** Past the expiry of every allotment: they last 3 days. */
const FOUR_DAYS_SECONDS = `${4 * 86_400}`;

const skip = process.platform === 'linux' ? false : 'finds the chain process by /proc';

test(`a paid download survives ${KILLS} kills and every atto is accounted for`, {
  skip,
}, async (t) => {
  const random = seededRandom();
  t.diagnostic(`BIDWIDTH_SEED=${random.seed}`);
  await using stage = await Stage.open('kill', CONTENT_BYTES);
  await using tap = await startWireTap();
  const cast = new Cast(stage, tap);
  cast.startChain();
  const buyer = await stage.fund('buyer', 1_000_000n);
  const seller = await stage.fund('seller', 1_000_000n);
  cast.startSeller();
  await cast.startBuyer();

  const tally = await killRepeatedly(cast, random);
  await finishInPeace(cast);
  await cast.stop();
  t.diagnostic(`killed: ${[...tally].map(([name, count]) => `${name} ${count}`).join(', ')}`);
  t.diagnostic(`${cast.finished.length} transfers, ${tap.connectionCount} connections`);
  for (const notice of new Set(cast.notices)) t.diagnostic(notice);

  assert.deepEqual(cast.faults, [], 'nothing ends but by a kill');
  const source = sha256OfFile(stage.torrent.contentPath);
  for (const copy of cast.finished) assert.equal(sha256OfFile(copy), source, copy);

  const earned = readLedger(stage.home('seller'));
  const paid = readLedger(stage.home('buyer'));
  assertNothingLost({ earned, paid, vouchers: tap.vouchers, acks: tap.acks });

  stage.startChain();
  const claims = (await stage.wallet('seller', ['claims']))['claims'];
  t.diagnostic(`claims at the end: ${JSON.stringify(claims)}`);
  await stage.chain(['advance', FOUR_DAYS_SECONDS]);
  const refunds = (await stage.wallet('buyer', ['claims']))['refunds'];
  t.diagnostic(`refunds at the end: ${JSON.stringify(refunds)}`);
  const onChain = await readContract(stage.chainFolder, { buyer, seller });

  const lost = [...earned.earnings].filter(([, { state }]) => state === 'lost');
  assert.deepEqual(lost, [], 'no lane was given up');
  assert.deepEqual(onChain.claimed, bestOf(earned), 'each lane is claimed for its best voucher');
  const claimedSum = sumOf(onChain.claimed.values());
  t.diagnostic(
    `deposited ${onChain.deposited}, claimed ${claimedSum}, refunded ${onChain.buyerFree}`,
  );
  assert.ok(claimedSum > 0n, 'something was sold');
  assert.equal(onChain.sellerFree, claimedSum, 'what was claimed is the seller’s');
  assert.equal(earned.sold, claimedSum, 'earned = claimed');
  assert.equal(onChain.deposited, claimedSum + onChain.buyerFree, 'deposited = claimed + refunded');
  const states = new Set(readLedger(stage.home('buyer')).allotmentStates);
  assert.equal(states.has('open') || states.has('opening'), false, 'no allotment is left open');
});

/** Kills and restarts until `KILLS` processes have died; how many of each. */
async function killRepeatedly(
  cast: Cast,
  random: SeededRandom,
): Promise<ReadonlyMap<Victim, number>> {
  const tally = new Map<Victim, number>();
  const died = (): number => [...tally.values()].reduce((sum, count) => sum + count, 0);
  while (died() < KILLS) {
    await delay(random.between(LIFE_MS_MIN, LIFE_MS_MAX));
    const victims = random.pick(DEATHS);
    for (const victim of victims) {
      if (victim === 'claimer') {
        cast.startClaimer();
        await delay(random.between(LIFE_MS_MIN, LIFE_MS_MAX));
      }
      await cast.kill(victim);
      tally.set(victim, (tally.get(victim) ?? 0) + 1);
    }
    if (!cast.isRunning('chain')) cast.startChain();
    if (!cast.isRunning('seller')) cast.startSeller();
    if (!cast.isRunning('buyer')) await cast.startBuyer();
  }
  return tally;
}

/** Lets the transfer at hand end by itself, from a seller that is not held back any more. */
async function finishInPeace(cast: Cast): Promise<void> {
  await cast.kill('seller');
  cast.startSeller('20M');
  if (!cast.isRunning('buyer')) await cast.startBuyer();
  const late = delay(PEACE_MS, 'late', { ref: false });
  const end = await Promise.race([cast.buyerEnded(), late]);
  assert.notEqual(end, 'late', `not complete after ${PEACE_MS} ms of peace:\n${cast.lastWords}`);
}

interface Books {
  readonly earned: Ledger;
  readonly paid: Ledger;
  readonly vouchers: Amounts;
  readonly acks: Amounts;
}

/** What either side has said over the wire is on the disk of who said it. */
function assertNothingLost({ earned, paid, vouchers, acks }: Books): void {
  assert.ok(acks.size > 0 && vouchers.size > 0, 'money was talked about');
  for (const [lane, acked] of acks) {
    const best = earned.earnings.get(lane)?.best ?? -1n;
    assert.ok(best >= acked, `the seller confirmed ${acked} of ${lane}, its ledger has ${best}`);
  }
  for (const [lane, amount] of vouchers) {
    const signed = paid.signed.get(lane) ?? -1n;
    assert.ok(signed >= amount, `the buyer sent ${amount} on ${lane}, its ledger has ${signed}`);
  }
  for (const [lane, { best }] of earned.earnings) {
    const signed = paid.signed.get(lane) ?? -1n;
    assert.ok(signed >= best, `${lane} earned ${best}, but only ${signed} was signed`);
  }
  assert.equal(earned.sold, sumOf([...earned.earnings.values()].map(({ best }) => best)));
  assert.equal(paid.bought, sumOf(paid.signed.values()));
}

/** The lanes that earned anything. */
function bestOf({ earnings }: Ledger): Amounts {
  const lanes = [...earnings].map(([lane, { best }]) => [lane, best] as const);
  return new Map(lanes.filter(([, best]) => best > 0n));
}
