/** What a benchmark is: contenders doing the same work in turn, each in a fresh process. */
import type { Measurement } from '../measure.ts';
import type { Column, Goal } from '../report.ts';

/** Options every scenario gets. */
export interface ScenarioOptions {
  readonly sizeBytes: number;
  readonly pieceLengthBytes: number;
}

/** One run: its cost, and further figures by name (they end in their unit). */
export interface Run {
  readonly measurement: Measurement;
  readonly extra: Readonly<Record<string, number>>;
}

/** One side of the comparison. */
export interface Contender {
  readonly name: string;
  /** Why it cannot take part here; null when it can. */
  readonly unavailable: string | null;
  /** Does the work once and checks the result, outside the measured time. */
  run(): Promise<Run>;
}

/** A prepared benchmark; disposing it ends its processes and removes its files. */
export interface PreparedScenario extends AsyncDisposable {
  readonly contenders: readonly Contender[];
}

/** A benchmark. The first contender is what the others are compared with. */
export interface Scenario {
  readonly name: string;
  /** What is measured, under which conditions: printed above the table. */
  readonly conditions: string;
  /** What it runs with unless the command line says otherwise; else 1 GiB, 1 MiB, 5 runs. */
  readonly defaults?: {
    readonly sizeBytes?: number;
    readonly pieceLengthBytes?: number;
    readonly runs?: number;
  };
  /** Columns of its table; without them those of a transfer of `sizeBytes`. */
  readonly columns?: readonly Column[];
  /** What is wanted of the medians: printed below the table, kept or missed. */
  readonly goals?: readonly Goal[];
  prepare(options: ScenarioOptions): Promise<PreparedScenario>;
}
