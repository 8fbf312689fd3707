/** What a user wants to see afterwards: movements of money, and what was paid and earned where. */
import type { PaymentContext } from '../../exchange/index.ts';
import type { Database } from '../../platform/database/index.ts';
import { type Address, type Atto, addAtto, parseAtto, ZERO_ATTO } from '../../units/index.ts';

/** Kinds of movements. Texts are written to files and never change. */
export type MovementKind = 'deposit' | 'withdraw' | 'open' | 'claim' | 'refund';

/** A movement of money on the chain. */
export interface Movement {
  readonly atMs: number;
  readonly kind: MovementKind;
  readonly amount: Atto;
  /** What we paid for the gas. */
  readonly fee: Atto;
  /** An allotment, an address, or a count of lanes: what the kind is about. */
  readonly subject: string;
  readonly transactionHash: string;
}

/** Which way vouchers went. */
export type TrafficSide = 'bought' | 'sold';

/** What was paid to, or earned from, one remote with one torrent. */
export interface Traffic {
  readonly side: TrafficSide;
  readonly torrentKey: string;
  readonly remote: string;
  /** The other side's account. */
  readonly account: Address;
  readonly amount: Atto;
  readonly byteCount: number;
  readonly updatedAtMs: number;
}

/** One voucher's part in the traffic. */
export interface TrafficStep {
  readonly side: TrafficSide;
  readonly account: Address;
  readonly context: PaymentContext;
  readonly amount: Atto;
}

interface MovementRow {
  readonly at_ms: number;
  readonly kind: MovementKind;
  readonly amount: string;
  readonly fee: string;
  readonly subject: string;
  readonly transaction_hash: string;
}

interface TrafficRow {
  readonly side: TrafficSide;
  readonly torrent_key: string;
  readonly remote: string;
  readonly account: Address;
  readonly amount: string;
  readonly byte_count: number;
  readonly updated_at_ms: number;
}

interface Tally {
  readonly step: TrafficStep;
  amount: Atto;
  byteCount: number;
  /** The session's own counter, to see by how much it grew. */
  sessionBytes: number;
}

/** Remotes kept in memory; beyond it the oldest are forgotten (their totals are on the disk). */
const TALLIES_MAX = 10_000;

/** Reads and writes the history. Traffic is gathered in memory and written inside group commits. */
export class HistoryRecords {
  readonly #database: Database;
  readonly #tallies = new Map<string, Tally>();
  readonly #dirty = new Set<Tally>();

  constructor(database: Database) {
    this.#database = database;
  }

  add(movement: Movement): void {
    const { atMs, kind, amount, fee, subject, transactionHash } = movement;
    this.#database.run(
      'INSERT INTO history VALUES (NULL, ?, ?, ?, ?, ?, ?)',
      atMs,
      kind,
      amount.toString(),
      fee.toString(),
      subject,
      transactionHash,
    );
  }

  /** Movements, newest first. */
  movements(limit: number): readonly Movement[] {
    return this.#database
      .all<MovementRow>('SELECT * FROM history ORDER BY id DESC LIMIT ?', limit)
      .map((row) => ({
        atMs: row.at_ms,
        kind: row.kind,
        amount: parseAtto(row.amount),
        fee: parseAtto(row.fee),
        subject: row.subject,
        transactionHash: row.transaction_hash,
      }));
  }

  /** What was paid and earned, newest first. Without what is not on the disk yet. */
  traffic(): readonly Traffic[] {
    return this.#database
      .all<TrafficRow>('SELECT * FROM traffic ORDER BY updated_at_ms DESC')
      .map((row) => ({
        side: row.side,
        torrentKey: row.torrent_key,
        remote: row.remote,
        account: row.account,
        amount: parseAtto(row.amount),
        byteCount: row.byte_count,
        updatedAtMs: row.updated_at_ms,
      }));
  }

  /** Counts one voucher. It reaches the disk with the next `writeTraffic`. */
  count(step: TrafficStep): void {
    const { side, account, context } = step;
    const key = `${side} ${context.torrentKey} ${context.remote} ${account}`;
    const tally = this.#tallies.get(key) ?? this.#load(key, step);
    tally.amount = addAtto(tally.amount, step.amount);
    // A smaller count is a new session's.
    const before = context.paidBytes < tally.sessionBytes ? 0 : tally.sessionBytes;
    tally.byteCount += context.paidBytes - before;
    tally.sessionBytes = context.paidBytes;
    this.#dirty.add(tally);
  }

  /** Writes what was counted since the last call. For use inside a group commit. */
  writeTraffic(nowMs: number): void {
    for (const { step, amount, byteCount } of this.#dirty) {
      const { torrentKey, remote } = step.context;
      this.#database.run(
        'INSERT OR REPLACE INTO traffic VALUES (?, ?, ?, ?, ?, ?, ?)',
        step.side,
        torrentKey,
        remote,
        step.account,
        amount.toString(),
        byteCount,
        nowMs,
      );
    }
    this.#dirty.clear();
  }

  #load(key: string, step: TrafficStep): Tally {
    const { side, account, context } = step;
    const row = this.#database.get<TrafficRow>(
      'SELECT * FROM traffic WHERE side = ? AND torrent_key = ? AND remote = ? AND account = ?',
      side,
      context.torrentKey,
      context.remote,
      account,
    );
    const tally: Tally = {
      step,
      amount: row ? parseAtto(row.amount) : ZERO_ATTO,
      byteCount: row?.byte_count ?? 0,
      sessionBytes: 0,
    };
    const oldest = this.#tallies.keys().next().value;
    // One not yet written stays in the set of those to be written.
    if (this.#tallies.size >= TALLIES_MAX && oldest !== undefined) this.#tallies.delete(oldest);
    this.#tallies.set(key, tally);
    return tally;
  }
}
