/**
 * `npm run build`: makes `dist/`, what is published. Modules are bundled: a download loads some
 * 460 in two threads, and each costs a quarter of a millisecond and 30 KB (decision 0140). What is
 * loaded on demand stays apart, packages stay packages, and the code stays readable.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';

const root: string = join(import.meta.dirname, '..');

/**
 * An `import` of `node:http` reads all that the module exports. One of it is `WebSocket`, and to
 * have that Node loads the whole of its `fetch`. Taken as an object, nothing is read unasked.
 */
const httpAsObject: Plugin = {
  name: 'http-as-object',
  setup({ onResolve, onLoad }): void {
    onResolve({ filter: /^node:http$/ }, ({ path }) => ({ path, namespace: 'object' }));
    onLoad({ filter: /^/, namespace: 'object' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('${path}');`,
    }));
  },
};

/** Bundles the program into `<folder>/dist`, anew. */
export async function buildInto(folder: string): Promise<void> {
  const outdir = join(folder, 'dist');
  await rm(outdir, { recursive: true, force: true });
  const { outputFiles } = await build({
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
    plugins: [httpAsObject],
    logLevel: 'warning',
    write: false,
  });
  await mkdir(outdir, { recursive: true });
  for (const { path, text } of outputFiles) await writeFile(path, asciiOf(text));
}

/** An arrow in a comment, and V8 keeps all of that file's text in two bytes a character. */
function asciiOf(code: string): string {
  return code.replace(/[^\0-\x7f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

if (import.meta.main) await buildInto(root);
