/** What the send queue must find again after a crash, and where it writes it down. */
import type { Address, Hash32 } from '../units/index.ts';

/**
 * How far a transaction is. `sent`: signed and journaled, perhaps broadcast, perhaps in a block
 * that is not deep enough. `final`: in a block at depth. `reverted`: the same, but it failed.
 * `dropped`: it was refused or its nonce was used by another transaction, so it can never be mined.
 */
export type SendState = 'sent' | 'final' | 'reverted' | 'dropped';

/** One transaction of one account. `raw` is kept so that it can be broadcast again. */
export interface JournalEntry {
  readonly account: Address;
  readonly nonce: number;
  readonly hash: Hash32;
  readonly raw: `0x${string}`;
  /** What it is for, in the words of whoever sent it: found again by this after a restart. */
  readonly purpose: string;
  /** Blocks that must lie on top of its block before it is `final`. */
  readonly depth: number;
  readonly state: SendState;
  readonly createdAtMs: number;
}

/** A durable list of transactions. Each call returns only when the change is on the disk. */
export interface SendJournal {
  /** Entries of the account from nonce `fromNonce` on, by nonce, without the dropped ones. */
  entries(account: Address, fromNonce: number): readonly JournalEntry[];
  /** Entries of the account that are `sent`, by nonce. */
  unsettled(account: Address): readonly JournalEntry[];
  /** The nonce after the highest not dropped; 0 when there is none. */
  nextNonce(account: Address): number;
  add(entry: JournalEntry): void;
  settle(hash: Hash32, state: SendState): void;
}

/** A journal in memory, for accounts whose loss of memory does no harm. */
export function memoryJournal(): SendJournal {
  const entries = new Map<Hash32, JournalEntry>();
  const select = (account: Address, isWanted: (entry: JournalEntry) => boolean) =>
    [...entries.values()]
      .filter((entry) => entry.account === account && isWanted(entry))
      .sort((a, b) => a.nonce - b.nonce);
  return {
    entries: (account, fromNonce) =>
      select(account, ({ nonce, state }) => nonce >= fromNonce && state !== 'dropped'),
    unsettled: (account) => select(account, ({ state }) => state === 'sent'),
    nextNonce: (account) =>
      select(account, ({ state }) => state !== 'dropped').reduce(
        (next, { nonce }) => Math.max(next, nonce + 1),
        0,
      ),
    add: (entry) => {
      entries.set(entry.hash, entry);
    },
    settle: (hash, state) => {
      const entry = entries.get(hash);
      if (entry) entries.set(hash, { ...entry, state });
    },
  };
}
