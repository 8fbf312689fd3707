/**
 * Measures what whole transactions cost (`gasUsed` of receipts: intrinsic gas, calldata and all)
 * and
 * writes `contracts/gas.json`. With `--check` writes nothing and fails when a figure changed.
 *
 * The lanes are built and signed by `src/payment`, so every run is also proof that both sides agree
 * on every byte.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type AllotmentHeader,
  allotmentId,
  buildLaneTree,
  EscrowDigests,
  headerHash,
  type LaneTree,
  nobleSecp256k1,
} from '../../src/payment/index.ts';
import {
  type Address,
  assert,
  atto,
  type Hash32,
  hash32FromBytes,
  parseAddress,
  toHex,
  unixSeconds,
} from '../../src/units/index.ts';
import { ROOT } from './foundry.ts';
import { CHAIN_ID, GENESIS_SECONDS, ScratchChain } from './scratch-chain.ts';

const FILE = 'contracts/gas.json';
const BATCH = 50;
const EXPIRY = unixSeconds(GENESIS_SECONDS + 3 * 86_400);
const CAP = atto(123_456_789_012_345_678_901n);
const EARNED = atto(98_765_432_109_876_543_210n);
const SIGNER_KEY = new Uint8Array(32).fill(0x51);
/** The payee that others claim for. */
const HELPED_KEY = new Uint8Array(32).fill(0x9e);
const SIGNER = nobleSecp256k1.publicAddress(SIGNER_KEY);

/** The promises of the design: gas of a transaction, or of one claim of a batch. */
const CEILINGS: Readonly<Record<string, number>> = {
  open128Lanes: 56_000,
  claimEachOf50With32Lanes: 30_000,
};

interface Opened {
  readonly allotment: Hash32;
  readonly header: AllotmentHeader;
  readonly tree: LaneTree;
}

const figures: Record<string, number> = {};
const chain = await ScratchChain.start();
try {
  await measure(chain);
} finally {
  await chain.close();
}
process.exitCode = report(process.argv.includes('--check'));

async function measure(chain: ScratchChain): Promise<void> {
  const [payer, early, payee, relayer] = chain.accounts;
  const helped = nobleSecp256k1.publicAddress(HELPED_KEY);
  assert(payer && early && payee && relayer, 'anvil has ten accounts');
  figures['deploy'] = chain.deployGas;
  const value = 10n ** 21n * 4n;
  figures['depositFirst'] = await chain.send({ from: payer, ...call('deposit'), value });
  figures['depositAgain'] = await chain.send({
    from: payer,
    ...call('deposit'),
    value: value * 2_000n,
  });
  const digests = new EscrowDigests({ chainId: CHAIN_ID, escrow: chain.escrow });
  assert(digests.separator === (await chain.read('domainSeparator', [])), 'same domain');

  let salt = 0;
  const openMany = async (count: number, laneCount: number): Promise<Opened[]> => {
    const opened: Opened[] = [];
    for (let at = 0; at < count; at++) {
      salt += 1;
      const wanted = lanePayees(laneCount, [early, payee, helped]);
      opened.push(await open(chain, { payer, salt, wanted }));
    }
    return opened;
  };
  const claimAs = async (from: Address, opened: readonly Opened[], lane: number): Promise<number> =>
    chain.send({
      from,
      ...call(
        'claim',
        opened.map((one) => claimOf(one, lane, digests)),
      ),
    });

  const [single, ...rest] = await openMany(1 + BATCH, 32);
  assert(single, 'opened');
  figures['claimSingleFirstOfAccountAndAllotment'] = await claimAs(early, [single], 0);
  figures['claimEachOf50With32LanesFirstOfAllotment'] = each(await claimAs(early, rest, 0));
  // From here on: allotments that somebody has claimed from, and a payee with a balance.
  await claimAs(payee, [single], 1);
  figures['claimEachOf50With32Lanes'] = each(await claimAs(payee, rest, 1));
  const consents = rest.map((one) => consentOf(one, helped, digests));
  const claims = rest.map((one) => claimOf(one, 2, digests));
  figures['claimForEachOf50With32Lanes'] = each(
    await chain.send({ from: relayer, functionName: 'claimFor', args: [claims, consents] }),
  );
  const wide = await openMany(BATCH + 1, 128);
  await claimAs(early, wide, 0);
  figures['claimEachOf50With128Lanes'] = each(await claimAs(payee, wide.slice(1), 1));
  figures['claimSingleWith128Lanes'] = await claimAs(payee, wide.slice(0, 1), 1);

  figures['withdraw'] = await chain.send({ from: payee, ...call('withdraw', EARNED, payee) });
  await chain.setTime(EXPIRY + 1);
  figures['close'] = await chain.send({
    from: payer,
    ...call('close', single.allotment, single.header),
  });
}

