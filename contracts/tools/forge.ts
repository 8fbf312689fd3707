/**
 * Starts npm's forge from the repository's root with this folder's settings:
 * `node contracts/tools/forge.ts <forge arguments>`. Works offline.
 */
import { spawnSync } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';

/** The repository's root. */
export const ROOT: string = join(import.meta.dirname, '..', '..');

/** Runs forge to its end with its output on ours, and gives its exit code. */
export function runForge(args: readonly string[]): number {
  const launcher = join(ROOT, 'node_modules', '@foundry-rs', 'forge', 'bin.mjs');
  const path = process.env['PATH'] ?? '';
  const { status } = spawnSync(process.execPath, [launcher, ...args], {
    cwd: ROOT,
    stdio: 'inherit',
    env: {
      ...process.env,
      FOUNDRY_CONFIG: 'contracts/foundry.toml',
      TARGET_TOOL: 'forge',
      // forge starts tools/solc.cjs, whose first line asks for `node`: it shall be this one.
      PATH: `${dirname(process.execPath)}${delimiter}${path}`,
    },
  });
  return status ?? 1;
}

if (import.meta.main) process.exitCode = runForge(process.argv.slice(2));
