/** Our own allotments and their lanes, in the ledger. */
import type { AllotmentHeader, Lane } from '../../payment/index.ts';
import type { Database } from '../../platform/database/index.ts';
import { type Address, type Atto, type Hash32, parseAtto, unixSeconds } from '../../units/index.ts';

/**
 * `opening`: written down, perhaps sent. `open`: seen on the chain. `closed`: the rest is back.
 * `failed`: never came to the chain and never will.
 */
export type AllotmentState = 'opening' | 'open' | 'closed' | 'failed';

/** An allotment of ours. */
export interface OwnAllotment {
  readonly id: Hash32;
  readonly salt: Hash32;
  readonly header: AllotmentHeader;
  readonly state: AllotmentState;
}

/** A lane of ours, and the highest amount ever signed on it. */
export interface OwnLane {
  readonly allotment: Hash32;
  readonly lane: Lane;
  readonly signed: Atto;
}

interface AllotmentRow {
  readonly id: Hash32;
  readonly payer: Address;
  readonly salt: Hash32;
  readonly root: Hash32;
  readonly sum: string;
  readonly expiry: number;
  readonly signer: Address;
  readonly depth: number;
  readonly lane_count: number;
  readonly state: AllotmentState;
}

interface LaneRow {
  readonly allotment: Hash32;
  readonly lane: number;
  readonly payee: Address;
  readonly cap: string;
  readonly signed: string;
}

/** Reads and writes allotments. Changes are on the disk when the call returns. */
export class AllotmentRecords {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Allotments in one of these states, oldest first. */
  inState(...states: readonly AllotmentState[]): readonly OwnAllotment[] {
    const marks = states.map(() => '?').join(', ');
    const sql = `SELECT * FROM allotment WHERE state IN (${marks}) ORDER BY created_at_ms`;
    return this.#database.all<AllotmentRow>(sql, ...states).map(allotmentOf);
  }

  /** Whether the id is written down. */
  has(id: Hash32): boolean {
    return this.#database.get('SELECT id FROM allotment WHERE id = ?', id) !== null;
  }

  /** Lanes of an allotment by index; none for one found on the chain alone. */
  lanesOf(id: Hash32): readonly OwnLane[] {
    const sql = 'SELECT * FROM lane WHERE allotment = ? ORDER BY lane';
    return this.#database.all<LaneRow>(sql, id).map(laneOf);
  }

  /** Writes an allotment and its lanes, all or nothing. */
  add(allotment: OwnAllotment, lanes: readonly Lane[], nowMs: number): void {
    const { id, salt, header, state } = allotment;
    this.#database.transaction(() => {
      this.#database.run(
        'INSERT INTO allotment VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        id,
        header.payer,
        salt,
        header.root,
        header.sum.toString(),
        header.expiry,
        header.signer,
        header.depth,
        header.laneCount,
        state,
        nowMs,
      );
      for (const { index, payee, cap } of lanes) {
        const sql = `INSERT INTO lane VALUES (?, ?, ?, ?, '0')`;
        this.#database.run(sql, id, index, payee, cap.toString());
      }
    });
  }

  setState(id: Hash32, state: AllotmentState): void {
    this.#database.run('UPDATE allotment SET state = ? WHERE id = ?', state, id);
  }

  /** Notes how far a lane is signed. For use inside a group commit. */
  setSigned(id: Hash32, lane: number, signed: Atto): void {
    const sql = 'UPDATE lane SET signed = ? WHERE allotment = ? AND lane = ?';
    this.#database.run(sql, signed.toString(), id, lane);
  }
}

function allotmentOf(row: AllotmentRow): OwnAllotment {
  const header: AllotmentHeader = {
    payer: row.payer,
    root: row.root,
    sum: parseAtto(row.sum),
    expiry: unixSeconds(row.expiry),
    signer: row.signer,
    depth: row.depth,
    laneCount: row.lane_count,
  };
  return { id: row.id, salt: row.salt, header, state: row.state };
}

function laneOf(row: LaneRow): OwnLane {
  const lane: Lane = { index: row.lane, payee: row.payee, cap: parseAtto(row.cap) };
  return { allotment: row.allotment, lane, signed: parseAtto(row.signed) };
}
