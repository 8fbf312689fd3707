/** The LaneEscrow contract as functions. Loads viem: import it only behind `openChain`. */
import { decodeErrorResult, decodeFunctionResult, encodeFunctionData, isHex } from 'viem';
import type { AllotmentHeader, LaneOffer, PathStep, SignedVoucher } from '../payment/index.ts';
import { type Address, type Atto, atto, type Hash32, parseHash32, toHex } from '../units/index.ts';
import { ChainError } from './chain-error.ts';
import { type BlockTag, blockParameter, type MinedReceipt } from './chain-reads.ts';
import { laneEscrowAbi } from './lane-escrow.generated.ts';
import type { Rpc } from './rpc-client.ts';
import type { SendQueue } from './send-queue.ts';

/** A lane to be cashed with its best voucher. */
export interface LaneClaim {
  readonly offer: LaneOffer;
  readonly signed: SignedVoucher;
}

/** A payee's consent that somebody else sends its claim. */
export interface CollectConsent {
  readonly payee: Address;
  /** 65 bytes over `EscrowDigests.collect`. */
  readonly signature: Uint8Array;
}

/** What was claimed of an allotment: in all, and of which lanes (bit i is lane i). */
export interface ClaimedTally {
  readonly sum: Atto;
  readonly lanes: bigint;
}

/** How to send: what for, and how deep to wait. */
export interface SendTerms {
  readonly purpose: string;
  readonly depth?: number;
}

/** Reads and writes one deployed contract. */
export class LaneEscrow {
  readonly address: Address;
  readonly #rpc: Rpc;

  constructor(rpc: Rpc, address: Address) {
    this.#rpc = rpc;
    this.address = address;
  }

  /** What `account` can withdraw or lock now. */
  async free(account: Address): Promise<Atto> {
    const data = encodeFunctionData({
      abi: laneEscrowAbi,
      functionName: 'free',
      args: [account],
    });
    const result = await this.#view(data, 'latest');
    return atto(decodeFunctionResult({ abi: laneEscrowAbi, functionName: 'free', data: result }));
  }

