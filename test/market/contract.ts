/** What the contract says about two accounts that dealt with each other, and nobody else did. */
import { openChain } from '../../src/chain/index.ts';
import { parseAddress } from '../../src/units/index.ts';

/** Amounts in atto. */
export interface ContractState {
  /** The contract's balance: everything ever deposited, as long as nobody withdrew. */
  readonly deposited: bigint;
  readonly buyerFree: bigint;
  readonly sellerFree: bigint;
  /** By lane (`allotment/index`, the allotment without `0x`): what the seller has cashed. */
  readonly claimed: ReadonlyMap<string, bigint>;
}

/** Reads the chain of a folder. */
export async function readContract(
  chainFolder: string,
  accounts: { readonly buyer: string; readonly seller: string },
): Promise<ContractState> {
  const chain = await openChain({ network: { name: 'local' }, localFolder: chainFolder });
  try {
    const seller = parseAddress(accounts.seller);
    const claimed = (await chain.claimedBy(seller)).map(
      ({ allotment, lane, amount }) => [`${allotment.slice(2)}/${lane}`, BigInt(amount)] as const,
    );
    return {
      deposited: await chain.balance(chain.escrow.address),
      buyerFree: await chain.escrow.free(parseAddress(accounts.buyer)),
      sellerFree: await chain.escrow.free(seller),
      claimed: new Map(claimed),
    };
  } finally {
    await chain.close();
  }
}
