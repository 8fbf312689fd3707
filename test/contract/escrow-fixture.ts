/** A LaneEscrow contract on a fresh chain of its own, for tests that compare it with our code. */
import { fileURLToPath } from 'node:url';
import {
  BaseError,
  type Chain,
  ContractFunctionRevertedError,
  createPublicClient,
  createTestClient,
  createWalletClient,
  defineChain,
  type Hex,
  http,
  type PublicClient,
  type TestClient,
  type Transport,
  type WalletClient,
} from 'viem';
import { laneEscrowAbi, laneEscrowBytecode } from '../../src/chain/testing/lane-escrow-artifact.ts';
import {
  type AllotmentHeader,
  allotmentId,
  type EscrowDomain,
  type Lane,
  type PathStep,
} from '../../src/payment/index.ts';
import {
  type Address,
  type Atto,
  assert,
  type Hash32,
  hash32FromBytes,
  parseAddress,
  toHex,
} from '../../src/units/index.ts';
import { type Child, startChild } from '../support/children.ts';
import { findFreePort, waitUntilListening } from '../support/ports.ts';

const CHAIN_ID = 31_337;

/** Before London there is one gas price, and it has to be named. */
const GAS_PRICE = 2_000_000_000n;

const ANVIL = fileURLToPath(new URL('../../node_modules/.bin/anvil', import.meta.url));

/** What `claim` needs of one lane. */
export interface TestClaim {
  readonly allotment: Hash32;
  readonly header: AllotmentHeader;
  readonly lane: Lane;
  readonly path: readonly PathStep[];
  readonly amount: Atto;
  /** 65 bytes of the allotment's signer. */
  readonly voucher: Uint8Array;
}

/** A payee's consent for `claimFor`. */
export interface TestCollect {
  readonly payee: Address;
  readonly signature: Uint8Array;
}

/** The contract, and a payer as rich as a test wants. */
export class EscrowFixture {
  readonly domain: EscrowDomain;
  readonly payer: Address;
  readonly #node: Child;
  readonly #reader: PublicClient<Transport, Chain>;
  readonly #wallet: WalletClient<Transport, Chain>;
  readonly #tester: TestClient<'anvil', Transport, Chain>;
  #salt = 0;

  private constructor(
    node: Child,
    clients: {
      readonly reader: PublicClient<Transport, Chain>;
      readonly wallet: WalletClient<Transport, Chain>;
      readonly tester: TestClient<'anvil', Transport, Chain>;
    },
    made: { readonly escrow: Address; readonly payer: Address },
  ) {
    this.#node = node;
    this.#reader = clients.reader;
    this.#wallet = clients.wallet;
    this.#tester = clients.tester;
    this.domain = { chainId: CHAIN_ID, escrow: made.escrow };
    this.payer = made.payer;
  }

  /** Starts a chain on a free port and deploys. */
  static async start(): Promise<EscrowFixture> {
    const port = await findFreePort();
    const args = ['-p', String(port), '--chain-id', String(CHAIN_ID), '--hardfork', 'berlin', '-q'];
    const node = startChild(ANVIL, args, { timeoutMs: 120_000 });
    try {
      await waitUntilListening({ host: '127.0.0.1', port });
      return await EscrowFixture.#deployed(node, `http://127.0.0.1:${port}`);
    } catch (error) {
      await node.stop();
      throw error;
    }
  }

