/** The market's side of the transfer thread, as plain values that can cross the thread border. */
import type { BuyerOptions, SellerOptions } from '../../exchange/index.ts';
import type { Address } from '../../units/index.ts';

/** How a node trades, and as whom. A side that is null does not trade. */
export interface ExchangeSettings {
  readonly chainId: number;
  readonly escrow: Address;
  /** Where earnings go. */
  readonly payee: Address;
  /** The payee's private key, 32 bytes: signs what binds it to a connection, nothing else. */
  readonly payeeKey: Uint8Array;
  readonly seller: SellerOptions | null;
  readonly buyer: BuyerOptions | null;
}
