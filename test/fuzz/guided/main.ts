/**
 * `npm run fuzz:guided -- [--seconds 60] [--seed 1] [--only name]`: looks for inputs that take new
 * ways through our sources, and keeps the fewest that take all of them in `test/fuzz/corpus`. Ends
 * with 1 and the input in hex when one does harm.
 */
import { parseArgs } from 'node:util';
import { seededRandom } from '../../../src/units/index.ts';
import { describeHarm } from '../attack.ts';
import { saveFound } from '../corpus.ts';
import { TARGETS } from '../targets.ts';
import { explore } from './explore.ts';
import { counters, words } from './instrument.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
});
const wordList = [...words].map((word) => new TextEncoder().encode(word));
console.log(`${counters().length} branches, ${wordList.length} words`);
for (const target of TARGETS.filter(({ name }) => !values.only || name === values.only)) {
  const { harm, found, ...report } = await explore({
    ...{ target, counters: counters(), words: wordList, random: seededRandom(Number(values.seed)) },
    milliseconds: Number(values.seconds) * 1000,
  });
  const bytes = saveFound(target.name, found);
  const { inputCount, branches, branchesBefore } = report;
  console.log(
    `${harm ? 'HARM' : 'ok  '} ${target.name}: ${inputCount} inputs, ${branchesBefore} → ` +
      `${branches} branches, ${found.length} kept (${bytes} bytes)`,
  );
  if (harm) {
    console.log(describeHarm(harm));
    process.exitCode = 1;
  }
}
process.exit();
