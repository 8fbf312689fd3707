/**
 * `npm run bench`: every scenario, its contenders in turn, each run a fresh process.
 *
 *   node bench/main.ts [--only NAME] [--size 1GiB] [--piece 1MiB] [--runs 5]
 *     [--without CONTENDER]… [--json] [--date DATE]
 *
 * `--json` also writes `bench/results.json`, with the machine and the date.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { type ContenderResult, describeMachine, summarize, tableOf } from './report.ts';
import { download } from './scenarios/download.ts';
import { paid } from './scenarios/paid.ts';
import type { Run, Scenario, ScenarioOptions } from './scenarios/scenario.ts';

const SCENARIOS: readonly Scenario[] = [download, paid];
const RESULTS: URL = new URL('results.json', import.meta.url);
const UNIT_BYTES: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    size: { type: 'string', default: '1GiB' },
    piece: { type: 'string', default: '1MiB' },
    runs: { type: 'string', default: '5' },
    without: { type: 'string', multiple: true, default: [] },
    json: { type: 'boolean', default: false },
    date: { type: 'string', default: new Date().toISOString().slice(0, 10) },
  },
});
const options: ScenarioOptions = {
  sizeBytes: parseSize(values.size),
  pieceLengthBytes: parseSize(values.piece),
};
const runCount = Number(values.runs);
if (!Number.isSafeInteger(runCount) || runCount < 1) throw new Error('--runs must be at least 1');
const chosen = SCENARIOS.filter(({ name }) => values.only === undefined || values.only === name);
if (chosen.length === 0) throw new Error(`there is no scenario ${values.only}`);

const machine = describeMachine();
const { cpuModel, cores, kernel, node, loadBefore } = machine;
console.log(`${cpuModel}, ${cores} cores, ${kernel}, Node ${node}, ${values.date}`);
console.log(`load before the first run: ${loadBefore.toFixed(2)}`);
const scenarios: { readonly name: string; readonly results: readonly ContenderResult[] }[] = [];
for (const scenario of chosen) {
  console.log(`\n${scenario.name}: ${scenario.conditions}`);
  console.log(`${values.size}, pieces of ${values.piece}, ${runCount} runs each\n`);
  const results = await runScenario(scenario);
  for (const line of tableOf(results)) console.log(line);
  scenarios.push({ name: scenario.name, results });
}
if (values.json) {
  const report = { date: values.date, machine, options, runs: runCount, scenarios };
  await writeFile(RESULTS, `${JSON.stringify(report, null, 2)}\n`);
}

/** One discarded round first, then `runCount` rounds of every contender in turn. */
async function runScenario(scenario: Scenario): Promise<readonly ContenderResult[]> {
  await using prepared = await scenario.prepare(options);
  const contenders = prepared.contenders.filter(({ name, unavailable }) => {
    const reason = values.without.includes(name) ? 'not wanted' : unavailable;
    if (reason !== null) console.log(`${name} is left out: ${reason}`);
    return reason === null;
  });
  const runs = contenders.map((contender) => ({ contender, done: [] as Run[] }));
  for (let round = 0; round <= runCount; round += 1) {
    for (const { contender, done } of runs) {
      const run = await contender.run();
      if (round > 0) done.push(run);
    }
  }
  return runs.map(({ contender, done }) => summarize(contender.name, done, options.sizeBytes));
}

function parseSize(text: string): number {
  const [, digits, unit = ''] = /^(\d+)(KiB|MiB|GiB)$/.exec(text) ?? [];
  if (digits === undefined) throw new Error(`${text} is no size such as 64MiB or 1GiB`);
  return Number(digits) * (UNIT_BYTES[unit] ?? 1);
}
