import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Address,
  type Atto,
  atto,
  parseAddress,
  parseHash32,
  unixSeconds,
  ZERO_ADDRESS,
} from '../units/index.ts';
import { EscrowDigests } from './digests.ts';
import { KnownSigners } from './known-signers.ts';
import {
  CLAIM_MARGIN_SECONDS,
  judgeLane,
  judgeVoucher,
  LANE_LIFE_SECONDS_MIN,
  type LaneEntry,
  type VoucherRules,
} from './lane-book.ts';
import { buildLaneTree } from './lane-tree.ts';
import { nobleSecp256k1 } from './secp256k1.ts';
import type { LaneOffer, SignedVoucher } from './types.ts';

const NOW = unixSeconds(1_800_000_000);
const DIGESTS = new EscrowDigests({ chainId: 199, escrow: parseAddress(`0x${'5e'.repeat(20)}`) });
const KEY = new Uint8Array(32).fill(1);
const SIGNER = nobleSecp256k1.publicAddress(KEY);
const ID = parseHash32(`0x${'a1'.repeat(32)}`);
const SELLER = parseAddress(`0x${'b2'.repeat(20)}`);
const OTHER = parseAddress(`0x${'c3'.repeat(20)}`);

const ENTRY: LaneEntry = {
  allotment: ID,
  lane: 1,
  signer: SIGNER,
  cap: atto(1000n),
  expiry: unixSeconds(NOW + 86_400),
  best: atto(100n),
};
const RULES: VoucherRules = {
  now: NOW,
  digests: DIGESTS,
  signers: new KnownSigners(nobleSecp256k1),
  incrementMin: atto(10n),
};
/** Rules under which reaching the signature check is a failure. */
const NO_SIGNATURES: VoucherRules = {
  ...RULES,
  signers: new KnownSigners({
    ...nobleSecp256k1,
    recoverKey: () => assert.fail('a signature was recovered'),
  }),
};

function signed(amount: bigint, key: Uint8Array = KEY): SignedVoucher {
  const voucher = { allotment: ID, lane: 1, amount: atto(amount) };
  return { voucher, signature: nobleSecp256k1.sign(DIGESTS.voucher(voucher), key) };
}

function refusal(
  voucher: SignedVoucher,
  entry: LaneEntry | undefined = ENTRY,
  rules: VoucherRules = NO_SIGNATURES,
): string {
  const verdict = judgeVoucher(voucher, entry, rules);
  return verdict.ok ? 'ok' : verdict.refusal.code;
}

test('a good voucher raises the best of its lane and says by how much', () => {
  const verdict = judgeVoucher(signed(150n), ENTRY, RULES);
  assert.deepEqual(verdict, { ok: true, entry: { ...ENTRY, best: 150n }, gained: 50n });
});

test('cheap reasons are found before any signature is looked at', () => {
  const elsewhere = { ...signed(150n).voucher, lane: 2 };
  assert.equal(refusal({ ...signed(150n), voucher: elsewhere }), 'voucher-unknown-lane');
  assert.equal(
    judgeVoucher(signed(150n), undefined, NO_SIGNATURES).ok,
    false,
    'no lane was offered at all',
  );
  assert.equal(refusal(signed(1001n)), 'voucher-above-cap');
  assert.equal(refusal(signed(100n)), 'voucher-not-more');
  assert.equal(refusal(signed(99n)), 'voucher-not-more');
  assert.equal(refusal(signed(109n)), 'voucher-too-small');
  const late = unixSeconds(NOW + CLAIM_MARGIN_SECONDS - 1);
  assert.equal(refusal(signed(150n), { ...ENTRY, expiry: late }), 'voucher-expired');
  const short = { ...signed(150n), signature: new Uint8Array(64) };
  assert.equal(refusal(short), 'voucher-malformed');
});

test('the last step to the cap may be small', () => {
  const entry = { ...ENTRY, best: atto(999n) };
  assert.equal(refusal(signed(1000n), entry, RULES), 'ok');
});

