/** Parts of the language we do without, and how files are named. */
import ts from 'typescript';
import { findNodes, type Rule } from './source.ts';

/** Where printing is the job. Elsewhere the logger is passed in. */
const MAY_PRINT = /^(src\/cli|tools|bench|test|demo|examples|bin|contracts)\//;

const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*\.(ts|js|cjs|mjs)$/;

/** No `any`. */
export const noAny: Rule = (source) =>
  findNodes(source, (node) =>
    node.kind === ts.SyntaxKind.AnyKeyword ? 'no any: use unknown and narrow it' : null,
  );

/** No `value!` and no `field!: Type`. */
export const noNonNull: Rule = (source) =>
  findNodes(source, (node) => {
    const isAssertion = ts.isNonNullExpression(node);
    const isDefinite =
      (ts.isPropertyDeclaration(node) || ts.isVariableDeclaration(node)) &&
      node.exclamationToken !== undefined;
    return isAssertion || isDefinite
      ? 'no !: handle the missing case, or assert it with a message'
      : null;
  });

/** Only named exports. */
export const noDefaultExport: Rule = (source) =>
  findNodes(source, (node) =>
    ts.isExportAssignment(node) || node.kind === ts.SyntaxKind.DefaultKeyword
      ? isSwitchDefault(node)
        ? null
        : 'no default export: export it by name'
      : null,
  );

/** No `console` outside the command line, tools, benchmarks and tests. */
export const noConsole: Rule = (source) =>
  MAY_PRINT.test(source.path)
    ? []
    : findNodes(source, (node) =>
        ts.isPropertyAccessExpression(node) && node.expression.getText() === 'console'
          ? 'console is for the command line: return a value or take a logger'
          : null,
      );

/** Files are named in kebab-case. Contracts are named for the contract in them. */
export const fileName: Rule = (source) => {
  const name = source.path.slice(source.path.lastIndexOf('/') + 1);
  if (source.path.endsWith('.sol') || name.startsWith('.') || KEBAB.test(name)) return [];
  return [{ path: source.path, line: 1, advice: `rename ${name} to kebab-case` }];
};

function isSwitchDefault(node: ts.Node): boolean {
  return ts.isDefaultClause(node.parent);
}
