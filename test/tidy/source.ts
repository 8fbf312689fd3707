/** Reads our source files and parses them once, for every tidy rule to look at. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { PURE_LAYERS } from '../../tools/layers.ts';

/** The repository's root folder. */
export const ROOT: string = join(import.meta.dirname, '..', '..');

/** One source file. */
export interface Source {
  /** From the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
  /** The parsed file, null where it is not TypeScript. */
  readonly tree: ts.SourceFile | null;
  readonly isTest: boolean;
  /** Written by a program, so its size and its lines are nobody's choice. */
  readonly isGenerated: boolean;
  /** Product code of a layer that does no I/O; its test helpers are not. */
  readonly isPure: boolean;
}

/** Something untidy, and what to do about it. */
export interface Finding {
  readonly path: string;
  /** Counted from 1. */
  readonly line: number;
  readonly advice: string;
}

/** One tidy rule. */
export type Rule = (source: Source) => readonly Finding[];

/** Describes one file; the rules' own tests pass text that is on no disk. */
export function sourceOf(path: string, text: string): Source {
  const isTest = path.endsWith('.test.ts');
  const layer = /^src\/([^/]+)\//.exec(path)?.[1] ?? '';
  return {
    path,
    text,
    lines: text.split('\n'),
    tree: path.endsWith('.ts')
      ? ts.createSourceFile(path, text, ts.ScriptTarget.ES2024, true)
      : null,
    isTest,
    isGenerated: path.includes('.generated.'),
    isPure: PURE_LAYERS.includes(layer) && !isTest && !path.includes('/testing/'),
  };
}

/** Every file of ours that a person writes and a program runs. */
export function readSources(): readonly Source[] {
  const paths = [
    ...globSync('*.{ts,js,cjs,mjs}', { cwd: ROOT }),
    ...globSync('{src,test,tools,bench,demo,examples,bin,contracts}/**/*.{ts,js,cjs,mjs,sol}', {
      cwd: ROOT,
      exclude: (path) => /^(node_modules|contracts\/(out|cache|lib))$/.test(path),
    }),
  ];
  return paths
    .map((path) => path.replaceAll('\\', '/'))
    .sort()
    .map((path) => sourceOf(path, readFileSync(join(ROOT, path), 'utf8')));
}

/** A finding at a node of the tree. */
export function findingAt(source: Source, node: ts.Node, advice: string): Finding {
  const position = source.tree?.getLineAndCharacterOfPosition(node.getStart(source.tree));
  return { path: source.path, line: (position?.line ?? 0) + 1, advice };
}

/** Every node of the file for which `visit` returns advice becomes a finding. */
export function findNodes(
  source: Source,
  visit: (node: ts.Node) => string | null,
): readonly Finding[] {
  const findings: Finding[] = [];
  const walk = (node: ts.Node): void => {
    const advice = visit(node);
    if (advice !== null) findings.push(findingAt(source, node, advice));
    ts.forEachChild(node, walk);
  };
  if (source.tree !== null) walk(source.tree);
  return findings;
}
