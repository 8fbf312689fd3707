/**
 * Counts which branches of our sources run: a loading hook puts a counter into every function,
 * branch and loop of `src/`, before the code is first loaded. To be preloaded (`node --import`).
 */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** More branches than the sources that parse anything have. */
const COUNTERS = 1 << 16;

const all = new Uint8Array(COUNTERS);

/** Names and numbers that occur in the sources: what parsers compare with. */
export const words: Set<string> = new Set();

/** How often each branch of what is loaded ran; whoever reads it resets it. */
export function counters(): Uint8Array {
  return all.subarray(0, used);
}

const NAME = '__branches';
/** Words longer than this are sentences for people. */
const WORD_CHARS_MAX = 32;
let used = 0;
Object.defineProperty(globalThis, NAME, { value: all });

registerHooks({
  load(url, context, next) {
    const isOurs = url.startsWith('file:') && /\/src\/.*\.ts$/.test(url);
    if (!isOurs) return next(url, context);
    const source = instrument(readFileSync(fileURLToPath(url), 'utf8'), url);
    return { format: 'module-typescript', source, shortCircuit: true };
  },
});

/** The text with counters, types left as they are. */
function instrument(text: string, url: string): string {
  const file = ts.createSourceFile(url, text, ts.ScriptTarget.Latest, true);
  const result = ts.transform(file, [(context) => (root) => visitWith(context, root)]);
  const [changed = file] = result.transformed;
  return ts.createPrinter().printFile(changed as ts.SourceFile);
}

function visitWith<T extends ts.Node>(context: ts.TransformationContext, root: T): T {
  const visit = (node: ts.Node): ts.Node => count(ts.visitEachChild(node, visit, context), context);
  return ts.visitNode(root, visit) as T;
}

/** Puts a counter where `node` begins a way that may or may not be taken. */
function count(node: ts.Node, { factory }: ts.TransformationContext): ts.Node {
  if (ts.isStringLiteral(node) || ts.isNumericLiteral(node)) keepWord(node.text);
  if (ts.isIfStatement(node)) {
    const { expression, thenStatement, elseStatement } = node;
    const other = elseStatement ?? factory.createBlock([]);
    return factory.updateIfStatement(node, expression, counted(thenStatement), counted(other));
  }
  if (ts.isForStatement(node)) {
    const { initializer, condition, incrementor, statement } = node;
    return factory.updateForStatement(
      node,
      initializer,
      condition,
      incrementor,
      counted(statement),
    );
  }
  if (ts.isWhileStatement(node)) {
    return factory.updateWhileStatement(node, node.expression, counted(node.statement));
  }
  if (ts.isForOfStatement(node)) {
    const { awaitModifier, initializer, expression, statement } = node;
    const body = counted(statement);
    return factory.updateForOfStatement(node, awaitModifier, initializer, expression, body);
  }
  if (ts.isCaseClause(node)) {
    return factory.updateCaseClause(node, node.expression, [tick(), ...node.statements]);
  }
  if (ts.isConditionalExpression(node)) {
    const { condition, questionToken, whenTrue, colonToken, whenFalse } = node;
    const [yes, no] = [countedValue(whenTrue), countedValue(whenFalse)];
    return factory.updateConditionalExpression(node, condition, questionToken, yes, colonToken, no);
  }
  if (ts.isBinaryExpression(node) && isShortCircuit(node.operatorToken.kind)) {
    const { left, operatorToken, right } = node;
    return factory.updateBinaryExpression(node, left, operatorToken, countedValue(right));
  }
  if (ts.isBlock(node) && ts.isFunctionLike(ts.getOriginalNode(node).parent)) {
    return factory.updateBlock(node, [tick(), ...node.statements]);
  }
  return node;

  function tick(): ts.Statement {
    return factory.createExpressionStatement(increment());
  }
  function counted(statement: ts.Statement): ts.Statement {
    return factory.createBlock([tick(), statement]);
  }
  function countedValue(value: ts.Expression): ts.Expression {
    return factory.createParenthesizedExpression(factory.createComma(increment(), value));
  }
  function increment(): ts.Expression {
    const at = factory.createNumericLiteral(used++ % COUNTERS);
    const cell = factory.createElementAccessExpression(factory.createIdentifier(NAME), at);
    return factory.createPostfixIncrement(cell);
  }
}

function isShortCircuit(kind: ts.SyntaxKind): boolean {
  return (
    kind === ts.SyntaxKind.AmpersandAmpersandToken ||
    kind === ts.SyntaxKind.BarBarToken ||
    kind === ts.SyntaxKind.QuestionQuestionToken
  );
}

function keepWord(text: string): void {
  if (text.length > 0 && text.length <= WORD_CHARS_MAX && !text.includes('/')) words.add(text);
}
