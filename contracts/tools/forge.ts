/**
 * Starts npm's forge from the repository's root with this folder's settings:
 * `node contracts/tools/forge.ts <forge arguments>`. Works offline.
 */
import { spawnSync } from 'node:child_process';
import { delimiter, dirname } from 'node:path';
import { foundryProgram, ROOT } from './foundry.ts';

/** Runs forge to its end with its output on ours, and gives its exit code. */
export function runForge(args: readonly string[]): number {
  const path = process.env['PATH'] ?? '';
  const { status } = spawnSync(foundryProgram('forge'), args, {
    cwd: ROOT,
    stdio: 'inherit',
    env: {
      ...process.env,
      FOUNDRY_CONFIG: 'contracts/foundry.toml',
      // forge starts tools/solc.cjs, whose first line asks for `node`: it shall be this one.
      PATH: `${dirname(process.execPath)}${delimiter}${path}`,
    },
  });
  return status ?? 1;
}

if (import.meta.main) process.exitCode = runForge(process.argv.slice(2));
