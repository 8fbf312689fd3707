/**
 * Reserving money for two sellers in one tree, and paying one of them with vouchers.
 *
 * No chain is needed: these are the rules both sides compute by. Run: node examples/payment.ts
 */
import {
  type AllotmentHeader,
  allotmentId,
  buildLaneTree,
  EscrowDigests,
  judgeLane,
  judgeVoucher,
  KnownSigners,
  nobleSecp256k1 as secp256k1,
} from '../src/payment/index.ts';
import { type Atto, formatBtt, parseBtt, parseHash32, unixSeconds } from '../src/units/index.ts';

const now = unixSeconds(1_800_000_000);
const keyOf = (nth: number): Uint8Array => new Uint8Array(32).fill(nth);
const [payer, hotSigner, alice, bob] = [1, 2, 3, 4].map((nth) =>
  secp256k1.publicAddress(keyOf(nth)),
);
if (!payer || !hotSigner || !alice || !bob) throw new Error('four keys make four accounts');

// The buyer locks one sum for both. Its root commits to who gets at most how much.
const tree = buildLaneTree([
  { payee: alice, cap: parseBtt('3') },
  { payee: bob, cap: parseBtt('2') },
]);
const { root, sum, depth, laneCount } = tree;
const expiry = unixSeconds(now + 3 * 86_400);
const header: AllotmentHeader = { payer, root, sum, expiry, signer: hotSigner, depth, laneCount };
const allotment = allotmentId(payer, parseHash32(`0x${'11'.repeat(32)}`));
console.log(`locked ${formatBtt(sum)} BTT for ${laneCount} lanes in one transaction`);

// Bob is offered his lane. He checks it before he trusts it; the chain must agree as well.
const [, lane] = tree.lanes;
if (!lane) throw new Error('two lanes were built');
const offer = { allotment, header, lane, path: tree.paths[1] ?? [] };
const seller = { payee: bob, now };
const admission = judgeLane(offer, seller);
if (!admission.ok) throw new Error(admission.refusal.text);
const greedy = judgeLane({ ...offer, lane: { ...lane, cap: parseBtt('5') } }, seller);
console.log(`a lane of 5 BTT: ${greedy.ok ? 'taken' : greedy.refusal.text}`);

// While bytes flow, the buyer signs ever larger amounts. Bob needs to keep only the last.
const digests = new EscrowDigests({ chainId: 199, escrow: payer });
const signers = new KnownSigners(secp256k1);
const rules = { now, digests, signers, incrementMin: 1n as Atto };
let entry = admission.entry;
for (const text of ['0.5', '1.25', '1', '2.5']) {
  const voucher = { allotment, lane: 1, amount: parseBtt(text) };
  const signature = secp256k1.sign(digests.voucher(voucher), keyOf(2));
  const verdict = judgeVoucher({ voucher, signature }, entry, rules);
  console.log(`a voucher over ${text} BTT: ${verdict.ok ? 'taken' : verdict.refusal.text}`);
  if (verdict.ok) entry = verdict.entry;
}
console.log(`bob can claim ${formatBtt(entry.best)} BTT`);
