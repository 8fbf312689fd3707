/**
 * The gate, `npm run check`: every step runs, two at a time; one line for each that passes, the
 * whole output of each that fails.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const cache = 'node_modules/.cache/tsc';
const code = ['src', 'test', 'tools', 'bench', 'demo', 'examples', 'contracts', 'bin']
  .filter((folder) => existsSync(join(root, folder)))
  .join(' ');

interface Step {
  readonly name: string;
  readonly command: readonly string[];
}

const STEPS: readonly Step[] = [
  step('format and lint (biome)', 'biome check --error-on-warnings'),
  step('types (tsc)', `tsc --incremental --tsBuildInfoFile ${cache}/all.json`),
  step(
    'types of the pure layers (tsc)',
    `tsc -p tsconfig.pure.json --incremental --tsBuildInfoFile ${cache}/pure.json`,
  ),
  step('types of the client without money', 'node tools/without-money.ts'),
  step(
    'imports between layers (dependency-cruiser)',
    `depcruise --config .dependency-cruiser.cjs --output-type err-long ${code}`,
  ),
  step('drawing of the layers', 'node tools/layer-graph.ts --check'),
  step('dead code (knip)', 'knip --no-progress --treat-config-hints-as-errors'),
  step(
    'tidy',
    'node --test --test-reporter=dot test/tidy/tidy.test.ts test/tidy/documents.test.ts',
  ),
];

const started = performance.now();
const waiting = [...STEPS];
let failures = 0;
await Promise.all([work(), work()]);
console.log(
  failures === 0 ? `all good, ${since(started)}` : `${failures} failed, ${since(started)}`,
);
process.exitCode = failures === 0 ? 0 : 1;

async function work(): Promise<void> {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const start = performance.now();
    const { code, output } = await run(next.command);
    if (code !== 0) failures++;
    console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${next.name}, ${since(start)}`);
    if (code !== 0) console.log(output.trimEnd());
  }
}

function step(name: string, line: string): Step {
  return { name, command: line.split(' ') };
}

function run([program = '', ...args]: readonly string[]): Promise<{
  readonly code: number | null;
  readonly output: string;
}> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

function since(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}
