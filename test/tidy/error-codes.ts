/** Error codes are a promise: each is declared once and explained in docs/errors.md. */
import ts from 'typescript';
import type { Finding, Source } from './source.ts';

/** Where the codes are explained. */
export const ERRORS_PAGE = 'docs/errors.md';

/** A code at the place it is declared. */
export interface DeclaredCode {
  readonly code: string;
  readonly path: string;
  readonly line: number;
}

/** The members of every exported type named `…ErrorCode`. */
export function declaredCodes(sources: readonly Source[]): readonly DeclaredCode[] {
  return sources.flatMap(({ path, tree, isTest }) => {
    if (tree === null || isTest || !path.startsWith('src/')) return [];
    const aliases = tree.statements.filter(
      (one) => ts.isTypeAliasDeclaration(one) && one.name.text.endsWith('ErrorCode'),
    );
    return aliases.flatMap((alias) =>
      literalsIn(alias).map((literal) => ({
        code: literal.text,
        path,
        line: tree.getLineAndCharacterOfPosition(literal.getStart(tree)).line + 1,
      })),
    );
  });
}

/** Files named `…-error.ts` that declare no code: the class would have an open set. */
export function filesWithoutCodes(sources: readonly Source[]): readonly Finding[] {
  return sources
    .filter((source) => /^src\/.*-error\.ts$/.test(source.path))
    .filter((source) => declaredCodes([source]).length === 0)
    .map((source) => ({
      path: source.path,
      line: 1,
      advice: "declare the codes: export type XErrorCode = 'X_ONE' | 'X_TWO'",
    }));
}

/** Codes declared more than once. */
export function repeatedCodes(codes: readonly DeclaredCode[]): readonly Finding[] {
  return codes.flatMap(({ code, path, line }, at) => {
    const earlier = codes.slice(0, at).find((other) => other.code === code);
    if (earlier === undefined) return [];
    return [{ path, line, advice: `${code} is declared in ${earlier.path} too: rename one` }];
  });
}

/** Codes that the page lacks, codes that only the page knows, and rows with an empty cell. */
export function undocumentedCodes(
  codes: readonly DeclaredCode[],
  page: string,
): readonly Finding[] {
  const rows = documentedRows(page);
  const missing = codes
    .filter(({ code }) => !rows.some((row) => row.code === code))
    .map(({ code, path, line }) => ({
      path,
      line,
      advice: `${code} is not in ${ERRORS_PAGE}: add a row | \`${code}\` | consequence | action |`,
    }));
  const stale = rows.flatMap(({ code, cells, line }) => {
    const isKnown = codes.some((one) => one.code === code);
    const isFull = cells.length === 2 && cells.every((cell) => cell !== '');
    if (isKnown && isFull) return [];
    const advice = isKnown
      ? `${code} needs two cells: the consequence, and what to do`
      : `${code} is declared nowhere: delete its row`;
    return [{ path: ERRORS_PAGE, line, advice }];
  });
  return [...missing, ...stale];
}

function documentedRows(
  page: string,
): readonly { readonly code: string; readonly cells: readonly string[]; readonly line: number }[] {
  return page.split('\n').flatMap((text, at) => {
    const row = /^\| `([A-Z][A-Z0-9_]*)` \|(.*)\|\s*$/.exec(text);
    if (row === null) return [];
    const cells = (row[2] ?? '').split('|').map((cell) => cell.trim());
    return [{ code: row[1] ?? '', cells, line: at + 1 }];
  });
}

function literalsIn(node: ts.Node): readonly ts.StringLiteral[] {
  if (ts.isStringLiteral(node)) return [node];
  const found: ts.StringLiteral[] = [];
  ts.forEachChild(node, (child) => {
    found.push(...literalsIn(child));
  });
  return found;
}