function call(functionName: string, ...args: unknown[]): { functionName: string; args: unknown[] } {
  return { functionName, args };
}

/** Gas of one claim of a batch, its share of the transaction included, rounded up. */
function each(gas: number): number {
  return Math.ceil(gas / BATCH);
}

/** The named payees first, then strangers. */
function lanePayees(laneCount: number, named: readonly Address[]): readonly Address[] {
  return Array.from(
    { length: laneCount },
    (_, index) =>
      named[index] ?? parseAddress(`0x${'a7'.repeat(19)}${toHex(Uint8Array.of(index))}`),
  );
}

async function open(
  chain: ScratchChain,
  wish: { payer: Address; salt: number; wanted: readonly Address[] },
): Promise<Opened> {
  const { payer, wanted } = wish;
  // As in the node, a salt looks random: no calldata is saved by zeros.
  const salt = hash32FromBytes(new Uint8Array(32).fill(0x5a).fill(wish.salt, 31));
  const tree = buildLaneTree(wanted.map((payee) => ({ payee, cap: CAP })));
  const { root, sum, depth, laneCount } = tree;
  const header = { payer, root, sum, expiry: EXPIRY, signer: SIGNER, depth, laneCount };
  const gas = await chain.send({
    from: payer,
    ...call('open', salt, root, sum, EXPIRY, SIGNER, depth, laneCount),
  });
  figures[`open${laneCount}Lanes`] ??= gas;
  const allotment = allotmentId(payer, salt);
  assert((await chain.read('head', [allotment])) === headerHash(header), 'same header hash');
  return { allotment, header, tree };
}

function claimOf(opened: Opened, lane: number, digests: EscrowDigests): unknown {
  const { allotment, header, tree } = opened;
  const digest = digests.voucher({ allotment, lane, amount: EARNED });
  const voucher = signatureOf(nobleSecp256k1.sign(digest, SIGNER_KEY));
  return { allotment, header, lane, cap: CAP, amount: EARNED, voucher, path: tree.paths[lane] };
}

function consentOf({ allotment }: Opened, payee: Address, digests: EscrowDigests): unknown {
  const digest = digests.collect({ allotment, lane: 2, amount: EARNED }, payee);
  return { payee, signature: signatureOf(nobleSecp256k1.sign(digest, HELPED_KEY)) };
}

function signatureOf(packed: Uint8Array): unknown {
  const [r, s] = [packed.subarray(0, 32), packed.subarray(32, 64)];
  return { r: hash32FromBytes(r), s: hash32FromBytes(s), v: packed[64] };
}

function report(isCheck: boolean): number {
  const path = join(ROOT, FILE);
  const wanted = `${JSON.stringify(figures, null, 2)}\n`;
  const broken = Object.entries(CEILINGS).filter(
    ([name, most]) => !((figures[name] ?? NaN) <= most),
  );
  for (const [name, most] of broken) console.error(`${name}: ${figures[name]} gas, above ${most}`);
  if (!isCheck) {
    writeFileSync(path, wanted);
    console.log(wanted);
  } else if (readFileSync(path, 'utf8') !== wanted) {
    console.error(
      `${FILE} is stale: run \`npm run contracts:gas\`, look at the difference\n${wanted}`,
    );
    return 1;
  }
  return broken.length === 0 ? 0 : 1;
}
