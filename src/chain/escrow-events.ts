/** What happened to an account in the contract, read from the chain's events alone. */
import { decodeEventLog, encodeEventTopics, isHex } from 'viem';
import type { AllotmentHeader } from '../payment/index.ts';
import {
  type Address,
  type Atto,
  atto,
  type Hash32,
  parseAddress,
  parseHash32,
  unixSeconds,
} from '../units/index.ts';
import { ChainError, isChainError } from './chain-error.ts';
import { quantity, readBlock } from './chain-reads.ts';
import { laneEscrowAbi } from './lane-escrow.generated.ts';
import type { Rpc } from './rpc-client.ts';

/**
 * An allotment found again on the chain. Its tree is not there: only the payer's records have it.
 */
export interface OpenedAllotment {
  readonly allotment: Hash32;
  readonly salt: Hash32;
  readonly header: AllotmentHeader;
  readonly blockNumber: number;
}

/** A lane that somebody cashed. */
export interface ClaimedLane {
  readonly allotment: Hash32;
  readonly payee: Address;
  readonly lane: number;
  readonly amount: Atto;
  readonly blockNumber: number;
}

/** Where to look. */
export interface EventScan {
  readonly rpc: Rpc;
  readonly escrow: Address;
  /** Default 0. */
  readonly fromBlock?: number;
}

/** Blocks asked for at once; halved when a node finds it too many. */
const SCAN_BLOCKS = 10_000;

/** All allotments an account ever opened, oldest first. */
export async function findOpenedBy(
  payer: Address,
  scan: EventScan,
): Promise<readonly OpenedAllotment[]> {
  const topics = encodeEventTopics({ abi: laneEscrowAbi, eventName: 'Opened', args: { payer } });
  const logs = await readLogs(scan, topics);
  return logs.map(({ topics: [signature, ...rest], data, blockNumber }): OpenedAllotment => {
    const { args } = decodeEventLog({
      abi: laneEscrowAbi,
      eventName: 'Opened',
      topics: [signature, ...rest],
      data,
    });
    const header: AllotmentHeader = {
      payer: parseAddress(args.payer),
      root: parseHash32(args.root),
      sum: atto(args.sum),
      expiry: unixSeconds(Number(args.expiry)),
      signer: parseAddress(args.signer),
      depth: args.depth,
      laneCount: args.laneCount,
    };
    const allotment = parseHash32(args.allotment);
    return { allotment, salt: parseHash32(args.salt), header, blockNumber };
  });
}

/** All lanes a payee ever cashed, oldest first. */
export async function findClaimedBy(
  payee: Address,
  scan: EventScan,
): Promise<readonly ClaimedLane[]> {
  const topics = encodeEventTopics({ abi: laneEscrowAbi, eventName: 'Claimed', args: { payee } });
  const logs = await readLogs(scan, topics);
  return logs.map(({ topics: [signature, ...rest], data, blockNumber }): ClaimedLane => {
    const { args } = decodeEventLog({
      abi: laneEscrowAbi,
      eventName: 'Claimed',
      topics: [signature, ...rest],
      data,
    });
    return {
      allotment: parseHash32(args.allotment),
      payee: parseAddress(args.payee),
      lane: args.lane,
      amount: atto(args.amount),
      blockNumber,
    };
  });
}

interface EventLog {
  readonly topics: readonly [`0x${string}`, ...`0x${string}`[]];
  readonly data: `0x${string}`;
  readonly blockNumber: number;
}

/** Walks from `fromBlock` to the head in steps that the node will take. */
async function readLogs(scan: EventScan, topics: readonly unknown[]): Promise<EventLog[]> {
  const { rpc, escrow } = scan;
  const head = (await readBlock(rpc)).number;
  const found: EventLog[] = [];
  let step = SCAN_BLOCKS;
  for (let from = scan.fromBlock ?? 0; from <= head; ) {
    const to = Math.min(from + step - 1, head);
    const filter = { address: escrow, topics, fromBlock: quantity(from), toBlock: quantity(to) };
    try {
      const logs = await rpc.call('eth_getLogs', [filter]);
      if (Array.isArray(logs)) found.push(...logs.map(readLog));
      from = to + 1;
    } catch (error) {
      // Public nodes limit the range, each differently, and say so in words only.
      if (!isChainError(error, 'CHAIN_RPC') || step === 1) throw error;
      step = Math.ceil(step / 2);
    }
  }
  return found;
}

function readLog(log: unknown): EventLog {
  if (typeof log === 'object' && log !== null && 'topics' in log && 'data' in log) {
    const { topics, data } = log;
    const first: unknown = Array.isArray(topics) ? topics[0] : undefined;
    if (Array.isArray(topics) && isHex(first) && topics.every(isTopic) && isHex(data)) {
      const blockNumber = 'blockNumber' in log ? Number(log.blockNumber) : 0;
      return { topics: [first, ...topics.slice(1)], data, blockNumber };
    }
  }
  throw new ChainError('CHAIN_RPC', 'eth_getLogs: the node answered with something unexpected');
}

function isTopic(topic: unknown): topic is `0x${string}` {
  return isHex(topic);
}
