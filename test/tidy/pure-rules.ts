/** Pure layers are given time and events, and everybody randomness; they never fetch them. */
import ts from 'typescript';
import { findNodes, type Rule } from './source.ts';

const PROPERTIES: Readonly<Record<string, string>> = {
  'Date.now': 'take an Instant or UnixSeconds as an argument',
  'performance.now': 'take an Instant as an argument',
  'Math.random': 'take a Random (src/units/random.ts), or systemRandom where things are joined',
};

const CALLS: Readonly<Record<string, string>> = {
  setTimeout: 'return an effect or a deadline, and be told when it has passed',
  setInterval: 'have a tick(now) that platform calls',
  setImmediate: 'return an effect and let platform perform it',
  queueMicrotask: 'return an effect and let platform perform it',
};

/** No `Date.now()`, `new Date()` or `performance.now()` in a pure layer. */
export const noClock: Rule = (source) =>
  !source.isPure
    ? []
    : findNodes(source, (node) => {
        const property = propertyName(node);
        if (property === 'Date.now' || property === 'performance.now') return say(property);
        const isDate =
          (ts.isNewExpression(node) || ts.isCallExpression(node)) &&
          node.expression.getText() === 'Date' &&
          (ts.isCallExpression(node) || (node.arguments?.length ?? 0) === 0);
        return isDate ? 'new Date() reads the clock: take the time as an argument' : null;
      });

/** No `Math.random()` in the product: it can be foretold. */
export const noRandomness: Rule = (source) =>
  source.isTest || !source.path.startsWith('src/')
    ? []
    : findNodes(source, (node) =>
        propertyName(node) === 'Math.random' ? say('Math.random') : null,
      );

/** No `async`, no `await`, no `for await` in a pure layer. */
export const noAsync: Rule = (source) =>
  !source.isPure
    ? []
    : findNodes(source, (node) =>
        node.kind === ts.SyntaxKind.AsyncKeyword ||
        node.kind === ts.SyntaxKind.AwaitKeyword ||
        ts.isAwaitExpression(node)
          ? 'pure layers are synchronous: take an event, return effects, let platform wait'
          : null,
      );

/** No timers in a pure layer. */
export const noTimers: Rule = (source) =>
  !source.isPure
    ? []
    : findNodes(source, (node) => {
        if (!ts.isCallExpression(node)) return null;
        const name = node.expression.getText().replace(/^globalThis\./, '');
        const advice = Object.hasOwn(CALLS, name) ? CALLS[name] : undefined;
        return advice === undefined ? null : `${name} waits: ${advice}`;
      });

function propertyName(node: ts.Node): string | null {
  return ts.isPropertyAccessExpression(node)
    ? `${node.expression.getText().replace(/^globalThis\./, '')}.${node.name.text}`
    : null;
}

function say(property: string): string {
  return `${property} is not for a pure layer: ${PROPERTIES[property]}`;
}
