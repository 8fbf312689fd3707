/** Where npm put Foundry's programs. */
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** The repository's root. */
export const ROOT: string = join(import.meta.dirname, '..', '..');

/**
 * Path of a program for this machine.
 *
 * The program itself and not the launcher in `node_modules/.bin`: that one ends with exit code 0
 * whatever happened, so a failing test would pass.
 */
export function foundryProgram(tool: 'forge' | 'anvil'): string {
  const system = process.platform;
  const machine = process.arch === 'x64' ? 'amd64' : process.arch;
  const suffix = system === 'win32' ? '.exe' : '';
  const launcher = join(ROOT, 'node_modules', '@foundry-rs', tool, 'package.json');
  return createRequire(launcher).resolve(
    `@foundry-rs/${tool}-${system}-${machine}/bin/${tool}${suffix}`,
  );
}
