/** The vectors printed in `docs/bep-bandwidth-market.md` are what our code computes. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  type Address,
  atto,
  parseAddress,
  parseHash32,
  toHex,
  unixSeconds,
} from '../units/index.ts';
import { EscrowDigests } from './digests.ts';
import { allotmentId, headerHash } from './header.ts';
import { buildLaneTree, leafHash, nodeHash, verifyLanePath } from './lane-tree.ts';
import { nobleSecp256k1 } from './secp256k1.ts';
import type { AllotmentHeader, Lane, PathStep } from './types.ts';

const SPEC = new URL('../../docs/bep-bandwidth-market.md', import.meta.url);

function keyOf(number: number): Uint8Array {
  const key = new Uint8Array(32);
  key[31] = number;
  return key;
}

const accountOf = (number: number): Address => nobleSecp256k1.publicAddress(keyOf(number));
const idOf = (byte: number): Uint8Array => new Uint8Array(20).fill(byte);

const TREE = buildLaneTree([
  { payee: accountOf(3), cap: atto(10n ** 18n) },
  { payee: accountOf(4), cap: atto(25n * 10n ** 17n) },
  { payee: accountOf(5), cap: atto(7n) },
]);
const HEADER: AllotmentHeader = {
  payer: accountOf(1),
  root: TREE.root,
  sum: TREE.sum,
  expiry: unixSeconds(1_800_000_000),
  signer: accountOf(2),
  depth: TREE.depth,
  laneCount: TREE.laneCount,
};
const DIGESTS = new EscrowDigests({
  chainId: 199,
  escrow: parseAddress(`0x${'5e'.repeat(20)}`),
});

/** The text between the marks, made from the code. */
function vectors(): string {
  const salt = parseHash32(`0x${'11'.repeat(32)}`);
  const voucher = { allotment: allotmentId(HEADER.payer, salt), lane: 1, amount: atto(123456789n) };
  const payee = accountOf(4);
  const digest = DIGESTS.voucher(voucher);
  const consent = DIGESTS.collect(voucher, payee);
  const ids = { infoHash: idOf(0xaa), signerPeerId: idOf(0xbb), remotePeerId: idOf(0xcc) };
  const binding = DIGESTS.bind({ ...ids, payee });
  const sign = (what: Uint8Array, key: number): string =>
    toHex(nobleSecp256k1.sign(what, keyOf(key)));
  const rows: readonly (readonly [string, string | bigint | number])[] = [
    ...[1, 2, 3, 4, 5].map((key) => [`account of key ${key}`, accountOf(key)] as const),
    ...TREE.lanes.map(({ index, cap }) => [`cap of lane ${index}`, cap] as const),
    ...TREE.lanes.map((lane) => [`leaf ${lane.index}`, leafHash(lane)] as const),
    ['leaf 3 (padding)', stepOf(2, 0).hash],
    ['node over leaves 0, 1', stepOf(2, 1).hash],
    ['  its sum', stepOf(2, 1).sum],
    ['node over leaves 2, 3', stepOf(0, 1).hash],
    ['  its sum', stepOf(0, 1).sum],
    ['root', TREE.root],
    ['sum', TREE.sum],
    ['depth', TREE.depth],
    ['expiry', HEADER.expiry],
    ['header hash', headerHash(HEADER)],
    ['salt', salt],
    ['allotment id', voucher.allotment],
    ['domain separator', DIGESTS.separator],
    ['voucher of lane 1 over', voucher.amount],
    ['  digest', toHex(digest)],
    ['  signature of key 2', sign(digest, 2)],
    ['Collect of the same', toHex(consent)],
    ['  signature of key 4', sign(consent, 4)],
    ['Bind, info-hash 20 × aa', toHex(binding)],
    ['  signer 20 × bb, remote 20 × cc', ''],
    ['  signature of key 4', sign(binding, 4)],
  ];
  return rows.map(([name, value]) => `${name.padEnd(33)} ${value}`.trimEnd()).join('\n');
}

function stepOf(lane: number, height: number): PathStep {
  return TREE.paths[lane]?.[height] as PathStep;
}

test('the vectors in the specification are what the code computes', () => {
  const page = readFileSync(SPEC, 'utf8');
  const parts = page.split(/(?<=<!-- vectors -->\n)|(?=<!-- \/vectors -->)/);
  assert.equal(parts.length, 3, 'the page has one place for vectors');
  const wanted = `${parts[0]}\`\`\`\n${vectors()}\n\`\`\`\n${parts[2]}`;
  if (process.env['WRITE_VECTORS']) writeFileSync(SPEC, wanted);
  else assert.equal(page, wanted, 'run this with WRITE_VECTORS=1 to write them anew');
});

test('the tree of the vectors is provable and its nodes join to the root', () => {
  const lane = TREE.lanes[2] as Lane;
  assert.ok(verifyLanePath(HEADER, lane, TREE.paths[2] ?? []).ok);
  assert.equal(nodeHash(stepOf(2, 1), stepOf(0, 1)), TREE.root);
});
