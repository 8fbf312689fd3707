/**
 * `npm run build`: makes `dist/`, what is published. Modules are bundled: a download loads some
 * 460 in two threads, and each costs a quarter of a millisecond and 30 KB (decision 0140). What is
 * loaded on demand stays apart, packages stay packages, and the code stays readable.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

const root: string = join(import.meta.dirname, '..');

/** Bundles the program into `<folder>/dist`, anew. */
export async function buildInto(folder: string): Promise<void> {
  const outdir = join(folder, 'dist');
  await rm(outdir, { recursive: true, force: true });
  await build({
    // All in one folder: a thread's program is looked for beside the chunk that starts it.
    entryPoints: [join(root, 'src/cli/main.ts'), join(root, 'src/daemon/transfer/worker.ts')],
    entryNames: '[name]',
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    packages: 'external',
    logLevel: 'warning',
  });
}

if (import.meta.main) await buildInto(root);
