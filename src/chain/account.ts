/** A funding account that can sign transactions. Loads viem: import it only behind `openChain`. */
import { keccak256, toHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { type Address, type Hash32, parseAddress, parseHash32 } from '../units/index.ts';

/** The fields of a legacy transaction (type 0, EIP-155): the one kind every EVM chain takes. */
export interface LegacyTransaction {
  readonly chainId: number;
  readonly nonce: number;
  /** Null creates a contract. */
  readonly to: Address | null;
  readonly data: `0x${string}`;
  readonly value: bigint;
  readonly gas: bigint;
  readonly gasPrice: bigint;
}

/** A signed transaction as the network wants it. */
export interface SignedTransaction {
  readonly raw: `0x${string}`;
  readonly hash: Hash32;
}

/** Signs for one account. */
export interface TransactionSigner {
  readonly address: Address;
  sign(transaction: LegacyTransaction): Promise<SignedTransaction>;
}

/** A signer holding the 32-byte key in memory. */
export function keySigner(key: Uint8Array): TransactionSigner {
  const account = privateKeyToAccount(toHex(key));
  return {
    address: parseAddress(account.address),
    async sign(transaction: LegacyTransaction): Promise<SignedTransaction> {
      const raw = await account.signTransaction({ ...transaction, type: 'legacy' });
      return { raw, hash: parseHash32(keccak256(raw)) };
    },
  };
}
