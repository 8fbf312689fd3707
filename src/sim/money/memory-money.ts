/** A purse and a book that keep everything in maps and answer when the virtual clock says so. */

import type {
  BuyerPurse,
  LaneAdmission,
  LaneGrant,
  Refusal,
  SellerBook,
  SessionIdentity,
  SignOutcome,
  VoucherOutcome,
} from '../../exchange/index.ts';
import type { LaneOffer, Voucher } from '../../payment/index.ts';
import {
  type Address,
  type Atto,
  atto,
  type Hash32,
  hashBytes,
  parseAddress,
  parseHash32,
  unixSeconds,
  ZERO_ATTO,
} from '../../units/index.ts';

/** Runs `job` after so many milliseconds of the virtual clock. */
export type Later = (delayMs: number, job: () => void) => void;

/** A made-up account. */
export function account(index: number): Address {
  return parseAddress(`0x${index.toString(16).padStart(40, '0')}`);
}

/** A signature that says whose it is: the address in front, v = 27 at the end. */
export function signatureOf(signer: Address): Uint8Array {
  const signature = new Uint8Array(65);
  signature.set(hashBytes(signer));
  signature[64] = 27;
  return signature;
}

/** The reverse of `signatureOf`, in place of public key recovery. */
export function signerOf(signature: Uint8Array): Address {
  let hex = '0x';
  for (const byte of signature.subarray(0, 20)) hex += byte.toString(16).padStart(2, '0');
  return parseAddress(hex);
}

/** A node's keys. */
export function identityOf(payee: Address): SessionIdentity {
  return { chainId: 199, escrow: account(0xe5c), payee, bind: () => signatureOf(payee) };
}

/** A payer's nth lane, valid in form. */
export function laneOffer(
  nth: number,
  payee: Address,
  cap: Atto,
  payer: Address = PAYER,
): LaneOffer {
  const allotment = parseHash32(`${payer}${nth.toString(16).padStart(24, '0')}`);
  return {
    allotment,
    header: {
      payer,
      root: allotment,
      sum: cap,
      expiry: unixSeconds(2e9),
      signer: SIGNER,
      depth: 0,
      laneCount: 1,
    },
    lane: { index: 0, payee, cap },
    path: [],
  };
}

/** Signs the vouchers of `laneOffer`. */
export const SIGNER: Address = account(0x519);

/** Who pays when nobody else is said. */
const PAYER: Address = account(0xbe);

/** A buyer's purse. `refusal` makes it say no from now on. */
export class MemoryPurse implements BuyerPurse {
  readonly #later: Later;
  readonly #payer: Address;
  readonly #lanes = new Map<Hash32, { readonly offer: LaneOffer; signed: Atto; isFree: boolean }>();
  laneDelayMs = 50;
  signDelayMs = 2;
  refusal: Refusal | null = null;

  constructor(later: Later, payer: Address = PAYER) {
    this.#later = later;
    this.#payer = payer;
  }

  /** Over all lanes. */
  get signed(): bigint {
    return [...this.#lanes.values()].reduce((sum, lane) => sum + lane.signed, 0n);
  }

  get laneCount(): number {
    return this.#lanes.size;
  }

  requestLane(payee: Address, cap: Atto, done: (grant: LaneGrant) => void): void {
    this.#later(this.laneDelayMs, () => {
      if (this.refusal) return done({ ok: false, refusal: this.refusal });
      const old = [...this.#lanes.values()].find(
        (lane) =>
          lane.isFree && lane.offer.lane.payee === payee && lane.signed < lane.offer.lane.cap,
      );
      const lane = old ?? {
        offer: laneOffer(this.#lanes.size + 1, payee, cap, this.#payer),
        signed: ZERO_ATTO,
        isFree: false,
      };
      lane.isFree = false;
      this.#lanes.set(lane.offer.allotment, lane);
      done({ ok: true, offer: lane.offer, signed: lane.signed });
    });
  }

  signVoucher(voucher: Voucher, _context: unknown, done: (out: SignOutcome) => void): void {
    this.#later(this.signDelayMs, () => {
      const lane = this.#lanes.get(voucher.allotment);
      if (this.refusal || !lane) {
        return done({ ok: false, refusal: this.refusal ?? { code: 'sign-none', text: 'no lane' } });
      }
      lane.signed = voucher.amount;
      done({ ok: true, signed: { voucher, signature: signatureOf(SIGNER) } });
    });
  }

  releaseLane(allotment: string): void {
    const lane = this.#lanes.get(parseHash32(allotment));
    if (lane) lane.isFree = true;
  }
}

/** A seller's book. */
export class MemoryBook implements SellerBook {
  readonly #later: Later;
  readonly best: Map<string, Atto> = new Map();
  admitDelayMs = 5;
  storeDelayMs = 5;
  admissions = 0;
  checks = 0;
  refusal: Refusal | null = null;

  constructor(later: Later) {
    this.#later = later;
  }

  get earned(): bigint {
    return [...this.best.values()].reduce((sum, amount) => sum + amount, 0n);
  }

  admitLane(offer: LaneOffer, done: (admission: LaneAdmission) => void): void {
    this.admissions++;
    this.#later(this.admitDelayMs, () => {
      if (this.refusal) return done({ ok: false, refusal: this.refusal });
      if (offer.header.signer !== SIGNER) {
        return done({ ok: false, refusal: { code: 'lane-chain', text: 'not on the chain' } });
      }
      done({ ok: true, earned: this.best.get(offer.allotment) ?? ZERO_ATTO });
    });
  }

  acceptVoucher(
    signed: { readonly voucher: Voucher; readonly signature: Uint8Array },
    _context: unknown,
    done: (outcome: VoucherOutcome) => void,
  ): void {
    this.checks++;
    this.#later(this.storeDelayMs, () => {
      if (signerOf(signed.signature) !== SIGNER) {
        return done({ ok: false, refusal: { code: 'voucher-signature', text: 'not the signer' } });
      }
      const { allotment, amount } = signed.voucher;
      this.best.set(allotment, atto(amount));
      done({ ok: true, earned: amount });
    });
  }
}
