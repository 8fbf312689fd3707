/** Each tidy rule finds what it is for, at its line, and leaves sound code alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noCheckerOff, noChores, noCommentedCode } from './comment-rules.ts';
import { exportDoc, fileDoc, missingDoors, moduleDoc } from './doc-rules.ts';
import {
  declaredCodes,
  filesWithoutCodes,
  repeatedCodes,
  undocumentedCodes,
} from './error-codes.ts';
import { fileName, noAny, noConsole, noDefaultExport, noNonNull } from './language-rules.ts';
import { noAsync, noClock, noRandomness, noTimers } from './pure-rules.ts';
import { fileLength, functionLength, lineLength } from './size-rules.ts';
import { noSockets } from './socket-rules.ts';
import { type Rule, sourceOf } from './source.ts';

const PURE = 'src/engine/example.ts';
const IMPURE = 'src/platform/example.ts';

/** The lines at which the rule objects to the text. */
function linesOf(rule: Rule, text: string, path: string = PURE): readonly number[] {
  return rule(sourceOf(path, text)).map((finding) => finding.line);
}

test('a pure layer is caught reading the clock, whatever the spelling', () => {
  const text = 'Date.now();\nnew Date();\nDate();\nperformance.now();\nglobalThis.Date.now();';
  assert.deepEqual(linesOf(noClock, text), [1, 2, 3, 4, 5]);
  assert.deepEqual(linesOf(noClock, 'new Date(seconds * 1000);'), []);
  assert.deepEqual(linesOf(noClock, text, IMPURE), []);
  assert.deepEqual(linesOf(noClock, text, 'src/engine/example.test.ts'), []);
});

test('a mention in a string or a comment is no use of the clock', () => {
  assert.deepEqual(linesOf(noClock, "// Date.now()\nconst text = 'Date.now()';"), []);
});

test('any layer is caught drawing numbers that can be foretold', () => {
  assert.deepEqual(linesOf(noRandomness, 'const x = 1;\nMath.random();'), [2]);
  assert.deepEqual(linesOf(noRandomness, 'new LocalDiscovery(Math.random);', IMPURE), [1]);
});

test('a pure layer is caught waiting', () => {
  assert.deepEqual(linesOf(noAsync, 'async function f() {}\nconst g = async () => 1;'), [1, 2]);
  assert.deepEqual(linesOf(noAsync, 'await x;\nfor await (const a of b) {}'), [1, 2]);
  assert.deepEqual(linesOf(noTimers, 'setTimeout(f, 1);\nsetInterval(f, 1);\nclear();'), [1, 2]);
});

test('a file of 401 lines is too long unless it is a test, a table or generated', () => {
  const text = 'x;\n'.repeat(401);
  assert.deepEqual(linesOf(fileLength, text), [401]);
  assert.deepEqual(linesOf(fileLength, 'x;\n'.repeat(400)), []);
  assert.deepEqual(linesOf(fileLength, text, 'src/engine/example.test.ts'), []);
  assert.deepEqual(linesOf(fileLength, text, 'src/engine/client-name-table.ts'), []);
  assert.deepEqual(linesOf(fileLength, text, 'src/chain/abi.generated.ts'), []);
});

test('a function of 71 lines is too long, a method and an arrow too', () => {
  const body = `{\n${'x;\n'.repeat(69)}}`;
  const short = `{\n${'x;\n'.repeat(68)}}`;
  assert.deepEqual(linesOf(functionLength, `function f() ${body}`), [1]);
  assert.deepEqual(linesOf(functionLength, `function f() ${short}`), []);
  assert.deepEqual(linesOf(functionLength, `class A {\n  f() ${body}\n}`), [2]);
  assert.deepEqual(linesOf(functionLength, `const f = () => ${body};`), [1]);
});

