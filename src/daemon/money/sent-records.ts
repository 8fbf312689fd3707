/** The send queue's journal, in the ledger. */
import type { JournalEntry, SendJournal, SendState } from '../../chain/index.ts';
import type { Database } from '../../platform/database/index.ts';
import type { Address, Hash32 } from '../../units/index.ts';

/** The columns of `sent`, which are written by us alone and so are what they were. */
interface SentRow {
  readonly hash: Hash32;
  readonly account: Address;
  readonly nonce: number;
  readonly raw: `0x${string}`;
  readonly purpose: string;
  readonly depth: number;
  readonly state: SendState;
  readonly created_at_ms: number;
}

/** A journal whose every change is on the disk when the call returns. */
export function sentRecords(database: Database): SendJournal {
  const select = (where: string, ...values: (string | number)[]) =>
    database
      .all<SentRow>(`SELECT * FROM sent WHERE ${where} ORDER BY nonce`, ...values)
      .map(entryOf);
  return {
    entries: (account, fromNonce) =>
      select(`account = ? AND nonce >= ? AND state <> 'dropped'`, account, fromNonce),
    unsettled: (account) => select(`account = ? AND state = 'sent'`, account),
    nextNonce: (account) =>
      database.get<{ next: number }>(
        `SELECT coalesce(max(nonce) + 1, 0) AS next FROM sent
         WHERE account = ? AND state <> 'dropped'`,
        account,
      )?.next ?? 0,
    add: (entry) => {
      database.run(
        'INSERT INTO sent VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
        entry.hash,
        entry.account,
        entry.nonce,
        entry.raw,
        entry.purpose,
        entry.depth,
        entry.state,
        entry.createdAtMs,
      );
    },
    settle: (hash, state) => {
      database.run('UPDATE sent SET state = ? WHERE hash = ?', state, hash);
    },
  };
}

function entryOf({ created_at_ms, ...row }: SentRow): JournalEntry {
  return { ...row, createdAtMs: created_at_ms };
}
