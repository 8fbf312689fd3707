/** What a benchmark is: contenders doing the same work in turn, each in a fresh process. */
import type { Measurement } from '../measure.ts';

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

/** A column of the table: a figure in a unit, or its ratio to the first contender's. */
export interface Column {
  readonly title: string;
  readonly figure: string;
  /** What the figure is divided by to be printed. */
  readonly unit?: number;
  readonly digits?: number;
  readonly isRatio?: boolean;
}

/** A bound on a median: in the figure's unit, or times the same figure of another contender. */
export interface Goal {
  readonly contender: string;
  readonly figure: string;
  /** The contender whose figure is 1; absent for a bound in the figure's own unit. */
  readonly against?: string;
  readonly atLeast?: number;
  readonly atMost?: number;
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