test("a test's callback may be long, a function it calls may not", () => {
  const body = `{\n${'x;\n'.repeat(80)}}`;
  const path = 'src/engine/example.test.ts';
  assert.deepEqual(linesOf(functionLength, `test('a', () => ${body});`, path), []);
  assert.deepEqual(linesOf(functionLength, `function helper() ${body}`, path), [1]);
});

test('a line of 101 characters is too long unless it cannot be broken', () => {
  assert.deepEqual(linesOf(lineLength, `ok\n${'word '.repeat(20)}x`), [2]);
  assert.deepEqual(linesOf(lineLength, 'word '.repeat(20)), []);
  assert.deepEqual(linesOf(lineLength, `// ${'word '.repeat(12)} ${'f'.repeat(50)}`), []);
});

test('a file needs a comment of its own, apart from its first export', () => {
  assert.deepEqual(linesOf(fileDoc, "import 'x';"), [1]);
  assert.deepEqual(linesOf(fileDoc, "/** About. */\nimport 'x';"), []);
  assert.deepEqual(linesOf(fileDoc, '/** A. */\nexport const a = 1;'), [1]);
  assert.deepEqual(linesOf(fileDoc, '/** About. */\n\n/** A. */\nexport const a = 1;'), []);
  assert.deepEqual(linesOf(fileDoc, '#!/usr/bin/env node\n/** About. */\nrun();'), []);
});

test("a layer's index.ts needs @module, other files do not", () => {
  assert.deepEqual(
    linesOf(moduleDoc, "/** About. */\nexport * from 'x';", 'src/wire/index.ts'),
    [1],
  );
  const good = "/**\n * About.\n *\n * @module\n */\nexport * from 'x';";
  assert.deepEqual(linesOf(moduleDoc, good, 'src/wire/index.ts'), []);
  assert.deepEqual(linesOf(moduleDoc, "/** About. */\nexport * from 'x';"), []);
});

test('a layer with files and no index.ts is caught', () => {
  const doors = missingDoors([sourceOf('src/wire/a.ts', ''), sourceOf('src/units/index.ts', '')]);
  assert.deepEqual(
    doors.map((finding) => finding.path),
    ['src/wire/index.ts'],
  );
});

test('an export without a comment is caught', () => {
  const head = '/** About. */\n\n';
  assert.deepEqual(linesOf(exportDoc, `${head}export const a = 1;`), [3]);
  assert.deepEqual(linesOf(exportDoc, `${head}/** A. */\nexport function a() {}`), []);
  assert.deepEqual(linesOf(exportDoc, `${head}interface A {}\nexport type B = A;`), [4]);
  assert.deepEqual(linesOf(exportDoc, `${head}export { a } from './a.ts';`), []);
});

test('one comment serves a block of constants and every overload', () => {
  const block = '/** About. */\n\n/** Sizes. */\nexport const a = 1;\nexport const b = 2;\n';
  assert.deepEqual(linesOf(exportDoc, block), []);
  assert.deepEqual(linesOf(exportDoc, `${block}\nexport const c = 3;`), [7]);
  const overloads = 'export function f(a: string): void;\nexport function f(a: unknown): void {}';
  assert.deepEqual(linesOf(exportDoc, `/** About. */\n\n/** F. */\n${overloads}`), []);
});

test('a chore is found in every kind of comment, in strings it is not one', () => {
  const text = "/**\n * TODO: later\n */\nf(); // FIXME\n/* XXX */\nconst t = 'TODO';";
  assert.deepEqual(linesOf(noChores, text).toSorted(), [2, 4, 5]);
  assert.deepEqual(linesOf(noChores, '// TODO', 'contracts/src/Lane.sol'), [1]);
});

test('code in a comment is found, prose is left alone', () => {
  const code = '// const a = 1;\n// foo.bar(baz);\n// if (x) {\n// }\n// a.b = c;\nrun();';
  assert.deepEqual(linesOf(noCommentedCode, code), [1, 2, 3, 4, 5]);
  const prose = '// Return early; the rest is slow.\n// for a peer, see BEP 6\nrun();';
  assert.deepEqual(linesOf(noCommentedCode, prose), []);
  assert.deepEqual(linesOf(noCommentedCode, '/**\n * const a = f(1);\n */\nrun();'), []);
});

