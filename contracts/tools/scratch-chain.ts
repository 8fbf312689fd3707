/** A throw-away anvil chain under Berlin's rules, with the escrow deployed on it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  type Abi,
  type Account,
  type Chain,
  createPublicClient,
  createWalletClient,
  encodeFunctionData,
  http,
  type PublicClient,
  type Transport,
  type WalletClient,
} from 'viem';
import { laneEscrowAbi, laneEscrowBytecode } from '../../src/chain/testing/lane-escrow-artifact.ts';
import { type Address, parseAddress } from '../../src/units/index.ts';
import { foundryProgram } from './foundry.ts';

/** Genesis time: fixed, so that expiries, and with them signatures and gas, are always the same. */
export const GENESIS_SECONDS = 1_750_000_000;

/** Chain id: fixed for the same reason. */
export const CHAIN_ID = 1337;

/** Widened on purpose: here functions are called by names that come as text. */
const ABI: Abi = laneEscrowAbi;
const GAS_PRICE = 1_000_000_000n;
const GAS_LIMIT = 25_000_000n;

/** What a transaction calls: a function of the escrow. */
export interface Call {
  readonly from: Address;
  readonly functionName: string;
  readonly args: readonly unknown[];
  readonly value?: bigint;
}

/** A running chain. Close it, or the process does not end. */
export class ScratchChain {
  readonly #anvil: ChildProcess;
  readonly #wallet: WalletClient<Transport, Chain, Account | undefined>;
  readonly #reader: PublicClient;
  /** Rich accounts whose keys the chain holds. */
  readonly accounts: readonly Address[];
  readonly escrow: Address;
  readonly deployGas: number;

  private constructor(
    anvil: ChildProcess,
    clients: {
      wallet: WalletClient<Transport, Chain, Account | undefined>;
      reader: PublicClient;
    },
    deployed: { accounts: readonly Address[]; escrow: Address; deployGas: number },
  ) {
    this.#anvil = anvil;
    this.#wallet = clients.wallet;
    this.#reader = clients.reader;
    this.accounts = deployed.accounts;
    this.escrow = deployed.escrow;
    this.deployGas = deployed.deployGas;
  }

  /** Starts anvil on a free port and deploys the escrow from its first account. */
  static async start(): Promise<ScratchChain> {
    const { anvil, url } = await startAnvil();
    const chain: Chain = {
      id: CHAIN_ID,
      name: 'scratch',
      nativeCurrency: { name: 'BTT', symbol: 'BTT', decimals: 18 },
      rpcUrls: { default: { http: [url] } },
    };
    const wallet = createWalletClient({ chain, transport: http(url) });
    const reader = createPublicClient({ chain, transport: http(url), pollingInterval: 10 });
    const accounts = (await wallet.getAddresses()).map(parseAddress);
    const [deployer] = accounts;
    if (!deployer) throw new Error('anvil has no accounts');
    const hash = await wallet.deployContract({
      abi: laneEscrowAbi,
      bytecode: laneEscrowBytecode,
      account: deployer,
      ...legacy(),
    });
    const receipt = await reader.waitForTransactionReceipt({ hash });
    if (!receipt.contractAddress) throw new Error('the escrow was not deployed');
    const escrow = parseAddress(receipt.contractAddress);
    const deployGas = Number(receipt.gasUsed);
    return new ScratchChain(anvil, { wallet, reader }, { accounts, escrow, deployGas });
  }

  /** Sends one transaction and gives the gas its receipt says; throws when it reverts. */
  async send(call: Call): Promise<number> {
    const { functionName, args } = call;
    const hash = await this.#wallet.sendTransaction({
      account: call.from,
      to: this.escrow,
      data: encodeFunctionData({ abi: ABI, functionName, args }),
      value: call.value ?? 0n,
      ...legacy(),
    });
    const receipt = await this.#reader.waitForTransactionReceipt({ hash });
    if (receipt.status !== 'success') throw new Error(`${call.functionName} reverted (${hash})`);
    return Number(receipt.gasUsed);
  }

  /** Reads a view of the escrow. */
  async read(functionName: string, args: readonly unknown[]): Promise<unknown> {
    return this.#reader.readContract({ abi: ABI, address: this.escrow, functionName, args });
  }

  /** Moves the chain's clock; the next block bears this time or a second more. */
  async setTime(seconds: number): Promise<void> {
    await this.#reader.request({
      method: 'evm_setNextBlockTimestamp',
      params: [seconds],
    } as unknown as Parameters<PublicClient['request']>[0]);
  }

  async close(): Promise<void> {
    const exited = once(this.#anvil, 'exit');
    this.#anvil.kill('SIGTERM');
    await exited;
  }
}

/** BTTC knows no other kind of transaction. */
function legacy(): { type: 'legacy'; gas: bigint; gasPrice: bigint } {
  return { type: 'legacy', gas: GAS_LIMIT, gasPrice: GAS_PRICE };
}

async function startAnvil(): Promise<{ anvil: ChildProcess; url: string }> {
  const args = [
    '--port',
    '0',
    '--hardfork',
    'berlin',
    '--gas-limit',
    '30000000',
    '--balance',
    '100000000',
  ];
  args.push('--chain-id', `${CHAIN_ID}`, '--timestamp', `${GENESIS_SECONDS}`);
  const anvil = spawn(foundryProgram('anvil'), args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  for await (const chunk of anvil.stdout) {
    printed += chunk;
    const address = /Listening on (\S+)/.exec(printed)?.[1];
    if (address) {
      anvil.stdout.on('data', () => {}); // Keeps the pipe from filling up.
      return { anvil, url: `http://${address}` };
    }
  }
  throw new Error(`anvil did not start: ${printed}`);
}
