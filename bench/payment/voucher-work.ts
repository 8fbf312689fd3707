/**
 * One contender of the `vouchers` scenario: does its work once to warm up, once by the clock, and
 * prints what a voucher costs in CPU time of all threads.
 *
 *   node bench/payment/voucher-work.ts WORK COUNT FOLDER
 */
import { join } from 'node:path';
import { loadKeccak256, loadSecp256k1 } from '../../src/chain/index.ts';
import { type MoneyService, openMoney } from '../../src/daemon/money/index.ts';
import type { SellerBook } from '../../src/exchange/index.ts';
import {
  EscrowDigests,
  judgeVoucher,
  type Keccak256,
  KnownSigners,
  type LaneEntry,
  type LaneOffer,
  nobleSecp256k1,
  type Secp256k1,
} from '../../src/payment/index.ts';
import { openLocalKey } from '../../src/platform/keystore/index.ts';
import { atto, bytes, parseAddress, unixSeconds, ZERO_ATTO } from '../../src/units/index.ts';
import { decodeBwPay, encodeBwPay, type VoucherMessage } from '../../src/wire/index.ts';
import { madeUpDigests, madeUpLanes, voucherMessages } from './voucher-lanes.ts';

/** As many buyers as pay at a time, each on a lane of its own. */
const LANE_COUNT = 100;
/** Of a seller with a thousand paying peers, what one turn of the event loop brings. */
const BURST = 50;
const LANE_CAP = 10n ** 21n;

const [work = '', countText = '', folder = ''] = process.argv.slice(2);
const count = Number(countText);
const { secp256k1: native } = loadSecp256k1();
const SELLER = parseAddress(`0x${'b2'.repeat(20)}`);

/** Each returns a function that goes through the vouchers from `from` to `to`. */
type Span = (from: number, to: number) => void | Promise<void>;
const WORKS: Readonly<Record<string, () => Span | Promise<Span>>> = {
  recover: () => signatureWork((one) => native.recover(one.digest, one.signature) !== null),
  verify: () => signatureWork((one) => native.verify(one.digest, one.signature, one.key)),
  verdict: async () => verdictWork(native, await loadKeccak256()),
  'verdict-js': () => verdictWork(nobleSecp256k1),
  record: recordWork,
};

const opened: MoneyService[] = [];
const begin = WORKS[work];
if (!begin) throw new Error(`there is no work ${work}`);
const span = await begin();
await span(0, count);
const before = process.cpuUsage();
const startedMs = performance.now();
await span(count, 2 * count);
const { user, system } = process.cpuUsage(before);
const wallSeconds = (performance.now() - startedMs) / 1_000;
const vouchersPerCoreSecond = (count / (user + system)) * 1e6;
console.log(JSON.stringify({ ok: true, vouchersPerCoreSecond, wallSeconds }));
// The last one ends the chain.
for (const money of opened) await money.close();
process.exit(0);

interface Signed {
  readonly digest: Uint8Array;
  readonly signature: Uint8Array;
  readonly key: Uint8Array;
}

/** The signature alone. */
function signatureWork(check: (signed: Signed) => boolean): Span {
  const digests = madeUpDigests();
  const lanes = madeUpLanes(LANE_COUNT, SELLER, native);
  const all = voucherMessages(2 * count, lanes, { secp256k1: native, digests }).map((view) => {
    const { allotment, lane, amount, signature } = read(view);
    const digest = digests.voucher({ allotment, lane, amount });
    return { digest, signature, key: native.recoverKey(digest, signature) ?? new Uint8Array(65) };
  });
  return (from, to) => {
    for (let at = from; at < to; at++) must(check(all[at] as Signed));
  };
}

