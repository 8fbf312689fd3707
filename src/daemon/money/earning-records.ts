/** Lanes of others toward us and their best vouchers, in the ledger. */
import type { LaneOffer } from '../../payment/index.ts';
import type { Database } from '../../platform/database/index.ts';
import {
  type Atto,
  type Hash32,
  parseAddress,
  parseAtto,
  parseHash32,
  unixSeconds,
} from '../../units/index.ts';

/**
 * `live`: may still earn. `claiming`: a claim may be on its way. `claimed`: cashed. `lost`: cannot
 * be cashed any more (expired, or its allotment is closed).
 */
export type EarningState = 'live' | 'claiming' | 'claimed' | 'lost';

/** A lane that pays us. `signature` is of the voucher over `best`; empty before the first. */
export interface Earning {
  readonly offer: LaneOffer;
  readonly best: Atto;
  readonly signature: Uint8Array;
  readonly state: EarningState;
  readonly updatedAtMs: number;
}

interface EarningRow {
  readonly offer: string;
  readonly best: string;
  readonly signature: Uint8Array;
  readonly state: EarningState;
  readonly updated_at_ms: number;
}

/** Reads and writes earnings. For use inside a group commit where many change at once. */
export class EarningRecords {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Lanes that may still earn or be claimed. */
  live(): readonly Earning[] {
    return this.#database
      .all<EarningRow>(`SELECT * FROM earning WHERE state IN ('live', 'claiming')`)
      .map(earningOf);
  }

  /** One lane in whatever state; null when it was never taken. */
  find(allotment: Hash32, lane: number): Earning | null {
    const sql = 'SELECT * FROM earning WHERE allotment = ? AND lane = ?';
    const row = this.#database.get<EarningRow>(sql, allotment, lane);
    return row && earningOf(row);
  }

  /** Writes a lane, or what has changed of it. */
  put(earning: Earning): void {
    const { offer, best, signature, state, updatedAtMs } = earning;
    this.#database.run(
      `INSERT INTO earning VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET best = excluded.best, signature = excluded.signature,
         state = excluded.state, updated_at_ms = excluded.updated_at_ms`,
      offer.allotment,
      offer.lane.index,
      offerText(offer),
      best.toString(),
      signature,
      state,
      updatedAtMs,
    );
  }
}

const offerTexts = new WeakMap<LaneOffer, string>();

/**
 * The offer as JSON with amounts as text. Remembered: a busy lane is written many times a second.
 */
function offerText(offer: LaneOffer): string {
  let text = offerTexts.get(offer);
  if (text === undefined) {
    text = JSON.stringify(offer, (_key, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value,
    );
    offerTexts.set(offer, text);
  }
  return text;
}

/** The shape that `offerText` gives: written by us alone, so it is what it was. */
interface StoredOffer {
  readonly allotment: string;
  readonly header: {
    readonly payer: string;
    readonly root: string;
    readonly sum: string;
    readonly expiry: number;
    readonly signer: string;
    readonly depth: number;
    readonly laneCount: number;
  };
  readonly lane: { readonly index: number; readonly payee: string; readonly cap: string };
  readonly path: readonly { readonly hash: string; readonly sum: string }[];
}

function earningOf(row: EarningRow): Earning {
  const { allotment, header, lane, path }: StoredOffer = JSON.parse(row.offer);
  const offer: LaneOffer = {
    allotment: parseHash32(allotment),
    header: {
      payer: parseAddress(header.payer),
      root: parseHash32(header.root),
      sum: parseAtto(header.sum),
      expiry: unixSeconds(header.expiry),
      signer: parseAddress(header.signer),
      depth: header.depth,
      laneCount: header.laneCount,
    },
    lane: { index: lane.index, payee: parseAddress(lane.payee), cap: parseAtto(lane.cap) },
    path: path.map((step) => ({ hash: parseHash32(step.hash), sum: parseAtto(step.sum) })),
  };
  const { signature, state, updated_at_ms } = row;
  return { offer, best: parseAtto(row.best), signature, state, updatedAtMs: updated_at_ms };
}