  static async #deployed(node: Child, url: string): Promise<EscrowFixture> {
    const chain = defineChain({
      id: CHAIN_ID,
      name: 'test',
      nativeCurrency: { name: 'BTT', symbol: 'BTT', decimals: 18 },
      rpcUrls: { default: { http: [url] } },
    });
    const options = { chain, transport: http(url), pollingInterval: 10, cacheTime: 0 };
    const reader = createPublicClient(options);
    const wallet = createWalletClient(options);
    const tester = createTestClient({ ...options, mode: 'anvil' });
    const [account] = await wallet.getAddresses();
    assert(account, 'the chain has accounts');
    const hash = await wallet.deployContract({
      abi: laneEscrowAbi,
      bytecode: laneEscrowBytecode,
      account,
      gasPrice: GAS_PRICE,
    });
    const { contractAddress } = await reader.waitForTransactionReceipt({ hash });
    assert(contractAddress, 'the contract was deployed');
    const made = { escrow: parseAddress(contractAddress), payer: parseAddress(account) };
    return new EscrowFixture(node, { reader, wallet, tester }, made);
  }

  async stop(): Promise<void> {
    await this.#node.stop();
  }

  /** Time of the newest block, in Unix seconds. */
  async now(): Promise<number> {
    return Number((await this.#reader.getBlock()).timestamp);
  }

  /** Deposits what it takes, opens an allotment under a salt of its own and returns its id. */
  async open(header: AllotmentHeader): Promise<Hash32> {
    const half = header.sum / 2n;
    await this.#deposit(half);
    await this.#deposit(header.sum - half);
    const salt = hash32FromBytes(new Uint8Array(32).fill(this.#salt++, 31));
    const { root, sum, expiry, signer, depth, laneCount } = header;
    await this.#mined(
      this.#wallet.writeContract({
        ...this.#contract,
        functionName: 'open',
        args: [salt, root, sum, BigInt(expiry), signer, depth, laneCount],
        account: this.payer,
        gasPrice: GAS_PRICE,
      }),
    );
    return allotmentId(this.payer, salt);
  }

  /** What `claim` would do for `from` now: `ok`, or the name of the contract's error. */
  tryClaim(claims: readonly TestClaim[], from: Address): Promise<string> {
    return outcomeOf(
      this.#reader.simulateContract({
        ...this.#contract,
        functionName: 'claim',
        args: [claims.map(toStruct)],
        account: from,
      }),
    );
  }

  /** What `claimFor` would do now, sent by the payer. */
  tryClaimFor(claim: TestClaim, collect: TestCollect): Promise<string> {
    const consent = { payee: collect.payee, signature: toSignature(collect.signature) };
    return outcomeOf(
      this.#reader.simulateContract({
        ...this.#contract,
        functionName: 'claimFor',
        args: [[toStruct(claim)], [consent]],
        account: this.payer,
      }),
    );
  }

  /** Claims for real. */
  async claim(claim: TestClaim, from: Address): Promise<void> {
    await this.#tester.setBalance({ address: from, value: 2n ** 80n });
    await this.#tester.impersonateAccount({ address: from });
    await this.#mined(
      this.#wallet.writeContract({
        ...this.#contract,
        functionName: 'claim',
        args: [[toStruct(claim)]],
        account: from,
        gasPrice: GAS_PRICE,
      }),
    );
  }

  /** The contract's word for an open allotment. */
  head(allotment: Hash32): Promise<Hex> {
    const args = [allotment] as const;
    return this.#reader.readContract({ ...this.#contract, functionName: 'head', args });
  }

  /** What was claimed of an allotment in all. */
  async claimedSum(allotment: Hash32): Promise<bigint> {
    const args = [allotment] as const;
    const call = { ...this.#contract, functionName: 'claimed', args } as const;
    return (await this.#reader.readContract(call))[0];
  }

  domainSeparator(): Promise<Hex> {
    return this.#reader.readContract({ ...this.#contract, functionName: 'domainSeparator' });
  }

  /** Anvil reckons balances in 128 bits: the payer is given new coins for every deposit. */
  async #deposit(value: bigint): Promise<void> {
    await this.#tester.setBalance({ address: this.payer, value: value + 2n ** 80n });
    await this.#mined(
      this.#wallet.writeContract({
        ...this.#contract,
        functionName: 'deposit',
        account: this.payer,
        value,
        gasPrice: GAS_PRICE,
      }),
    );
  }

  get #contract(): { readonly address: Address; readonly abi: typeof laneEscrowAbi } {
    return { address: this.domain.escrow, abi: laneEscrowAbi };
  }

  async #mined(sent: Promise<Hex>): Promise<void> {
    const receipt = await this.#reader.waitForTransactionReceipt({ hash: await sent });
    assert(receipt.status === 'success', 'the transaction was mined and did not revert');
  }
}

/** `ok`, or the name of the error that the contract reverted with. */
async function outcomeOf(simulation: Promise<unknown>): Promise<string> {
  try {
    await simulation;
    return 'ok';
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    const reverted = error.walk((cause) => cause instanceof ContractFunctionRevertedError);
    if (reverted instanceof ContractFunctionRevertedError && reverted.data) {
      return reverted.data.errorName;
    }
    throw error;
  }
}

interface ClaimStruct {
  readonly allotment: Hash32;
  readonly header: Omit<AllotmentHeader, 'expiry'> & { readonly expiry: bigint };
  readonly lane: number;
  readonly cap: bigint;
  readonly amount: bigint;
  readonly voucher: { readonly r: Hex; readonly s: Hex; readonly v: number };
  readonly path: readonly PathStep[];
}

function toStruct(claim: TestClaim): ClaimStruct {
  const { allotment, header, lane, path, amount, voucher } = claim;
  return {
    allotment,
    header: { ...header, expiry: BigInt(header.expiry) },
    lane: lane.index,
    cap: lane.cap,
    amount,
    voucher: toSignature(voucher),
    path,
  };
}

function toSignature(signature: Uint8Array): { r: Hex; s: Hex; v: number } {
  return {
    r: `0x${toHex(signature.subarray(0, 32))}`,
    s: `0x${toHex(signature.subarray(32, 64))}`,
    v: signature[64] ?? 0,
  };
}
