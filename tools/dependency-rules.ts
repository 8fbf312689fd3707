/** Import rules for dependency-cruiser, generated from the layer table. */
import type { IForbiddenRuleType } from 'dependency-cruiser';
import { LAYERS, type Layer, PURE_LAYERS, PURE_PACKAGES } from './layers.ts';

/** Unit tests beside the sources, and the helpers that only tests use. */
const TEST_CODE = '(\\.test\\.ts$|^src/.*/testing/)';

/** Everything in the repository that is ours but is not product code. */
const OUTSIDE = '^(test|bench|demo|examples|tools|contracts)/';

const DOORS = LAYERS.flatMap((layer) => {
  const door = layer.door.replace('.', '\\.');
  const parts = layer.hasParts ? [`^src/${layer.name}/[^/]+/${door}$`] : [];
  return [`^src/${layer.name}/${door}$`, ...parts];
});

/** The complete rule set: one rule per layer, then the rules that hold for all of them. */
export function dependencyRules(): IForbiddenRuleType[] {
  return [
    ...LAYERS.map((layer) => layerRule(layer, 'product')),
    ...LAYERS.map((layer) => layerRule(layer, 'tests')),
    ...LAYERS.flatMap(onlyFromRules),
    ...doorRules(),
    ...pureRules(),
    ...hygieneRules(),
  ];
}

function layerRule(layer: Layer, of: 'product' | 'tests'): IForbiddenRuleType {
  const isOfTests = of === 'tests';
  const forTests = LAYERS.filter((other) => isOfTests && other.isForTests).map(({ name }) => name);
  const allowed = [...new Set([...layer.mayImport, ...forTests])];
  const path = `^src/${layer.name}/`;
  return {
    name: `layer-${layer.name}${isOfTests ? '-tests' : ''}`,
    comment: `${layer.name} (${of}) may import only: ${allowed.join(', ') || 'nothing'}.`,
    severity: 'error',
    from: isOfTests ? { path: `${path}.*(.test.ts$|testing/)` } : { path, pathNot: TEST_CODE },
    to: { path: '^src/', pathNot: `^src/(${[layer.name, ...allowed].join('|')})/` },
  };
}

function onlyFromRules(layer: Layer): IForbiddenRuleType[] {
  return Object.entries(layer.onlyFrom ?? {}).map(([target, prefix]) => ({
    name: `layer-${layer.name}-${target}`,
    comment: `${layer.name} may import ${target} only from files under ${prefix}.`,
    severity: 'error',
    from: { path: `^src/${layer.name}/`, pathNot: `^src/${layer.name}/.*${prefix}` },
    to: { path: `^src/${target}/` },
  }));
}

function doorRules(): IForbiddenRuleType[] {
  return [
    {
      name: 'door',
      comment: 'Another layer is entered only by its index.ts. Export what you need from there.',
      severity: 'error',
      from: { path: '^src/([^/]+)/', pathNot: TEST_CODE },
      to: { path: '^src/[^/]+/', pathNot: ['^src/$1/', ...DOORS] },
    },
    {
      name: 'door-for-tests',
      comment: "A test enters another layer by its index.ts or by that layer's testing/ folder.",
      severity: 'error',
      from: { path: '^src/([^/]+)/(testing/|.*/testing/|.*\\.test\\.ts$)' },
      to: { path: '^src/[^/]+/', pathNot: ['^src/$1/', '^src/.*/testing/', ...DOORS] },
    },
    {
      name: 'door-from-outside',
      comment: 'Code outside src/ enters a layer by its index.ts or by its testing/ folder.',
      severity: 'error',
      from: { path: OUTSIDE },
      to: { path: '^src/[^/]+/', pathNot: ['^src/.*/testing/', ...DOORS] },
    },
  ];
}

function pureRules(): IForbiddenRuleType[] {
  const from = { path: `^src/(${PURE_LAYERS.join('|')})/`, pathNot: TEST_CODE };
  const packages = PURE_PACKAGES.map((name) => `^node_modules/${name}/`);
  return [
    {
      name: 'pure-no-builtins',
      comment: 'A pure layer opens nothing: take what you need as a port, fill it in platform.',
      severity: 'error',
      from,
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'pure-no-packages',
      comment: `A pure layer may use only ${PURE_PACKAGES.join(', ')} from npm.`,
      severity: 'error',
      from,
      to: { path: 'node_modules/', pathNot: packages },
    },
  ];
}

function hygieneRules(): IForbiddenRuleType[] {
  return [
    {
      name: 'no-cycles',
      comment: 'Files form no cycle. Move what both need into a third file.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-test-code-in-product',
      comment: 'Product code does not import tests or their helpers.',
      severity: 'error',
      from: { path: '^src/', pathNot: TEST_CODE },
      to: { path: TEST_CODE },
    },
    {
      name: 'no-outside-code-in-product',
      comment: 'src/ does not import from test, bench, demo, examples, tools or contracts.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: OUTSIDE },
    },
    {
      name: 'no-dev-dependencies-in-product',
      comment: 'Installed users do not get devDependencies. Ask for it in "dependencies".',
      severity: 'error',
      from: { path: '^src/', pathNot: TEST_CODE },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'type-only'] },
    },
    {
      name: 'resolvable',
      comment: 'The import leads nowhere.',
      severity: 'error',
      // The bench's own package is installed only when the bench wants it.
      from: { pathNot: '^test/interop/clients/webtorrent/' },
      to: { couldNotResolve: true },
    },
  ];
}
