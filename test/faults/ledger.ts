/** Looks into a node's ledger file after the node has ended: what its disk knows about money. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** A ledger at one moment; lanes by `allotment/index`, allotment in hex without `0x`. */
export interface Ledger {
  /** Lanes that pay this node: the best voucher of each, and what became of it. */
  readonly earnings: ReadonlyMap<string, { readonly best: bigint; readonly state: string }>;
  /** Lanes this node pays with: how far each is signed. */
  readonly signed: ReadonlyMap<string, bigint>;
  /** By traffic: everything sold, and everything bought. */
  readonly sold: bigint;
  readonly bought: bigint;
  /** Own allotments by state. */
  readonly allotmentStates: readonly string[];
}

/** Reads the only ledger in a data folder. */
export function readLedger(dataFolder: string): Ledger {
  const name = readdirSync(dataFolder).find((entry) => /^money-.*\.sqlite$/.test(entry));
  if (name === undefined) throw new Error(`there is no ledger in ${dataFolder}`);
  const sqlite = new DatabaseSync(join(dataFolder, name));
  try {
    const all = (sql: string): readonly Row[] => sqlite.prepare(sql).all() as unknown as Row[];
    const lane = (row: Row): string =>
      `${text(row, 'allotment').replace(/^0x/, '')}/${text(row, 'lane')}`;
    const traffic = all('SELECT side, amount FROM traffic');
    const total = (side: string): bigint =>
      traffic
        .filter((row) => row['side'] === side)
        .reduce((sum, row) => sum + BigInt(text(row, 'amount')), 0n);
    return {
      earnings: new Map(
        all('SELECT allotment, lane, best, state FROM earning').map((row) => [
          lane(row),
          { best: BigInt(text(row, 'best')), state: text(row, 'state') },
        ]),
      ),
      signed: new Map(
        all('SELECT allotment, lane, signed FROM lane').map((row) => [
          lane(row),
          BigInt(text(row, 'signed')),
        ]),
      ),
      sold: total('sold'),
      bought: total('bought'),
      allotmentStates: all('SELECT state FROM allotment').map((row) => text(row, 'state')),
    };
  } finally {
    sqlite.close();
  }
}

/** The sum of amounts. */
export function sumOf(amounts: Iterable<bigint>): bigint {
  let sum = 0n;
  for (const amount of amounts) sum += amount;
  return sum;
}

type Row = Readonly<Record<string, unknown>>;

function text(row: Row, column: string): string {
  return String(row[column]);
}