  /** As of a block: `headerHash` of an open allotment, 1 of a closed one, 0 of an unknown one. */
  async head(allotment: Hash32, tag: BlockTag = 'latest'): Promise<Hash32> {
    const data = encodeFunctionData({
      abi: laneEscrowAbi,
      functionName: 'head',
      args: [allotment],
    });
    return parseHash32(await this.#view(data, tag));
  }

  /** What was claimed so far. Kept after closing. */
  async claimed(allotment: Hash32): Promise<ClaimedTally> {
    const data = encodeFunctionData({
      abi: laneEscrowAbi,
      functionName: 'claimed',
      args: [allotment],
    });
    const result = await this.#view(data, 'latest');
    const [sum, lanes] = decodeFunctionResult({
      abi: laneEscrowAbi,
      functionName: 'claimed',
      data: result,
    });
    return { sum: atto(sum), lanes };
  }

  /** Whether a lane was cashed: then it pays nothing more, for ever. */
  async isClaimed(allotment: Hash32, lane: number): Promise<boolean> {
    const { lanes } = await this.claimed(allotment);
    return ((lanes >> BigInt(lane)) & 1n) === 1n;
  }

  /** Credits the sender's account with coins of its wallet. */
  deposit(queue: SendQueue, amount: Atto, terms: SendTerms): Promise<MinedReceipt> {
    const data = encodeFunctionData({ abi: laneEscrowAbi, functionName: 'deposit' });
    return queue.send({ to: this.address, data, value: amount, ...terms });
  }

  /** Sends free coins of the sender's account to a wallet. */
  withdraw(
    queue: SendQueue,
    payout: { readonly amount: Atto; readonly to: Address },
    terms: SendTerms,
  ): Promise<MinedReceipt> {
    const data = encodeFunctionData({
      abi: laneEscrowAbi,
      functionName: 'withdraw',
      args: [payout.amount, payout.to],
    });
    return queue.send({ to: this.address, data, ...terms });
  }

  /** Locks the header's sum toward the lanes under its root. */
  open(
    queue: SendQueue,
    opening: { readonly salt: Hash32; readonly header: AllotmentHeader },
    terms: SendTerms,
  ): Promise<MinedReceipt> {
    const { root, sum, expiry, signer, depth, laneCount } = opening.header;
    const data = encodeFunctionData({
      abi: laneEscrowAbi,
      functionName: 'open',
      args: [opening.salt, root, sum, BigInt(expiry), signer, depth, laneCount],
    });
    return queue.send({ to: this.address, data, ...terms });
  }

  /** Cashes lanes of the sender, all or none. */
  claim(queue: SendQueue, claims: readonly LaneClaim[], terms: SendTerms): Promise<MinedReceipt> {
    const data = encodeFunctionData({
      abi: laneEscrowAbi,
      functionName: 'claim',
      args: [claims.map(encodeClaim)],
    });
    return queue.send({ to: this.address, data, ...terms });
  }

  /** Cashes lanes of others with their consent, all or none; they are credited, we pay the gas. */
  claimFor(
    queue: SendQueue,
    claims: readonly (LaneClaim & { readonly consent: CollectConsent })[],
    terms: SendTerms,
  ): Promise<MinedReceipt> {
    const collects = claims.map(({ consent }) => ({
      payee: consent.payee,
      signature: encodeSignature(consent.signature),
    }));
    const data = encodeFunctionData({
      abi: laneEscrowAbi,
      functionName: 'claimFor',
      args: [claims.map(encodeClaim), collects],
    });
    return queue.send({ to: this.address, data, ...terms });
  }

  /** Returns what was not claimed to the payer: after expiry, or when every lane is claimed. */
  close(
    queue: SendQueue,
    allotment: { readonly id: Hash32; readonly header: AllotmentHeader },
    terms: SendTerms,
  ): Promise<MinedReceipt> {
    const data = encodeFunctionData({
      abi: laneEscrowAbi,
      functionName: 'close',
      args: [allotment.id, encodeHeader(allotment.header)],
    });
    return queue.send({ to: this.address, data, ...terms });
  }

  async #view(data: `0x${string}`, tag: BlockTag): Promise<`0x${string}`> {
    const call = { to: this.address, data };
    const result = await this.#rpc.call('eth_call', [call, blockParameter(tag)]);
    if (isHex(result) && result.length > 2) return result;
    throw new ChainError(
      'CHAIN_NO_CONTRACT',
      `there is no LaneEscrow contract at ${this.address}: give its address, or deploy one`,
      { escrow: this.address },
    );
  }
}

/** The name of the contract's error and its arguments; null when it is not one of its errors. */
export function explainEscrowRevert(revertData: string): string | null {
  if (!isHex(revertData)) return null;
  try {
    const { errorName, args } = decodeErrorResult({ abi: laneEscrowAbi, data: revertData });
    return `${errorName}(${(args ?? []).join(', ')})`;
  } catch {
    // Not an error of this contract: viem throws for an unknown selector.
    return null;
  }
}

function encodeClaim({ offer, signed }: LaneClaim): {
  allotment: Hash32;
  header: ReturnType<typeof encodeHeader>;
  lane: number;
  cap: bigint;
  amount: bigint;
  voucher: ReturnType<typeof encodeSignature>;
  path: readonly PathStep[];
} {
  return {
    allotment: offer.allotment,
    header: encodeHeader(offer.header),
    lane: offer.lane.index,
    cap: offer.lane.cap,
    amount: signed.voucher.amount,
    voucher: encodeSignature(signed.signature),
    path: offer.path,
  };
}

function encodeHeader(header: AllotmentHeader): Omit<AllotmentHeader, 'expiry'> & {
  expiry: bigint;
} {
  return { ...header, expiry: BigInt(header.expiry) };
}

function encodeSignature(signature: Uint8Array): {
  r: `0x${string}`;
  s: `0x${string}`;
  v: number;
} {
  return {
    r: `0x${toHex(signature.subarray(0, 32))}`,
    s: `0x${toHex(signature.subarray(32, 64))}`,
    v: signature[64] ?? 0,
  };
}
