/** The documents point only at things that exist. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from './source.ts';

const FOLDERS = 'src|test|tools|contracts|demo|examples|bench|docs|bin|\\.ci';

interface Mention {
  readonly at: string;
  readonly target: string;
  /** The folder the target is relative to. */
  readonly from: string;
}

const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: ROOT });

test('links between documents lead somewhere', () => {
  expectAll(mentions(/\]\(([^)#\s]+)[^)]*\)/g, (page) => dirname(page)).filter(isLocal));
});

test('files named in the documents exist', () => {
  const named = new RegExp(`\`((?:${FOLDERS})/[\\w./-]*)\``, 'g');
  expectAll(mentions(named, () => '.'));
});

test('npm commands named in the documents exist', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const unknown = mentions(/npm (?:run )?([\w:]+)/g, () => '.').filter(
    ({ target }) => !['ci', 'install', 'run', ...Object.keys(scripts)].includes(target),
  );
  expectNone(unknown.map(({ at, target }) => `${at} npm has no script ${target}`));
});

test('each feature that is claimed names a test', () => {
  const rows = readFileSync(join(ROOT, 'docs/features.md'), 'utf8').match(
    /^\| (?!feature|---).*$/gm,
  );
  const unproved = (rows ?? []).filter((row) => {
    const ours = row.split(' | ')[1] ?? '';
    return ours !== 'no' && !/`[\w/.-]+\.test\.ts`/.test(ours);
  });
  expectNone(unproved.map((row) => `docs/features.md names no test: ${row}`));
});

test('the list of decisions names every note, in order', () => {
  const list = readFileSync(join(ROOT, 'docs/decisions/README.md'), 'utf8');
  const listed = [...list.matchAll(/^\| \[\d{4}\]\(([^)]+)\)/gm)].map((row) => row[1]);
  assert.deepEqual(listed, globSync('0*.md', { cwd: join(ROOT, 'docs/decisions') }).sort());
});

test('each attack names limits and tests that there are', () => {
  const read = (pattern: string): string =>
    globSync(pattern, { cwd: ROOT }).reduce(
      (all, path) => all + readFileSync(join(ROOT, path), 'utf8'),
      '',
    );
  const tests = read('{src,test}/**/*.test.ts');
  const code = read('src/**/*.ts');
  const page = readFileSync(join(ROOT, 'docs/attacks.md'), 'utf8');
  const rows = page.match(/^\| (?!attack|---).*$/gm) ?? [];
  const titles = rows.flatMap((row) => row.match(/(?<=\*)[^*|]{12,}(?=\*(?:[,;.] | \|))/g) ?? []);
  const limits = page.match(/(?<=`)[A-Z]+(?:_[A-Z]+)*_(?:MAX|MS|RATE|BACK|LIMITS)(?=`)/g) ?? [];
  expectNone([
    ...titles.filter((title) => !tests.includes(title)).map((title) => `no test: ${title}`),
    ...limits.filter((name) => !code.includes(`const ${name}`)).map((name) => `no limit: ${name}`),
  ]);
});

function mentions(pattern: RegExp, from: (page: string) => string): readonly Mention[] {
  return pages.flatMap((page) =>
    readFileSync(join(ROOT, page), 'utf8')
      .split('\n')
      .flatMap((line, at) =>
        [...line.matchAll(pattern)].map((match) => ({
          at: `${page}:${at + 1}`,
          target: match[1] ?? '',
          from: from(page),
        })),
      ),
  );
}

function isLocal({ target }: Mention): boolean {
  return !/^[a-z]+:/.test(target);
}

function expectAll(found: readonly Mention[]): void {
  expectNone(
    found
      .filter(({ from, target }) => !existsSync(join(ROOT, from, target)))
      .map(({ at, target }) => `${at} there is no ${target}`),
  );
}

function expectNone(list: readonly string[]): void {
  if (list.length === 0) return;
  const failure = new Error(`\n${list.join('\n')}`);
  failure.stack = failure.message;
  throw failure;
}
