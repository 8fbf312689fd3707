/** `bench/results.json`: the last figures of every scenario, each with its date and machine. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import type { ContenderResult, GoalOutcome, Machine } from './report.ts';
import type { ScenarioOptions } from './scenarios/scenario.ts';

/** One scenario's last measurement: where, when, with what, and what came out. */
export interface ScenarioRecord {
  readonly date: string;
  readonly machine: Machine;
  readonly conditions: string;
  readonly options: ScenarioOptions;
  readonly runs: number;
  readonly results: readonly ContenderResult[];
  readonly goals: readonly GoalOutcome[];
}

const FILE: URL = new URL('results.json', import.meta.url);

/** Puts `record` into the file in place of the scenario's older one; the others stay. */
export async function keepResult(scenario: string, record: ScenarioRecord): Promise<void> {
  const known: Record<string, ScenarioRecord> = existsSync(FILE)
    ? JSON.parse(await readFile(FILE, 'utf8')).scenarios
    : {};
  const all = Object.entries({ ...known, [scenario]: record });
  const scenarios = Object.fromEntries(all.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  await writeFile(FILE, `${JSON.stringify({ scenarios }, roundFigure, 2)}\n`);
}

/** Six digits are more than any of them is worth. */
function roundFigure(_key: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isInteger(value)) return value;
  return Number(value.toPrecision(6));
}
