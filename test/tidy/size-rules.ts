/** How long a file, a function and a line may be. */
import ts from 'typescript';
import { findNodes, type Rule, type Source } from './source.ts';

const FILE_LINES = 400;
const FUNCTION_LINES = 70;
const LINE_CHARACTERS = 100;

/** What cannot be broken over two lines: an address, a hash, a test vector. */
const UNBREAKABLE = /\S{50,}/;

/** What node:test is called with; its callback is a scene and not a function to read. */
const TEST_CALL = /^(test|it|describe|suite)(\.\w+)?$/;

/** At most 400 lines; tests, tables (`…-table.ts`) and generated files may be longer. */
export const fileLength: Rule = (source) => {
  const isTable = /-table\.\w+$/.test(source.path);
  const length = source.text.trimEnd().split('\n').length;
  if (source.isTest || source.isGenerated || isTable || length <= FILE_LINES) return [];
  const advice = `${length} lines, at most ${FILE_LINES}: give one of its ideas its own file`;
  return [{ path: source.path, line: FILE_LINES + 1, advice }];
};

/** At most 70 lines in a function. The callback of a test is not counted. */
export const functionLength: Rule = (source) =>
  findNodes(source, (node) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || isTestCallback(source, node)) return null;
    const length = lineOf(source, node.getEnd()) - lineOf(source, node.getStart()) + 1;
    return length > FUNCTION_LINES
      ? `a function of ${length} lines, at most ${FUNCTION_LINES}: push ifs up and fors down`
      : null;
  });

/** At most 100 characters, unless a word of 50 or a test's title makes that impossible. */
export const lineLength: Rule = (source) => {
  if (source.isGenerated) return [];
  return source.lines.flatMap((text, at) => {
    const isTitle = source.isTest && /^\s*(test|it|describe|suite)(\.\w+)?\(/.test(text);
    if (text.length <= LINE_CHARACTERS || UNBREAKABLE.test(text) || isTitle) return [];
    const advice = `${text.length} characters, at most ${LINE_CHARACTERS}: break the line`;
    return [{ path: source.path, line: at + 1, advice }];
  });
};

function isTestCallback(source: Source, node: ts.Node): boolean {
  const call = node.parent;
  return source.isTest && ts.isCallExpression(call) && TEST_CALL.test(call.expression.getText());
}

function lineOf(source: Source, position: number): number {
  return source.tree?.getLineAndCharacterOfPosition(position).line ?? 0;
}