/** Bytes of the message to the seller's verdict. */
function verdictWork(secp256k1: Secp256k1, keccak256?: Keccak256): Span {
  const digests = madeUpDigests(keccak256);
  const lanes = madeUpLanes(LANE_COUNT, SELLER, native);
  const messages = voucherMessages(2 * count, lanes, { secp256k1: native, digests });
  const entries = lanes.offers.map(entryOf);
  const rules = {
    now: unixSeconds(1_800_000_000),
    digests,
    signers: new KnownSigners(secp256k1),
    incrementMin: atto(1n),
  };
  return (from, to) => {
    for (let at = from; at < to; at++) {
      const { allotment, lane, amount, signature } = read(messages[at] as Uint8Array);
      const signed = { voucher: { allotment, lane, amount }, signature };
      const verdict = judgeVoucher(signed, entries[lane], rules);
      must(verdict.ok);
      entries[lane] = verdict.entry;
    }
  };
}

/** Bytes of the message to bytes of the `ack`, the voucher being in the ledger on the disk. */
async function recordWork(): Promise<Span> {
  const money = await Promise.all(['buyer', 'seller'].map(openNode));
  const [buyer, seller] = money as [Node, Node];
  await buyer.money.faucet(atto(LANE_CAP * BigInt(LANE_COUNT) * 2n));
  const offers = await Promise.all(
    Array.from({ length: LANE_COUNT }, () => lane(buyer.money, seller.money)),
  );
  const { chainId, escrow } = seller.money.identity();
  const signing = { secp256k1: native, digests: new EscrowDigests({ chainId, escrow }) };
  const messages = voucherMessages(2 * count, { offers, key: buyer.hotKey }, signing);
  return async (from, to) => {
    for (let at = from; at < to; at += BURST) {
      await Promise.all(messages.slice(at, at + BURST).map((view) => acked(seller.money, view)));
    }
  };
}

interface Node {
  readonly money: MoneyService;
  readonly hotKey: Uint8Array;
}

async function openNode(name: string): Promise<Node> {
  const dataFolder = join(folder, name);
  const keys = await openLocalKey(join(dataFolder, 'local-key.json'));
  const money = await openMoney({
    ...{ dataFolder, keys, network: { name: 'local' }, localChainFolder: join(folder, 'chain') },
    autoDepositMax: atto(LANE_CAP * BigInt(LANE_COUNT) * 2n),
    roundMs: 3_600_000,
  });
  opened.push(money);
  return { money, hotKey: keys.hotKey };
}

/** A lane granted by one wallet and admitted by the other. */
async function lane(buyer: MoneyService, seller: MoneyService): Promise<LaneOffer> {
  const offer = await new Promise<LaneOffer>((resolve, reject) =>
    buyer.purse.requestLane(seller.account, atto(LANE_CAP), (grant) =>
      grant.ok ? resolve(grant.offer) : reject(new Error(grant.refusal.text)),
    ),
  );
  await new Promise<void>((resolve, reject) =>
    seller.book.admitLane(offer, (admission) =>
      admission.ok ? resolve() : reject(new Error(admission.refusal.text)),
    ),
  );
  return offer;
}

function acked({ book }: { readonly book: SellerBook }, view: Uint8Array): Promise<Uint8Array> {
  const { allotment, lane: index, amount, signature } = read(view);
  const signed = { voucher: { allotment, lane: index, amount }, signature };
  const remote = `10.0.0.${index}:6881`;
  const context = { torrentKey: 'ab'.repeat(20), remote, paidBytes: Number(amount / 10n ** 9n) };
  return new Promise((resolve, reject) =>
    book.acceptVoucher(signed, context, (outcome) => {
      if (!outcome.ok) return reject(new Error(outcome.refusal.text));
      const terms = { metered: bytes(context.paidBytes), window: bytes(65_536) };
      const ack = { allotment, lane: index, amount: outcome.earned, ...terms };
      resolve(encodeBwPay({ type: 'ack', ...ack }));
    }),
  );
}

function entryOf({ allotment, header, lane: { index, cap } }: LaneOffer): LaneEntry {
  const { signer, expiry } = header;
  return { allotment, lane: index, signer, cap, expiry, best: ZERO_ATTO };
}

function read(view: Uint8Array): VoucherMessage {
  const message = decodeBwPay(view);
  if (message?.type !== 'voucher') throw new Error('this is no voucher');
  return message;
}

function must(isRight: boolean): asserts isRight {
  if (!isRight) throw new Error('a good voucher was refused');
}
