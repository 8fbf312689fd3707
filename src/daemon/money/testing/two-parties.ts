/** A buyer and a seller on one embedded chain, for tests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  LaneAdmission,
  LaneGrant,
  PaymentContext,
  SignOutcome,
  VoucherOutcome,
} from '../../../exchange/index.ts';
import type { LaneOffer, SignedVoucher, Voucher } from '../../../payment/index.ts';
import { openLocalKey } from '../../../platform/keystore/index.ts';
import { type Address, type Atto, atto } from '../../../units/index.ts';
import { type MoneyOptions, type MoneyService, openMoney, type PurseAndBook } from '../index.ts';

/** One BTT. */
export const BTT: bigint = 10n ** 18n;

/** Where the vouchers of these tests belong. */
export const CONTEXT: PaymentContext = {
  torrentKey: 'ab'.repeat(20),
  remote: '127.0.0.1:6881',
  paidBytes: 0,
};

/** A folder that holds one chain and any number of nodes. */
export class Town {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'bidwidth-money-'));
  readonly #open = new Set<MoneyService>();

  /** Opens a node of this name; the same name again is the same wallet and ledger. */
  async node(name: string, options: Partial<MoneyOptions> = {}): Promise<MoneyService> {
    const dataFolder = join(this.folder, name);
    const money = await openMoney({
      dataFolder,
      network: { name: 'local' },
      keys: await openLocalKey(join(dataFolder, 'local-key.json')),
      localChainFolder: join(this.folder, 'chain'),
      purse: { firstGatherMs: 20, gatherMs: 100 },
      ...options,
    });
    this.#open.add(money);
    return money;
  }

  async close(): Promise<void> {
    for (const money of [...this.#open].reverse()) await money.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** `requestLane` as a promise. */
export function requestLane(
  money: Pick<PurseAndBook, 'purse'>,
  payee: Address,
  cap: bigint,
): Promise<LaneGrant> {
  return new Promise((resolve) => money.purse.requestLane(payee, atto(cap), resolve));
}

/** A lane that must be granted. */
export async function grantedLane(
  money: Pick<PurseAndBook, 'purse'>,
  payee: Address,
  cap: bigint,
): Promise<{ readonly offer: LaneOffer; readonly signed: Atto }> {
  const grant = await requestLane(money, payee, cap);
  if (grant.ok) return grant;
  throw new Error(`${grant.refusal.code}: ${grant.refusal.text}`);
}

/** `signVoucher` as a promise. */
export function sign(
  money: Pick<PurseAndBook, 'purse'>,
  voucher: Voucher,
  context: PaymentContext = CONTEXT,
): Promise<SignOutcome> {
  return new Promise((resolve) => money.purse.signVoucher(voucher, context, resolve));
}

/** A voucher that must be signed. */
export async function signed(
  money: Pick<PurseAndBook, 'purse'>,
  offer: LaneOffer,
  amount: bigint,
): Promise<SignedVoucher> {
  const { allotment, lane } = offer;
  const outcome = await sign(money, { allotment, lane: lane.index, amount: atto(amount) });
  if (outcome.ok) return outcome.signed;
  throw new Error(`${outcome.refusal.code}: ${outcome.refusal.text}`);
}

/** `admitLane` as a promise. */
export function admit(money: Pick<PurseAndBook, 'book'>, offer: LaneOffer): Promise<LaneAdmission> {
  return new Promise((resolve) => money.book.admitLane(offer, resolve));
}

/** `acceptVoucher` as a promise. */
export function accept(
  money: Pick<PurseAndBook, 'book'>,
  voucher: SignedVoucher,
  context: PaymentContext = CONTEXT,
): Promise<VoucherOutcome> {
  return new Promise((resolve) => money.book.acceptVoucher(voucher, context, resolve));
}