test('another key’s signature is refused, and so is one over another amount', () => {
  const stranger = signed(150n, new Uint8Array(32).fill(2));
  assert.equal(refusal(stranger, ENTRY, RULES), 'voucher-signature');
  const stretched = { ...signed(150n), voucher: signed(900n).voucher };
  assert.equal(refusal(stretched, ENTRY, RULES), 'voucher-signature');
});

test('a signature for another chain or contract is refused', () => {
  const voucher = signed(150n).voucher;
  const domains = [
    { chainId: 1029, escrow: parseAddress(`0x${'5e'.repeat(20)}`) },
    { chainId: 199, escrow: OTHER },
  ];
  for (const domain of domains) {
    const signature = nobleSecp256k1.sign(new EscrowDigests(domain).voucher(voucher), KEY);
    assert.equal(refusal({ voucher, signature }, ENTRY, RULES), 'voucher-signature');
  }
});

test('a lane without a signer is never paid, whatever a recovery yields', () => {
  const entry = { ...ENTRY, signer: ZERO_ADDRESS };
  assert.equal(refusal(signed(150n), entry, RULES), 'voucher-signature');
});

test('property: a lane never goes down nor above its cap, whatever arrives', () => {
  const amounts = fc.array(fc.bigInt({ min: 0n, max: 1500n }), { maxLength: 20 });
  const { voucher: first, signature } = signed(1n);
  const key = nobleSecp256k1.recoverKey(DIGESTS.voucher(first), signature);
  const trusting = { ...nobleSecp256k1, recoverKey: () => key, verify: () => true };
  const rules = { ...RULES, signers: new KnownSigners(trusting) };
  fc.assert(
    fc.property(amounts, (wanted) => {
      let entry: LaneEntry = ENTRY;
      let gained = 0n;
      for (const amount of wanted) {
        const voucher = { allotment: ID, lane: 1, amount: atto(amount) };
        const verdict = judgeVoucher({ voucher, signature }, entry, rules);
        if (!verdict.ok) continue;
        assert.ok(verdict.entry.best > entry.best && verdict.entry.best <= ENTRY.cap);
        gained += verdict.gained;
        entry = verdict.entry;
      }
      assert.equal(entry.best, ENTRY.best + gained);
    }),
    { numRuns: 1000 },
  );
});

function offerOf(change: Partial<LaneOffer['header']> = {}, cap: Atto = atto(500n)): LaneOffer {
  const tree = buildLaneTree([
    { payee: OTHER, cap: atto(7n) },
    { payee: SELLER, cap },
  ]);
  const { root, sum, depth, laneCount } = tree;
  const expiry = unixSeconds(NOW + 86_400);
  const header = { payer: OTHER, root, sum, expiry, signer: SIGNER, depth, laneCount, ...change };
  const lane = { index: 1, payee: SELLER, cap };
  return { allotment: ID, header, lane, path: tree.paths[1] ?? [] };
}

test('a lane that is mine, alive and provable becomes an entry worth nothing yet', () => {
  const verdict = judgeLane(offerOf(), { payee: SELLER, now: NOW });
  assert.deepEqual(verdict, {
    ok: true,
    entry: { ...ENTRY, cap: 500n, best: 0n },
  });
});

test('lanes that would never pay are refused, each for its reason', () => {
  const code = (offer: LaneOffer, payee: Address = SELLER): string => {
    const verdict = judgeLane(offer, { payee, now: NOW });
    return verdict.ok ? 'ok' : verdict.refusal.code;
  };
  assert.equal(code(offerOf(), OTHER), 'lane-not-mine');
  assert.equal(code(offerOf({}, atto(0n))), 'lane-empty');
  assert.equal(code(offerOf({ signer: ZERO_ADDRESS })), 'lane-signer');
  const soon = unixSeconds(NOW + LANE_LIFE_SECONDS_MIN - 1);
  assert.equal(code(offerOf({ expiry: soon })), 'lane-expiry');
  assert.equal(code(offerOf({ sum: atto(508n) })), 'path-sum');
  assert.equal(code({ ...offerOf(), path: [] }), 'path-length');
});
