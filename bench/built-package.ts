/** The package as it is published: what the benchmarks measure, because it is what users run. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { buildInto } from '../tools/build.ts';

const ROOT: string = join(import.meta.dirname, '..');
/** Always the same place, where packages are found and compiled code is remembered. */
const FOLDER: string = join(ROOT, 'node_modules/.cache/bidwidth-package');

/** Builds it, and has every `bidwidthCommand` run it. */
export async function runBuiltPackage(): Promise<void> {
  await buildInto(FOLDER);
  await cp(join(ROOT, 'package.json'), join(FOLDER, 'package.json'));
  const program = join(FOLDER, 'bin/bidwidth.js');
  await cp(join(ROOT, 'bin/bidwidth.js'), program);
  process.env['BIDWIDTH_PROGRAM'] = program;
}
