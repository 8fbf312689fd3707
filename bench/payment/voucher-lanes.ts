/** Lanes and signed vouchers as they arrive at a seller, made before the clock starts. */
import {
  buildLaneTree,
  EscrowDigests,
  type Keccak256,
  type LaneOffer,
  type Secp256k1,
} from '../../src/payment/index.ts';
import {
  type Address,
  type Atto,
  atto,
  parseAddress,
  parseHash32,
  unixSeconds,
} from '../../src/units/index.ts';
import { encodeBwPay } from '../../src/wire/index.ts';

/** One allotment of lanes toward a seller, and who signs for it. */
export interface VoucherLanes {
  readonly offers: readonly LaneOffer[];
  readonly key: Uint8Array;
}

const CAP: Atto = atto(10n ** 24n);
const STEP = 10n ** 13n;

/** Lanes of an allotment that is on no chain: for verdicts alone. */
export function madeUpLanes(count: number, payee: Address, secp256k1: Secp256k1): VoucherLanes {
  const key = new Uint8Array(32).fill(7);
  const lanes = Array.from({ length: count }, () => ({ payee, cap: CAP }));
  const { root, sum, depth, laneCount, paths, lanes: placed } = buildLaneTree(lanes);
  const signer = secp256k1.publicAddress(key);
  const expiry = unixSeconds(2 ** 40);
  const header = { payer: signer, root, sum, expiry, signer, depth, laneCount };
  const allotment = parseHash32(`0x${'a1'.repeat(32)}`);
  const offers = placed.map((lane) => ({ allotment, header, lane, path: paths[lane.index] ?? [] }));
  return { offers, key };
}

/** Digests under a contract that is nowhere. */
export function madeUpDigests(keccak256?: Keccak256): EscrowDigests {
  const escrow = parseAddress(`0x${'5e'.repeat(20)}`);
  return new EscrowDigests({ chainId: 199, escrow }, keccak256);
}

/** `count` voucher messages in bytes, of all lanes in turn, each adding to the one before. */
export function voucherMessages(
  count: number,
  { offers, key }: VoucherLanes,
  signing: { readonly secp256k1: Secp256k1; readonly digests: EscrowDigests },
): readonly Uint8Array[] {
  return Array.from({ length: count }, (_, nth) => {
    const offer = offers[nth % offers.length] as LaneOffer;
    const round = BigInt(1 + Math.floor(nth / offers.length));
    const voucher = {
      allotment: offer.allotment,
      lane: offer.lane.index,
      amount: atto(round * STEP),
    };
    const signature = signing.secp256k1.sign(signing.digests.voucher(voucher), key);
    return encodeBwPay({ type: 'voucher', ...voucher, signature });
  });
}
