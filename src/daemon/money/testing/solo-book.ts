/**
 * A seller's book with a real ledger and a chain that agrees to everything, for tests and benches.
 */
import type { Chain } from '../../../chain/index.ts';
import {
  allotmentId,
  buildLaneTree,
  EscrowDigests,
  type EscrowDomain,
  headerHash,
  type LaneOffer,
  nobleSecp256k1,
  type Secp256k1,
  type SignedVoucher,
} from '../../../payment/index.ts';
import { Database, GroupCommit } from '../../../platform/database/index.ts';
import { type Atto, atto, parseAddress, parseHash32, unixSeconds } from '../../../units/index.ts';
import { Book } from '../book.ts';
import { ChainClock } from '../chain-clock.ts';
import { EarningRecords } from '../earning-records.ts';
import { HistoryRecords } from '../history-records.ts';
import { LEDGER_MIGRATIONS } from '../schema.ts';

const SIGNER_KEY: Uint8Array = new Uint8Array(32).fill(5);
const PAYEE = parseAddress(`0x${'e'.repeat(40)}`);
const PAYER = parseAddress(`0x${'f'.repeat(40)}`);

/** One lane with a lot of room, and the domain its vouchers are signed under. */
export const soloOffer: { readonly offer: LaneOffer; readonly domain: EscrowDomain } = makeOffer();

/** A book whose ledger is at `path`. */
export function soloBook(
  path: string,
  secp256k1: Secp256k1,
): { readonly book: Book; readonly database: Database; readonly earnings: EarningRecords } {
  const database = Database.open({ path, migrations: LEDGER_MIGRATIONS });
  const chain = agreeingChain();
  const earnings = new EarningRecords(database);
  const book = new Book({
    chain,
    payee: PAYEE,
    earnings,
    history: new HistoryRecords(database),
    group: new GroupCommit(database),
    clock: new ChainClock(chain),
    digests: new EscrowDigests(soloOffer.domain),
    secp256k1,
  });
  return { book, database, earnings };
}

/** A voucher of the lane over `amount`. */
export function voucherOf(
  digests: EscrowDigests,
  secp256k1: Secp256k1,
  amount: Atto,
): SignedVoucher {
  const { allotment, lane } = soloOffer.offer;
  const voucher = { allotment, lane: lane.index, amount };
  return { voucher, signature: secp256k1.sign(digests.voucher(voucher), SIGNER_KEY) };
}

function makeOffer(): { readonly offer: LaneOffer; readonly domain: EscrowDomain } {
  const { root, sum, depth, laneCount, lanes, paths } = buildLaneTree([
    { payee: PAYEE, cap: atto(10n ** 30n) },
  ]);
  const signer = nobleSecp256k1.publicAddress(SIGNER_KEY);
  const expiry = unixSeconds(4_000_000_000);
  const header = { payer: PAYER, root, sum, expiry, signer, depth, laneCount };
  const allotment = allotmentId(PAYER, parseHash32(`0x${'1'.repeat(64)}`));
  const [lane] = lanes;
  if (!lane) throw new Error('a tree has a lane');
  const offer = { allotment, header, lane, path: paths[0] ?? [] };
  return { offer, domain: { chainId: 1, escrow: PAYER } };
}

/** Only what the book asks of a chain; a test double cannot be all of the class. */
function agreeingChain(): Chain {
  const chain = {
    network: { name: 'test', pollMs: 1 },
    depthFor: () => 0,
    blockAtDepth: async () => 'latest',
    escrow: {
      head: async () => headerHash(soloOffer.offer.header),
      isClaimed: async () => false,
    },
  };
  return chain as unknown as Chain;
}
