/** Every file says what it is, every door says it for its layer, every export is explained. */
import ts from 'typescript';
import { LAYERS } from '../../tools/layers.ts';
import { type Finding, findingAt, type Rule, type Source } from './source.ts';

/** A TypeScript file that is not a test opens with a doc comment of its own. */
export const fileDoc: Rule = (source) => {
  if (source.tree === null || source.isTest) return [];
  const comments = headComments(source);
  const first = source.tree.statements[0];
  const needed = first !== undefined && isDocumentable(first) ? 2 : 1;
  if (comments.length >= needed) return [];
  const advice = 'open the file with a /** sentence or two */ and a blank line: what is in it?';
  return [{ path: source.path, line: 1, advice }];
};

/** The door of a layer describes the layer in a `@module` comment. */
export const moduleDoc: Rule = (source) => {
  const isDoor = LAYERS.some((layer) => source.path === `src/${layer.name}/${layer.door}`);
  if (!isDoor || /@module\b/.test(headComments(source)[0] ?? '')) return [];
  const advice =
    'begin with a comment ending in @module: what the layer is, what it must never know, ' +
    'where to start reading';
  return [{ path: source.path, line: 1, advice }];
};

/** Every layer that has files has a door. Takes all sources, since what is missing has no file. */
export function missingDoors(sources: readonly Source[]): readonly Finding[] {
  return LAYERS.flatMap((layer) => {
    const door = `src/${layer.name}/${layer.door}`;
    const isBegun = sources.some((source) => source.path.startsWith(`src/${layer.name}/`));
    if (!isBegun || sources.some((source) => source.path === door)) return [];
    return [{ path: door, line: 1, advice: 'the layer has no door: write this file' }];
  });
}

/**
 * Every exported declaration has a doc comment.
 *
 * One comment may serve a block of one-line constants that follow each other without a blank line.
 */
export const exportDoc: Rule = (source) => {
  if (source.tree === null || source.isTest) return [];
  const tree = source.tree;
  const findings: Finding[] = [];
  const explained = new Set<string>();
  let previous: ts.Statement | undefined;
  let isPreviousExplained = false;
  for (const statement of tree.statements) {
    const names = isDocumentable(statement) ? exportedNames(statement) : [];
    const isExplained: boolean =
      docsOf(source, statement, previous === undefined) ||
      names.some((name) => explained.has(name)) ||
      (isPreviousExplained && continuesBlock(tree, previous, statement));
    if (isExplained) for (const name of names) explained.add(name);
    else if (names.length > 0) {
      findings.push(
        findingAt(source, statement, `${names.join(', ')} is exported: say what it is in /** */`),
      );
    }
    previous = statement;
    isPreviousExplained = isExplained && names.length > 0;
  }
  return findings;
};

/** The doc comments before the first statement, in order. */
function headComments(source: Source): readonly string[] {
  const { tree, text } = source;
  if (tree === null) return [];
  return (ts.getLeadingCommentRanges(text, 0) ?? [])
    .map((range) => text.slice(range.pos, range.end))
    .filter((comment) => comment.startsWith('/**'));
}

/** Whether a doc comment belongs to the statement. The file's own does not count for the first. */
function docsOf(source: Source, statement: ts.Statement, isFirst: boolean): boolean {
  const ranges = ts.getLeadingCommentRanges(source.text, statement.getFullStart()) ?? [];
  const docs = ranges.filter((range) => source.text.startsWith('/**', range.pos));
  return docs.length > (isFirst ? 1 : 0);
}

function continuesBlock(
  tree: ts.SourceFile,
  previous: ts.Statement | undefined,
  statement: ts.Statement,
): boolean {
  if (previous === undefined) return false;
  if (!ts.isVariableStatement(previous) || !ts.isVariableStatement(statement)) return false;
  const lineOf = (position: number) => tree.getLineAndCharacterOfPosition(position).line;
  return lineOf(statement.getStart(tree)) === lineOf(previous.getEnd()) + 1;
}

function isDocumentable(statement: ts.Statement): boolean {
  return (
    ts.canHaveModifiers(statement) &&
    !ts.isImportDeclaration(statement) &&
    (ts.getModifiers(statement) ?? []).some((one) => one.kind === ts.SyntaxKind.ExportKeyword)
  );
}

function exportedNames(statement: ts.Statement): readonly string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map((one) => one.name.getText());
  }
  const isNamed =
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement);
  return isNamed && statement.name !== undefined ? [statement.name.text] : [];
}
