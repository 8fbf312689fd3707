/** A payer whose every move a test decides: it opens real allotments and signs what it is told. */
import {
  type Chain,
  LOCAL_CHAIN_ID,
  LOCAL_ESCROW,
  loadSecp256k1,
  openChain,
  type SendJournal,
  type SendQueue,
} from '../../src/chain/index.ts';
import {
  allotmentId,
  buildLaneTree,
  EscrowDigests,
  type EscrowDomain,
  type LaneOffer,
} from '../../src/payment/index.ts';
import { type Address, atto, hash32FromBytes, unixSeconds } from '../../src/units/index.ts';
import type { VoucherMessage } from '../../src/wire/index.ts';

const { secp256k1 } = loadSecp256k1();
const LIFE_SECONDS = 86_400;

/** See the head of this file. One key both funds and signs. */
export class Payer implements AsyncDisposable {
  readonly account: Address;
  readonly #key: Uint8Array;
  readonly #chain: Chain;
  readonly #queue: SendQueue;
  #salt = 0;

  private constructor(chain: Chain, key: Uint8Array) {
    this.#chain = chain;
    this.#key = key;
    this.account = secp256k1.publicAddress(key);
    this.#queue = chain.queueFor(key, FORGETFUL);
  }

  /** A payer with plenty of play money in the contract. */
  static async open(chainFolder: string, key: Uint8Array): Promise<Payer> {
    const chain = await openChain({ network: { name: 'local' }, localFolder: chainFolder });
    const payer = new Payer(chain, key);
    await chain.faucet(payer.account, atto(10n ** 24n));
    await chain.escrow.deposit(payer.#queue, atto(10n ** 22n), { purpose: 'deposit' });
    return payer;
  }

  /** An allotment that was never opened, with one lane for each payee. */
  forge(cap: bigint, ...payees: readonly Address[]): LaneOffer {
    const wishes = payees.map((payee) => ({ payee, cap: atto(cap) }));
    const { root, sum, depth, laneCount, lanes, paths } = buildLaneTree(wishes);
    const expiry = unixSeconds(Math.floor(Date.now() / 1_000) + LIFE_SECONDS);
    const payer = this.account;
    const header = { payer, root, sum, expiry, signer: payer, depth, laneCount };
    const [lane] = lanes;
    if (!lane) throw new Error('an allotment has a lane');
    return { allotment: allotmentId(payer, this.#nextSalt()), header, lane, path: paths[0] ?? [] };
  }

  /** Opens an allotment on the chain; the lane of the first payee. */
  async openLane(cap: bigint, ...payees: readonly Address[]): Promise<LaneOffer> {
    const offer = this.forge(cap, ...payees);
    const salt = hash32FromBytes(saltBytes(this.#salt));
    await this.#chain.escrow.open(this.#queue, { salt, header: offer.header }, { purpose: 'open' });
    return offer;
  }

  /** A voucher; signed by another key or for another contract if so told. */
  voucher(
    { allotment, lane }: LaneOffer,
    amount: bigint,
    forged: { readonly key?: Uint8Array; readonly domain?: Partial<EscrowDomain> } = {},
  ): VoucherMessage {
    const voucher = { allotment, lane: lane.index, amount: atto(amount) };
    const domain = { chainId: LOCAL_CHAIN_ID, escrow: LOCAL_ESCROW, ...forged.domain };
    const digest = new EscrowDigests(domain).voucher(voucher);
    const signature = secp256k1.sign(digest, forged.key ?? this.#key);
    return { type: 'voucher', ...voucher, signature };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue.close();
    await this.#chain.close();
  }

  #nextSalt(): ReturnType<typeof hash32FromBytes> {
    this.#salt += 1;
    return hash32FromBytes(saltBytes(this.#salt));
  }
}

function saltBytes(count: number): Uint8Array {
  const salt = new Uint8Array(32);
  new DataView(salt.buffer).setUint32(28, count);
  return salt;
}

/** The tests end before a crash could matter. */
const FORGETFUL: SendJournal = {
  entries: () => [],
  unsettled: () => [],
  nextNonce: () => 0,
  add: () => {},
  settle: () => {},
};