test('switching the type checker off is found', () => {
  assert.deepEqual(linesOf(noCheckerOff, 'run();\n// @ts-expect-error it is fine\nrun();'), [2]);
});

test('any, ! and definite fields are found, not-equal and negation are not', () => {
  assert.deepEqual(linesOf(noAny, 'const a: any = 1;\nconst anyOne = a as any;'), [1, 2]);
  assert.deepEqual(linesOf(noNonNull, 'a!.b;\nclass A {\n  b!: string;\n}'), [1, 3]);
  assert.deepEqual(linesOf(noNonNull, 'const c = !a && a !== b;'), []);
});

test('a default export is found, the default of a switch is not', () => {
  assert.deepEqual(linesOf(noDefaultExport, 'export default 1;'), [1]);
  assert.deepEqual(linesOf(noDefaultExport, 'export default function f() {}'), [1]);
  assert.deepEqual(linesOf(noDefaultExport, 'switch (a) {\n  default:\n}'), []);
});

test('console is found outside programs for people', () => {
  assert.deepEqual(linesOf(noConsole, 'console.log(1);'), [1]);
  assert.deepEqual(linesOf(noConsole, 'console.log(1);', 'src/cli/print.ts'), []);
});

test('a socket that is opened past the way out is found', () => {
  const text = [
    "import type net from 'node:net';",
    "import { isIP, type Socket } from 'node:net';",
    "import tls from 'node:tls';",
    "import { lookup } from 'node:dns';",
    "const { request } = await import('undici');",
    "fetch('http://a.test');",
  ].join('\n');
  assert.deepEqual(linesOf(noSockets, text, IMPURE), [3, 4, 5, 6]);
  assert.deepEqual(linesOf(noSockets, text, 'src/platform/egress/tunnel.ts'), []);
});

test('a name that is not kebab-case is found', () => {
  const paths = ['src/units/BadName.ts', 'src/units/good-name.test.ts', 'src/units/bad_name.ts'];
  assert.deepEqual(
    paths.flatMap((path) => fileName(sourceOf(path, ''))).map((finding) => finding.path),
    ['src/units/BadName.ts', 'src/units/bad_name.ts'],
  );
});

test('codes are read from the union, and a code in two layers is found', () => {
  const one = sourceOf(
    'src/wire/wire-error.ts',
    "export type WireErrorCode =\n  | 'A_X'\n  | 'A_Y';",
  );
  const two = sourceOf('src/chain/chain-error.ts', "export type ChainErrorCode = 'A_Y';");
  const codes = declaredCodes([one, two]);
  assert.deepEqual(
    codes.map(({ code, line }) => [code, line]),
    [
      ['A_X', 2],
      ['A_Y', 3],
      ['A_Y', 1],
    ],
  );
  assert.deepEqual(
    repeatedCodes(codes).map((finding) => finding.path),
    ['src/chain/chain-error.ts'],
  );
});

test('an error file without codes is found', () => {
  const open = sourceOf('src/wire/wire-error.ts', 'export class WireError extends Error {}');
  assert.equal(filesWithoutCodes([open]).length, 1);
});

test('a code missing from the page, a stale row and an empty cell are found', () => {
  const codes = declaredCodes([
    sourceOf('src/wire/wire-error.ts', "export type WireErrorCode = 'A_X' | 'A_Y' | 'A_Z';"),
  ]);
  const page =
    '| code | c | a |\n| `A_X` | closes | none |\n| `A_Y` | closes | |\n| `A_W` | a | b |';
  assert.deepEqual(
    undocumentedCodes(codes, page).map(({ path, line }) => [path, line]),
    [
      ['src/wire/wire-error.ts', 1],
      ['docs/errors.md', 3],
      ['docs/errors.md', 4],
    ],
  );
});
