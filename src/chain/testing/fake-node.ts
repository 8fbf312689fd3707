/** A node in memory for tests of the send queue: mines on demand, forgets, refuses and lies. */
import { ChainError } from '../chain-error.ts';
import type { Rpc } from '../rpc-client.ts';

interface FakeTransaction {
  readonly raw: string;
  readonly hash: string;
  readonly nonce: number;
  readonly block: number | null;
}

/** Takes any text as a raw transaction; `know` tells it the hash and nonce that go with it. */
export class FakeNode implements Rpc {
  /** Every raw transaction ever broadcast, in order. */
  readonly broadcasts: string[] = [];
  /** How often a receipt was asked for. */
  receiptLooks = 0;
  /** Mines a block as soon as a transaction arrives. */
  isMining = true;
  /** What to throw at the next broadcasts, in order; null lets one through. */
  readonly refusals: (ChainError | null)[] = [];
  readonly #known = new Map<string, { readonly hash: string; readonly nonce: number }>();
  #transactions: FakeTransaction[] = [];
  #head = 0;

  know(raw: string, hash: string, nonce: number): void {
    this.#known.set(raw, { hash, nonce });
  }

  mine(count = 1): void {
    this.#head++;
    this.#transactions = this.#transactions.map((one) => ({
      ...one,
      block: one.block ?? this.#head,
    }));
    this.#head += count - 1;
  }

  /** Everything from this block on never happened, and the node does not remember it either. */
  rollBackTo(block: number): void {
    this.#transactions = this.#transactions.filter((one) => (one.block ?? Infinity) < block);
    this.#head = block - 1;
  }

  /** Somebody else uses the nonce. */
  takeNonce(nonce: number): void {
    this.#transactions = this.#transactions.filter((one) => one.nonce !== nonce);
    this.#transactions.push({ raw: '', hash: '0xother', nonce, block: this.#head });
  }

  async call(method: string, params: readonly unknown[]): Promise<unknown> {
    switch (method) {
      case 'eth_gasPrice':
        return '0x1';
      case 'eth_estimateGas':
        return '0x5208';
      case 'eth_getBlockByNumber':
        return { number: this.#head, timestamp: '0x1', hash: '0x1' };
      case 'eth_getTransactionCount':
        return `0x${this.#count(params[1] === 'pending').toString(16)}`;
      case 'eth_getTransactionReceipt':
        this.receiptLooks++;
        return this.#receipt(String(params[0]));
      case 'eth_sendRawTransaction':
        return this.#accept(String(params[0]));
    }
    throw new ChainError('CHAIN_RPC', `the fake node has no ${method}`);
  }

  #count(isPending: boolean): number {
    return this.#transactions.filter(({ block }) => isPending || block !== null).length;
  }

  #receipt(hash: string): unknown {
    const found = this.#transactions.find((one) => one.hash === hash && one.block !== null);
    if (!found) return null;
    return {
      blockNumber: `0x${found.block?.toString(16)}`,
      status: '0x1',
      gasUsed: '0x5208',
      effectiveGasPrice: '0x1',
    };
  }

  #accept(raw: string): string {
    this.broadcasts.push(raw);
    const refusal = this.refusals.shift();
    if (refusal) throw refusal;
    const known = this.#known.get(raw);
    if (!known) throw new ChainError('CHAIN_RPC', 'not a transaction');
    if (!this.#transactions.some((one) => one.nonce === known.nonce)) {
      this.#transactions.push({ raw, ...known, block: null });
      if (this.isMining) this.mine();
    }
    return known.hash;
  }
}
