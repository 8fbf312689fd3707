/**
 * `npm run bench`: every scenario, its contenders in turn, each run a fresh process.
 *
 *   node bench/main.ts [--only SCENARIO]… [--size 1GiB] [--piece 1MiB] [--runs 5]
 *     [--without CONTENDER]… [--json] [--date DATE] [--list] [--profile]
 *
 * Sizes and runs are each scenario's own unless given. `--json` also writes what was measured to
 * `bench/results.json`, with the machine and the date; scenarios not run keep their older figures.
 * `--profile` shows where the CPU goes in one run of each contender instead of measuring it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { runBuiltPackage } from './built-package.ts';
import { profileLines } from './profile.ts';
import {
  type ContenderResult,
  describeMachine,
  goalLine,
  judge,
  summarize,
  tableOf,
} from './report.ts';
import { keepResult } from './results.ts';
import { download } from './scenarios/download.ts';
import { limits } from './scenarios/limits.ts';
import { manyPeers } from './scenarios/many-peers.ts';
import { paid } from './scenarios/paid.ts';
import { payers } from './scenarios/payers.ts';
import type { Contender, PreparedScenario, Run, Scenario } from './scenarios/scenario.ts';
import { seeding, seedingOne } from './scenarios/seeding.ts';
import { shards } from './scenarios/shards.ts';
import { streaming } from './scenarios/streaming.ts';
import { tenThousand } from './scenarios/ten-thousand.ts';
import { thirtySeeds } from './scenarios/thirty-seeds.ts';
import { transports } from './scenarios/transports.ts';
import { vouchers } from './scenarios/vouchers.ts';
import { parseSize, sizeText } from './sizes.ts';
import { warmMemory } from './warm-memory.ts';

const SCENARIOS: readonly Scenario[] = [
  download,
  thirtySeeds,
  seeding,
  seedingOne,
  shards,
  limits,
  paid,
  streaming,
  tenThousand,
  manyPeers,
  transports,
  vouchers,
  payers,
];
const SIZE_DEFAULT: number = 2 ** 30;
const PIECE_DEFAULT: number = 2 ** 20;
const RUNS_DEFAULT = 5;

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    size: { type: 'string' },
    piece: { type: 'string' },
    runs: { type: 'string' },
    without: { type: 'string', multiple: true, default: [] },
    json: { type: 'boolean', default: false },
    date: { type: 'string', default: new Date().toISOString().slice(0, 10) },
    list: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
  },
});
// Leaving runs the exit hooks, which end every child and remove the files in memory.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(130));
}
for (const name of values.only) {
  if (!SCENARIOS.some((one) => one.name === name)) throw new Error(`there is no scenario ${name}`);
}
const chosen = SCENARIOS.filter(
  ({ name }) => values.only.length === 0 || values.only.includes(name),
);
if (values.list) {
  for (const { name, conditions } of chosen) console.log(`${name}: ${conditions}\n`);
} else {
  // Profiles name the functions of the sources.
  if (!values.profile) await runBuiltPackage();
  const machine = describeMachine();
  const { cpuModel, cores, kernel, node, loadBefore } = machine;
  console.log(`${cpuModel}, ${cores} cores, ${kernel}, Node ${node}, ${values.date}`);
  console.log(`load before the first run: ${loadBefore.toFixed(2)}`);
  for (const scenario of chosen) await measureScenario(scenario);
}

/** Runs one scenario, prints its table, keeps its figures when that is wanted. */
async function measureScenario(scenario: Scenario): Promise<void> {
  const machine = describeMachine();
  const { defaults = {}, conditions, goals = [] } = scenario;
  const { size, piece } = values;
  const options = {
    sizeBytes: size === undefined ? (defaults.sizeBytes ?? SIZE_DEFAULT) : parseSize(size),
    pieceLengthBytes:
      piece === undefined ? (defaults.pieceLengthBytes ?? PIECE_DEFAULT) : parseSize(piece),
  };
  const runs = Number(values.runs ?? defaults.runs ?? RUNS_DEFAULT);
  if (!Number.isSafeInteger(runs) || runs < 1) throw new Error('--runs must be at least 1');
  console.log(`\n${scenario.name}: ${conditions}`);
  const pieceText = sizeText(options.pieceLengthBytes);
  console.log(`${sizeText(options.sizeBytes)}, pieces of ${pieceText}, ${runs} runs each\n`);
  await using prepared = await scenario.prepare(options);
  const contenders = availableOf(prepared);
  if (values.profile) {
    for (const contender of contenders) {
      await contender.run();
      for (const line of await profileLines(contender)) console.log(line);
      console.log();
    }
    return;
  }
  const results = await runContenders(contenders, { runs, sizeBytes: options.sizeBytes });
  for (const line of tableOf(results, scenario.columns)) console.log(line);
  const outcomes = judge(goals, results);
  for (const outcome of outcomes) console.log(goalLine(outcome));
  if (!values.json) return;
  const { date } = values;
  const record = { date, machine, conditions, options, runs, results, goals: outcomes };
  await keepResult(scenario.name, record);
}

/** Who takes part; says who does not. */
function availableOf({ contenders }: PreparedScenario): readonly Contender[] {
  return contenders.filter(({ name, unavailable }) => {
    const reason = values.without.includes(name) ? 'not wanted' : unavailable;
    if (reason !== null) console.log(`${name} is left out: ${reason}`);
    return reason === null;
  });
}

/**
 * One discarded round first, then `runs` rounds of every contender in turn. A round begins at
 * another point of a second each time: a libtorrent seed serves a new peer at a fifth of its speed
 * until its own second is over, which else would hit the same contender in every round.
 */
async function runContenders(
  contenders: readonly Contender[],
  { runs, sizeBytes }: { readonly runs: number; readonly sizeBytes: number },
): Promise<readonly ContenderResult[]> {
  const all = contenders.map((contender) => ({ contender, done: [] as Run[] }));
  for (let round = 0; round <= runs; round += 1) {
    for (const { contender, done } of all) {
      await sleep((1000 * round) / (runs + 1));
      await warmMemory(sizeBytes);
      const run = await contender.run();
      if (round > 0) done.push(run);
    }
  }
  return all.map(({ contender, done }) => summarize(contender.name, done, sizeBytes));
}
