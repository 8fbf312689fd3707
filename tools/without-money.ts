/**
 * Type-checks the torrent client as if the money layers were deleted: their folders do not exist
 * for the compiler. Tests of those layers are included, so that they too can do without.
 */
import { globSync } from 'node:fs';
import { join, sep } from 'node:path';
import ts from 'typescript';
import { MONEY_FREE_LAYERS, MONEY_LAYERS } from './layers.ts';

const root = join(import.meta.dirname, '..');
const deleted = MONEY_LAYERS.map((name) => join(root, 'src', name) + sep);

const diagnostics = check();
if (diagnostics.length > 0) {
  console.error(`${MONEY_FREE_LAYERS.join(', ')} must compile without ${MONEY_LAYERS.join(', ')}:`);
  console.error(
    ts.formatDiagnostics(diagnostics, {
      getCanonicalFileName: (name) => name,
      getCurrentDirectory: () => root,
      getNewLine: () => '\n',
    }),
  );
  process.exit(1);
}

function check(): readonly ts.Diagnostic[] {
  const { options, errors } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config,
    ts.sys,
    root,
  );
  const files = globSync(
    MONEY_FREE_LAYERS.map((name) => `src/${name}/**/*.ts`),
    { cwd: root },
  ).map((name) => join(root, name));
  const program = ts.createProgram(files, options, hostWithoutMoney(options));
  return [...errors, ...ts.getPreEmitDiagnostics(program)];
}

function hostWithoutMoney(options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  const isDeleted = (path: string) => deleted.some((folder) => join(path, sep).startsWith(folder));
  return {
    ...host,
    fileExists: (path) => !isDeleted(path) && host.fileExists(path),
    readFile: (path) => (isDeleted(path) ? undefined : host.readFile(path)),
    directoryExists: (path) => !isDeleted(path) && ts.sys.directoryExists(path),
  };
}
