/**
 * Our verdict on lanes and vouchers is the contract's verdict: the same trees, honest and not, and
 * the same signatures go to both.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  buildLaneTree,
  EscrowDigests,
  headerHash,
  judgeVoucher,
  KnownSigners,
  type LaneEntry,
  nobleSecp256k1,
  type PathStep,
  verifyLanePath,
} from '../../src/payment/index.ts';
import { maliciousTree } from '../../src/payment/testing/malicious-tree.ts';
import {
  type Address,
  atto,
  fromHex,
  parseAddress,
  toHex,
  unixSeconds,
  ZERO_ATTO,
} from '../../src/units/index.ts';
import { EscrowFixture, type TestClaim } from './escrow-fixture.ts';

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const DAY = 86_400;

/** Any tree's suspects are many; so many of each go to the contract. */
const SUSPECTS_PER_TREE = 10;
const TREES = 40;

const SIGNER_KEY = new Uint8Array(32).fill(1);
const SIGNER = nobleSecp256k1.publicAddress(SIGNER_KEY);
const PAYEE_KEY = new Uint8Array(32).fill(2);
const PAYEE = nobleSecp256k1.publicAddress(PAYEE_KEY);
const STRANGER_KEY = new Uint8Array(32).fill(3);

let escrow: EscrowFixture;
let digests: EscrowDigests;

before(async () => {
  escrow = await EscrowFixture.start();
  digests = new EscrowDigests(escrow.domain);
});

after(async () => {
  await escrow?.stop();
});

/** A claim of all of the lane, rightly signed, whatever the rest of it is worth. */
function signedClaim(claim: Omit<TestClaim, 'voucher' | 'amount'>): TestClaim {
  const amount = claim.lane.cap;
  const voucher = { allotment: claim.allotment, lane: claim.lane.index, amount };
  return { ...claim, amount, voucher: nobleSecp256k1.sign(digests.voucher(voucher), SIGNER_KEY) };
}

/** An honest allotment in which lane 1 of three is the payee's, capped at 500 atto. */
async function honestClaim(): Promise<TestClaim> {
  const wanted = [
    parseAddress(`0x${'a1'.repeat(20)}`),
    PAYEE,
    parseAddress(`0x${'c3'.repeat(20)}`),
  ];
  const tree = buildLaneTree(wanted.map((payee) => ({ payee, cap: atto(500n) })));
  const { root, sum, depth, laneCount } = tree;
  const expiry = unixSeconds((await escrow.now()) + DAY);
  const header = { payer: escrow.payer, root, sum, expiry, signer: SIGNER, depth, laneCount };
  const allotment = await escrow.open(header);
  const lane = { index: 1, payee: PAYEE, cap: atto(500n) };
  return signedClaim({ allotment, header, lane, path: tree.paths[1] as readonly PathStep[] });
}

test('domain separator, allotment id and header hash are the contract’s', async () => {
  const claim = await honestClaim();
  assert.equal(digests.separator, await escrow.domainSeparator());
  assert.equal(headerHash(claim.header), await escrow.head(claim.allotment));
});

test('an honest lane is claimed by its payee and nobody else', async () => {
  const claim = await honestClaim();
  assert.equal(await escrow.tryClaim([claim], PAYEE), 'ok');
  assert.equal(await escrow.tryClaim([claim], escrow.payer), 'ClaimNotInTree');
});

test('contract and code agree on every lane a cheating payer could offer', async () => {
  const given = { payer: escrow.payer, signer: SIGNER, expiry: (await escrow.now()) + DAY };
  const seen = { good: 0, bad: 0 };
  for (let seed = 1; seed <= TREES; seed++) {
    const { header, suspects } = maliciousTree(seed, given);
    const allotment = await escrow.open(header);
    // An odd step takes true and changed lanes alike: they alternate.
    const step = Math.floor(suspects.length / SUSPECTS_PER_TREE) | 1;
    for (const { trick, lane, path } of suspects.filter((_, at) => at % step === 0)) {
      const ours = verifyLanePath(header, lane, path);
      const claim = signedClaim({ allotment, header, lane, path });
      const theirs = await escrow.tryClaim([claim], lane.payee);
      const context = `seed ${seed}, lane ${lane.index}, ${trick}`;
      if (ours.ok) assert.equal(theirs, 'ok', context);
      else assert.match(theirs, /^Claim(NoSuchLane|NotInTree)$/, `${context}: ${ours.refusal}`);
      seen[ours.ok ? 'good' : 'bad']++;
    }
  }
  // Agreement means little unless both verdicts were given often.
  assert.ok(seen.good > 20 && seen.bad > 100, JSON.stringify(seen));
});

test('all provable lanes of cheating trees together never take more than was locked', async () => {
  const given = { payer: escrow.payer, signer: SIGNER, expiry: (await escrow.now()) + DAY };
  let claimedLanes = 0;
  for (let seed = 100; seed < 124; seed++) {
    const { header, suspects } = maliciousTree(seed, given);
    const allotment = await escrow.open(header);
    const taken = new Set<number>();
    for (const { lane, path } of suspects.slice(0, 32)) {
      if (lane.payee === `0x${'0'.repeat(40)}`) continue;
      if (!verifyLanePath(header, lane, path).ok) continue;
      const claim = signedClaim({ allotment, header, lane, path });
      if (taken.has(lane.index)) {
        assert.equal(await escrow.tryClaim([claim], lane.payee), 'ClaimTaken');
      } else {
        await escrow.claim(claim, lane.payee);
        taken.add(lane.index);
      }
    }
    assert.ok((await escrow.claimedSum(allotment)) <= header.sum);
    claimedLanes += taken.size;
  }
  assert.ok(claimedLanes > 5, `${claimedLanes} lanes claimed`);
});

