/** The handful of questions about blocks and accounts that everything else asks. */
import { type Address, type Atto, atto, type UnixSeconds, unixSeconds } from '../units/index.ts';
import { ChainError } from './chain-error.ts';
import type { Rpc } from './rpc-client.ts';

/** A block, as far as anybody here cares. */
export interface BlockHead {
  readonly number: number;
  readonly timestamp: UnixSeconds;
  readonly hash: string;
}

/** Where and how a transaction ended up. */
export interface MinedReceipt {
  readonly hash: string;
  readonly blockNumber: number;
  readonly isSuccess: boolean;
  readonly gasUsed: bigint;
  /** What was paid for the gas, in atto. */
  readonly fee: Atto;
  readonly contractAddress: string | null;
}

/** A block number for an RPC, or `latest`. */
export type BlockTag = number | 'latest';

/** A number as Ethereum's RPC writes quantities. */
export function quantity(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

/** The tag as an RPC parameter. */
export function blockParameter(tag: BlockTag): string {
  return tag === 'latest' ? tag : quantity(tag);
}

/** A block's head. */
export async function readBlock(rpc: Rpc, tag: BlockTag = 'latest'): Promise<BlockHead> {
  const block = asObject<RawBlock>(
    'eth_getBlockByNumber',
    await rpc.call('eth_getBlockByNumber', [blockParameter(tag), false]),
  );
  return {
    number: Number(block.number),
    timestamp: unixSeconds(Number(block.timestamp)),
    hash: String(block.hash),
  };
}

/** The native coin of an account. */
export async function readBalance(rpc: Rpc, account: Address): Promise<Atto> {
  return atto(asQuantity(await rpc.call('eth_getBalance', [account, 'latest'])));
}

/** How many transactions of the account are in blocks (`latest`) or accepted (`pending`). */
export async function readNonce(
  rpc: Rpc,
  account: Address,
  tag: 'latest' | 'pending',
): Promise<number> {
  return Number(asQuantity(await rpc.call('eth_getTransactionCount', [account, tag])));
}

/** Whether there is a contract at the address. */
export async function hasCode(rpc: Rpc, address: Address): Promise<boolean> {
  return (await rpc.call('eth_getCode', [address, 'latest'])) !== '0x';
}

/** The receipt of a mined transaction; null while it is not in a block. */
export async function readReceipt(rpc: Rpc, hash: string): Promise<MinedReceipt | null> {
  const answer = await rpc.call('eth_getTransactionReceipt', [hash]);
  if (answer === null) return null;
  const receipt = asObject<RawReceipt>('eth_getTransactionReceipt', answer);
  if (receipt.blockNumber === null) return null;
  const gasUsed = asQuantity(receipt.gasUsed);
  return {
    hash,
    blockNumber: Number(receipt.blockNumber),
    isSuccess: receipt.status === '0x1',
    gasUsed,
    fee: atto(gasUsed * asQuantity(receipt.effectiveGasPrice ?? '0x0')),
    contractAddress: typeof receipt.contractAddress === 'string' ? receipt.contractAddress : null,
  };
}

/**
 * What to pay for gas now: what the node asks, never below `gasPriceMin`. Where blocks have a base
 * fee (EIP-1559), a quarter more, so that the transaction survives two full blocks.
 */
export async function readGasPrice(rpc: Rpc, gasPriceMin: Atto): Promise<Atto> {
  const asked = asQuantity(await rpc.call('eth_gasPrice', []));
  const block = asObject<RawBlock>(
    'eth_getBlockByNumber',
    await rpc.call('eth_getBlockByNumber', ['latest', false]),
  );
  const hasBaseFee = typeof block.baseFeePerGas === 'string';
  const offered = hasBaseFee ? (asked * 5n) / 4n : asked;
  return atto(offered > gasPriceMin ? offered : gasPriceMin);
}

function asQuantity(value: unknown): bigint {
  if (typeof value === 'string' && /^0x[0-9a-f]{1,64}$/i.test(value)) return BigInt(value);
  throw new ChainError('CHAIN_RPC', 'the node answered with something that is not a number');
}

/** What we read of a node's answers; every field is checked where it is used. */
interface RawBlock {
  readonly number: unknown;
  readonly timestamp: unknown;
  readonly hash: unknown;
  readonly baseFeePerGas?: unknown;
}

interface RawReceipt {
  readonly blockNumber: unknown;
  readonly status: unknown;
  readonly gasUsed: unknown;
  readonly effectiveGasPrice?: unknown;
  readonly contractAddress?: unknown;
}

function asObject<T extends object>(method: string, value: unknown): T {
  if (typeof value === 'object' && value !== null) return value as T;
  throw new ChainError('CHAIN_RPC', `${method}: the node answered with something unexpected`);
}
