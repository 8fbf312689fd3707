/** The whole repository against every tidy rule. What a rule finds is printed with what to do. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import ts from 'typescript';
import { PURE_LAYERS } from '../../tools/layers.ts';
import { noCheckerOff, noChores, noCommentedCode } from './comment-rules.ts';
import { exportDoc, fileDoc, missingDoors, moduleDoc } from './doc-rules.ts';
import {
  declaredCodes,
  ERRORS_PAGE,
  filesWithoutCodes,
  repeatedCodes,
  undocumentedCodes,
} from './error-codes.ts';
import { fileName, noAny, noConsole, noDefaultExport, noNonNull } from './language-rules.ts';
import { noAsync, noClock, noRandomness, noTimers } from './pure-rules.ts';
import { fileLength, functionLength, lineLength } from './size-rules.ts';
import { noSockets } from './socket-rules.ts';
import { type Finding, ROOT, type Rule, readSources } from './source.ts';

const sources = readSources();

const RULES: Readonly<Record<string, Rule>> = {
  'pure layers read no clock': noClock,
  'nobody draws numbers that can be foretold': noRandomness,
  'pure layers are synchronous': noAsync,
  'pure layers set no timers': noTimers,
  'files are at most 400 lines': fileLength,
  'functions are at most 70 lines': functionLength,
  'lines are at most 100 characters': lineLength,
  'files say what they are': fileDoc,
  'doors describe their layer': moduleDoc,
  'exports are explained': exportDoc,
  'comments list no chores': noChores,
  'comments hold no code': noCommentedCode,
  'the type checker is never switched off': noCheckerOff,
  'nothing is any': noAny,
  'nothing is asserted to be there with !': noNonNull,
  'everything is exported by name': noDefaultExport,
  'only programs for people print': noConsole,
  'sockets are opened by the way out alone': noSockets,
  'files are named in kebab-case': fileName,
};

for (const [title, rule] of Object.entries(RULES)) {
  test(title, () => expectNone(sources.flatMap(rule)));
}

test('every layer has a door', () => expectNone(missingDoors(sources)));

test('every error file declares its codes', () => expectNone(filesWithoutCodes(sources)));

test('every error code is declared once', () => expectNone(repeatedCodes(declaredCodes(sources))));

test('error codes and docs/errors.md say the same', () => {
  const page = readFileSync(join(ROOT, ERRORS_PAGE), 'utf8');
  expectNone(undocumentedCodes(declaredCodes(sources), page));
});

test('tsconfig.pure.json compiles exactly the pure layers', () => {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.pure.json'), ts.sys.readFile);
  const wanted = PURE_LAYERS.map((name) => `src/${name}`);
  assert.deepEqual(config.include.toSorted(), wanted.toSorted());
  assert.deepEqual(config.compilerOptions.types, []);
});

function expectNone(findings: readonly Finding[]): void {
  const list = findings.map(({ path, line, advice }) => `${path}:${line} ${advice}`).join('\n');
  if (findings.length === 0) return;
  const failure = new Error(`\n${list}`);
  failure.stack = failure.message;
  throw failure;
}
