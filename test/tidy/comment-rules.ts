/** Comments say why. They are no list of chores and no store of old code. */
import ts from 'typescript';
import type { Finding, Rule, Source } from './source.ts';

const CHORE = /\b(TODO|FIXME|XXX|HACK)\b/;

/** Shapes that prose does not have. */
const CODE = [
  /^(import|export|const|let|var|return|if|for|while|await|throw|case)\b.*[;{}]$/,
  /^[\w.#]+\(.*\);$/,
  /^[\w.#[\]]+ [-+*/]?= .*;$/,
  /^\}( else.*)?\)?;?$/,
  /=> \{$/,
];

interface Comment {
  readonly line: number;
  readonly text: string;
}

/** No notes to do something later: do it, or say in the documents that it is not done. */
export const noChores: Rule = (source) =>
  findComments(source, CHORE, 'do it now, or say in the docs that it is not done');

/** No code in `//` comments. Doc comments may hold examples. */
export const noCommentedCode: Rule = (source) =>
  comments(source).flatMap((comment) => {
    const words = /^\/\/+\s*(.*?)\s*$/.exec(comment.text)?.[1];
    if (words === undefined || !CODE.some((shape) => shape.test(words))) return [];
    const advice = 'this comment is code: delete it, git remembers';
    return [{ path: source.path, line: comment.line, advice }];
  });

/** No comment that switches the type checker off. */
export const noCheckerOff: Rule = (source) =>
  findComments(source, /@ts-(ignore|nocheck|expect-error)\b/, 'make the types true instead');

function findComments(source: Source, wanted: RegExp, advice: string): readonly Finding[] {
  return comments(source).flatMap((comment) => {
    const word = wanted.exec(comment.text)?.[0];
    return word === undefined
      ? []
      : [{ path: source.path, line: comment.line, advice: `${word}: ${advice}` }];
  });
}

/** Every line of every comment. Outside TypeScript a comment is what follows `//` or `*`. */
function comments(source: Source): readonly Comment[] {
  const { tree, text } = source;
  if (tree === null) {
    return source.lines.flatMap((line, at) => {
      const found = /(^|\s)(\/\/|\*|\/\*).*$/.exec(line)?.[0].trim();
      return found === undefined ? [] : [{ line: at + 1, text: found }];
    });
  }
  const starts = new Map<number, number>();
  const note = (ranges: readonly ts.CommentRange[] | undefined): void => {
    for (const range of ranges ?? []) starts.set(range.pos, range.end);
  };
  const walk = (node: ts.Node): void => {
    note(ts.getLeadingCommentRanges(text, node.getFullStart()));
    note(ts.getTrailingCommentRanges(text, node.getEnd()));
    for (const child of node.getChildren(tree)) walk(child);
  };
  walk(tree);
  return [...starts].flatMap(([start, end]) => {
    const first = tree.getLineAndCharacterOfPosition(start).line + 1;
    return text
      .slice(start, end)
      .split('\n')
      .map((line, at) => ({ line: first + at, text: line.trim() }));
  });
}
