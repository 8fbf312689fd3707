/** How many vouchers one core checks in a second: the signature alone, the verdict, the record. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeTempFolder } from '../../test/support/files.ts';
import { measure } from '../measure.ts';
import type { Contender, PreparedScenario, Run, Scenario } from './scenario.ts';

const WORK: string = fileURLToPath(new URL('../payment/voucher-work.ts', import.meta.url));

/** What is done with each voucher, and how many a run takes. */
const WORKS: readonly (readonly [name: string, work: string, count: number])[] = [
  ['recover', 'recover', 20_000],
  ['verify', 'verify', 20_000],
  ['verdict', 'verdict', 20_000],
  ['verdict and record', 'record', 20_000],
  ['verdict in JavaScript', 'verdict-js', 1_000],
];

/** See the head of this file. */
export const vouchers: Scenario = {
  name: 'vouchers',
  conditions:
    'vouchers of 100 lanes of one buyer, in turn, signed beforehand. "recover" and "verify" are ' +
    "libsecp256k1 alone. A verdict is all from the message's bytes to the answer: decoding, " +
    'EIP-712 digest, rules, signature. The record is in SQLite in memory, 50 vouchers a commit, ' +
    'and ends with the bytes of the ack. A core-second is CPU time of all threads.',
  defaults: { sizeBytes: 2 ** 20 },
  columns: [
    { title: 'vouchers per core-second', figure: 'vouchersPerCoreSecond', digits: 0 },
    { title: 'CPU µs each', figure: 'microsecondsEach', digits: 1 },
    { title: 'ratio', figure: 'vouchersPerCoreSecond', isRatio: true },
    { title: 'peak RSS MB', figure: 'peakRssBytes', unit: 1e6, digits: 0 },
  ],
  goals: [{ contender: 'verdict', figure: 'vouchersPerCoreSecond', atLeast: 15_000 }],
  prepare,
};

async function prepare(): Promise<PreparedScenario> {
  const temp = await makeTempFolder('bench-vouchers');
  const contenders = WORKS.map(
    ([name, work, count]): Contender => ({
      name,
      unavailable: null,
      run: async (): Promise<Run> => {
        const folder = join(temp.path, work);
        await rm(folder, { recursive: true, force: true });
        await mkdir(folder);
        const measurement = await measure([process.execPath, WORK, work, `${count}`, folder]);
        const done = measurement.lines.findLast((line) => line.ok === true);
        const vouchersPerCoreSecond = Number(done?.['vouchersPerCoreSecond']);
        const microsecondsEach = 1e6 / vouchersPerCoreSecond;
        return { measurement, extra: { vouchersPerCoreSecond, microsecondsEach } };
      },
    }),
  );
  return { contenders, [Symbol.asyncDispose]: () => temp.dispose() };
}
