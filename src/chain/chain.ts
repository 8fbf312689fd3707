/** One chain, ready to be used. Loads viem: reached through `openChain` of the layer's door. */
import {
  type Address,
  type Atto,
  assert,
  parseAddress,
  type UnixSeconds,
  unixSeconds,
} from '../units/index.ts';
import { keySigner, type TransactionSigner } from './account.ts';
import { ChainError } from './chain-error.ts';
import { hasCode, quantity, readBalance, readBlock, readGasPrice } from './chain-reads.ts';
import {
  type ClaimedLane,
  findClaimedBy,
  findOpenedBy,
  type OpenedAllotment,
} from './escrow-events.ts';
import { laneEscrowBytecode } from './lane-escrow.generated.ts';
import { explainEscrowRevert, LaneEscrow } from './lane-escrow.ts';
import { type LocalChain, openLocalChain } from './local/local-chain.ts';
import { chooseNetwork, depthFor, type Network, type NetworkChoice } from './networks.ts';
import { RpcClient } from './rpc-client.ts';
import type { SendJournal } from './send-journal.ts';
import { SendQueue } from './send-queue.ts';

/** Which chain, and where the embedded one lives. */
export interface ChainOptions {
  readonly network: NetworkChoice;
  /** Folder of the embedded chain: used when the network is `local` and no URL is given. */
  readonly localFolder: string;
  /** One endpoint's time to answer. Default 10,000 ms. */
  readonly timeoutMs?: number;
}

/** Everything the node does with a chain goes through this. */
export class Chain {
  readonly network: Network;
  readonly rpc: RpcClient;
  /** Set when this process uses an embedded chain. */
  readonly local: LocalChain | null;
  #escrow: LaneEscrow | null;

  private constructor(network: Network, rpc: RpcClient, local: LocalChain | null) {
    this.network = network;
    this.rpc = rpc;
    this.local = local;
    this.#escrow = network.escrow ? new LaneEscrow(rpc, network.escrow) : null;
  }

  /** Starts the embedded chain where needed; asks nothing of a remote one yet. */
  static async open(options: ChainOptions): Promise<Chain> {
    const network = chooseNetwork(options.network);
    const isEmbedded = network.name === 'local' && network.rpcUrls.length === 0;
    const local = isEmbedded ? await openLocalChain(options.localFolder) : null;
    const urls = local ? [local.rpcUrl] : network.rpcUrls;
    const { timeoutMs } = options;
    const rpc = new RpcClient({
      urls,
      chainId: network.chainId,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
    return new Chain(network, rpc, local);
  }

  /** The payment contract. Throws `CHAIN_NO_CONTRACT` when its address is not known. */
  get escrow(): LaneEscrow {
    if (this.#escrow) return this.#escrow;
    throw new ChainError(
      'CHAIN_NO_CONTRACT',
      `network '${this.network.name}' has no LaneEscrow address: give one, or deploy it`,
    );
  }

  /** Throws `CHAIN_NO_CONTRACT` when there is no contract at the escrow's address. */
  async requireEscrow(): Promise<void> {
    const { address } = this.escrow;
    if (await hasCode(this.rpc, address)) return;
    const text = `there is no LaneEscrow contract at ${address} on ${this.network.name}`;
    throw new ChainError('CHAIN_NO_CONTRACT', text, { escrow: address });
  }

  /** The native coin of an account. */
  balance(account: Address): Promise<Atto> {
    return readBalance(this.rpc, account);
  }

  /** What gas costs now. */
  gasPrice(): Promise<Atto> {
    return readGasPrice(this.rpc, this.network.gasPriceMin);
  }

  /** The hash of the first block: tells apart chains with the same id. */
  async genesisHash(): Promise<string> {
    return (await readBlock(this.rpc, 0)).hash;
  }

  /** How far the chain's clock is ahead of ours, in seconds; 0 when it is not. */
  async clockAheadSeconds(nowMs: number): Promise<number> {
    const { timestamp } = await readBlock(this.rpc);
    return Math.max(0, timestamp - Math.floor(nowMs / 1_000));
  }

  /** Blocks that must lie on top before `sum` counts. */
  depthFor(sum: Atto): number {
    return depthFor(this.network, sum);
  }

  /** The block that is `depth` blocks below the head; `latest` for 0. */
  async blockAtDepth(depth: number): Promise<number | 'latest'> {
    if (depth === 0) return 'latest';
    return Math.max(0, (await readBlock(this.rpc)).number - depth);
  }

  /** The queue of an account. One per account and journal. */
  queueFor(key: Uint8Array, journal: SendJournal): SendQueue {
    const signer: TransactionSigner = keySigner(key);
    const { chainId, gasPriceMin, pollMs } = this.network;
    const explainRevert = explainEscrowRevert;
    const parts = { rpc: this.rpc, chainId, signer, journal, explainRevert };
    return new SendQueue(parts, { gasPriceMin, pollMs });
  }

  /** Deploys LaneEscrow and uses it from now on. */
  async deployEscrow(queue: SendQueue): Promise<Address> {
    const data = laneEscrowBytecode;
    const receipt = await queue.send({ to: null, data, purpose: 'deploy LaneEscrow' });
    assert(receipt.contractAddress, 'a deployment that succeeded has an address');
    const address = parseAddress(receipt.contractAddress);
    this.#escrow = new LaneEscrow(this.rpc, address);
    return address;
  }

  /** Allotments that an account ever opened, from the chain alone. */
  openedBy(payer: Address): Promise<readonly OpenedAllotment[]> {
    return findOpenedBy(payer, { rpc: this.rpc, escrow: this.escrow.address });
  }

  /** Lanes that a payee ever cashed, from the chain alone. */
  claimedBy(payee: Address): Promise<readonly ClaimedLane[]> {
    return findClaimedBy(payee, { rpc: this.rpc, escrow: this.escrow.address });
  }

  /** Play money. Only on the embedded chain. Throws `CHAIN_LOCAL` elsewhere. */
  async faucet(account: Address, amount: Atto): Promise<void> {
    this.#requireLocal('play money');
    await this.rpc.call('anvil_addBalance', [account, quantity(amount)]);
  }

  /** Lets time pass; the chain's clock after it. Only on the embedded chain. */
  async advanceTime(seconds: number): Promise<UnixSeconds> {
    this.#requireLocal('moving the clock');
    await this.rpc.call('evm_increaseTime', [quantity(seconds)]);
    await this.rpc.call('evm_mine', []);
    return unixSeconds((await readBlock(this.rpc)).timestamp);
  }

  /** Ends the embedded chain if it is hosted here. */
  async close(): Promise<void> {
    await this.local?.stop();
  }

  #requireLocal(what: string): void {
    if (this.network.name === 'local') return;
    throw new ChainError('CHAIN_LOCAL', `${what}: only on the local chain`);
  }
}
