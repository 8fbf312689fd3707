/**
 * The chain: JSON-RPC with fail-over, the LaneEscrow contract, transactions that survive a crash,
 * and the embedded local chain.
 *
 * It must never learn what a torrent or a peer is, nor decide what to pay. viem is loaded by
 * `openChain`, not by importing this file, so a node without money never loads it. Start with
 * `chain.ts`, then `send-queue.ts` and `local/local-host.ts`.
 *
 * @module
 */
import type { Chain, ChainOptions } from './chain.ts';

export type { Chain, ChainOptions } from './chain.ts';
export { ChainError, type ChainErrorCode, isChainError } from './chain-error.ts';
export type { BlockHead, BlockTag, MinedReceipt } from './chain-reads.ts';
export type { ClaimedLane, OpenedAllotment } from './escrow-events.ts';
export { loadKeccak256 } from './keccak.ts';
export type {
  ClaimedTally,
  CollectConsent,
  LaneClaim,
  LaneEscrow,
  SendTerms,
} from './lane-escrow.ts';
export type { LocalChain } from './local/local-chain.ts';
export { throughTakeover } from './local/takeover.ts';
export { loadSecp256k1, type Secp256k1Choice } from './native-secp256k1.ts';
export {
  chooseNetwork,
  LOCAL_CHAIN_ID,
  LOCAL_ESCROW,
  type Network,
  type NetworkChoice,
  type NetworkName,
} from './networks.ts';
export type { EndpointHealth, Rpc } from './rpc-client.ts';
export type { JournalEntry, SendJournal, SendState } from './send-journal.ts';
export type { SendQueue, SendRequest } from './send-queue.ts';

/** Opens a chain, loading what that takes. Throws `ChainError`. */
export async function openChain(options: ChainOptions): Promise<Chain> {
  const { Chain: Loaded } = await import('./chain.ts');
  return Loaded.open(options);
}
