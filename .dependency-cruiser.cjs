// The rules are generated from the layer table; change tools/layers.ts, not this file.
const { dependencyRules } = require('./tools/dependency-rules.ts');

module.exports = {
  forbidden: dependencyRules(),
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|contracts/(out|cache))/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.cjs', '.json', '.d.ts'],
    },
  },
};