/** The lane as the seller remembers it. */
function entryOf(claim: TestClaim): LaneEntry {
  const { allotment, header, lane } = claim;
  const { signer, expiry } = header;
  return { allotment, lane: lane.index, signer, cap: lane.cap, expiry, best: ZERO_ATTO };
}

function ourVerdict(claim: TestClaim): string {
  const { allotment, lane, amount, voucher: signature } = claim;
  const verdict = judgeVoucher(
    { voucher: { allotment, lane: lane.index, amount }, signature },
    entryOf(claim),
    {
      ...{ now: unixSeconds(claim.header.expiry - DAY), digests, incrementMin: ZERO_ATTO },
      signers: new KnownSigners(nobleSecp256k1),
    },
  );
  return verdict.ok ? 'ok' : verdict.refusal.code;
}

/** The same signature with `s` mirrored at the order, which plain ECDSA also accepts. */
function mirrored(signature: Uint8Array): Uint8Array {
  const changed = signature.slice();
  const s = ORDER - BigInt(`0x${toHex(signature.subarray(32, 64))}`);
  changed.set(fromHex(s.toString(16).padStart(64, '0')), 32);
  changed[64] = signature[64] === 27 ? 28 : 27;
  return changed;
}

function withByte(signature: Uint8Array, at: number, byte: number): Uint8Array {
  const changed = signature.slice();
  changed[at] = byte;
  return changed;
}

test('contract and code agree on every way to sign a voucher wrongly', async () => {
  const good = await honestClaim();
  const { allotment, lane, amount } = good;
  const voucher = { allotment, lane: lane.index, amount };
  const signedAs = (change: Partial<typeof voucher>, key: Uint8Array = SIGNER_KEY): Uint8Array =>
    nobleSecp256k1.sign(digests.voucher({ ...voucher, ...change }), key);
  const signedUnder = (chainId: number, at: Address): Uint8Array =>
    nobleSecp256k1.sign(new EscrowDigests({ chainId, escrow: at }).voucher(voucher), SIGNER_KEY);
  const { chainId, escrow: contract } = escrow.domain;
  const cases: readonly (readonly [string, TestClaim, string, string])[] = [
    ['as it should be', good, 'ok', 'ok'],
    ['over less than the cap', half(good, signedAs({ amount: atto(250n) })), 'ok', 'ok'],
    ['by a stranger', signedBy(signedAs({}, STRANGER_KEY)), 'signature', 'ClaimBadVoucher'],
    ['by the payee', signedBy(signedAs({}, PAYEE_KEY)), 'signature', 'ClaimBadVoucher'],
    ['another lane', signedBy(signedAs({ lane: 0 })), 'signature', 'ClaimBadVoucher'],
    ['another amount', signedBy(signedAs({ amount: atto(5n) })), 'signature', 'ClaimBadVoucher'],
    ['another chain', signedBy(signedUnder(199, contract)), 'signature', 'ClaimBadVoucher'],
    ['another contract', signedBy(signedUnder(chainId, PAYEE)), 'signature', 'ClaimBadVoucher'],
    ['high s', signedBy(mirrored(good.voucher)), 'malformed', 'ClaimBadVoucher'],
    ['v 0', signedBy(withByte(good.voucher, 64, 0)), 'malformed', 'ClaimBadVoucher'],
    ['v 29', signedBy(withByte(good.voucher, 64, 29)), 'malformed', 'ClaimBadVoucher'],
    ['other v', signedBy(withByte(good.voucher, 64, other(good))), 'signature', 'ClaimBadVoucher'],
    ['zeros', signedBy(withByte(new Uint8Array(65), 64, 27)), 'signature', 'ClaimBadVoucher'],
    ['above the cap', { ...good, amount: atto(501n) }, 'above-cap', 'ClaimAboveCap'],
  ];
  for (const [what, claim, ours, theirs] of cases) {
    assert.equal(ourVerdict(claim), ours === 'ok' ? 'ok' : `voucher-${ours}`, what);
    assert.equal(await escrow.tryClaim([claim], PAYEE), theirs, what);
  }

  function signedBy(signature: Uint8Array): TestClaim {
    return { ...good, voucher: signature };
  }
});

test('a payee without gas is served with its own consent, and only with that', async () => {
  const claim = await honestClaim();
  const { allotment, lane, amount } = claim;
  const voucher = { allotment, lane: lane.index, amount };
  const digest = digests.collect(voucher, PAYEE);
  const consent = { payee: PAYEE, signature: nobleSecp256k1.sign(digest, PAYEE_KEY) };
  assert.equal(await escrow.tryClaimFor(claim, consent), 'ok');
  const less = digests.collect({ ...voucher, amount: atto(499n) }, PAYEE);
  const cases = [
    { payee: PAYEE, signature: nobleSecp256k1.sign(digest, STRANGER_KEY) },
    { payee: PAYEE, signature: nobleSecp256k1.sign(less, PAYEE_KEY) },
    { payee: PAYEE, signature: mirrored(consent.signature) },
    { payee: PAYEE, signature: nobleSecp256k1.sign(digests.voucher(voucher), PAYEE_KEY) },
  ];
  for (const bad of cases) {
    assert.equal(await escrow.tryClaimFor(claim, bad), 'ClaimBadCollect');
  }
});

function half(claim: TestClaim, voucher: Uint8Array): TestClaim {
  return { ...claim, amount: atto(250n), voucher };
}

function other(claim: TestClaim): number {
  return claim.voucher[64] === 27 ? 28 : 27;
}
