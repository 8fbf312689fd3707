/**
 * `npm run fuzz -- [--count 1000000] [--seed 1] [--from 0] [--only name]`: mutated inputs for every
 * reader, on all cores. Ends with 1 and the input in hex when one of them does harm.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type AttackPlan, type AttackReport, attack, describeHarm, SUSPECTS } from './attack.ts';
import { TARGETS } from './targets.ts';

interface Job {
  readonly name: string;
  readonly plan: Required<AttackPlan>;
}

if (isMainThread) await main();
else parentPort?.postMessage(await runJob(workerData));

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: '1' },
      from: { type: 'string', default: '0' },
      only: { type: 'string' },
    },
  });
  const [seed, from, count] = [Number(values.seed), Number(values.from), Number(values.count)];
  const jobs = TARGETS.filter(({ name }) => !values.only || name === values.only).map(
    ({ name }): Job => ({ name, plan: { seed, from, count } }),
  );
  if (jobs.length === 0) {
    console.error(
      `there is no target ${values.only}: ${TARGETS.map(({ name }) => name).join(' ')}`,
    );
    process.exitCode = 1;
  }
  const work = async (): Promise<void> => {
    for (let job = jobs.shift(); job; job = jobs.shift()) print(await runInWorker(job), job.plan);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
}

function print(report: AttackReport, { seed, from }: Required<AttackPlan>): void {
  const { name, inputCount, acceptedCount, seconds, harm } = report;
  const rate = Math.round(inputCount / seconds);
  const accepted = ((100 * acceptedCount) / inputCount).toFixed(1);
  console.log(
    `${harm ? 'HARM' : 'ok  '} ${name}: ${inputCount} inputs, ${accepted} % understood, ` +
      `${seconds.toFixed(1)} s, ${rate}/s`,
  );
  if (!harm) return;
  const again = Math.max(0, from + inputCount - 1 - SUSPECTS);
  console.log(describeHarm(harm));
  console.log(`again: --only ${name} --seed ${seed} --from ${again} --count ${SUSPECTS + 1}`);
  process.exitCode = 1;
}

function runInWorker(job: Job): Promise<AttackReport> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(import.meta.filename, { workerData: job });
    worker.once('message', (report: AttackReport) => {
      resolve(report);
      // An agent of a web seed may hold the thread open for a while yet.
      void worker.terminate();
    });
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error(`${job.name}: an input was never done with`)));
  });
}

function runJob({ name, plan }: Job): Promise<AttackReport> {
  const target = TARGETS.find((candidate) => candidate.name === name);
  if (!target) throw new Error(`there is no target ${name}`);
  return attack(target, plan);
}
