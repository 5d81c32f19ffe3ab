/**
 * Who may import whom. The planners (model, diff, reconcilers) are functions of their arguments: they reach no
 * clock, disk, network or process, and know nothing of the folders that do. Each outside library has one home.
 */
const PURE = '^src/(model|diff|reconcilers)/'

/** Libraries without effects that the pure folders may use. */
const PURE_LIBRARIES = ['ajv', 'diff', 'fast-json-patch', 'fastest-levenshtein', 'ipaddr\\.js', 'js-yaml'].join('|')

/** What planners speak of without reaching for it: the engine's vocabulary, and the plan's. Types only. */
const PORTS = '^src/runtime/engine\\.ts$'
const PLAN = '^src/reconcilers/plan\\.ts$'

/** A pure folder, and the folders of src that it may import. */
const layer = (folder, allowed) => ({
  name: `${folder}-imports`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: { path: '^src/', pathNot: [`^src/(${allowed})/`, PORTS, ...(folder === 'diff' ? [PLAN] : [])] },
})

/** One library, one home. */
const home = (library, folder) => ({
  name: `${library}-lives-in-${folder}`,
  severity: 'error',
  from: { path: '^src/', pathNot: `^src/${folder}/` },
  to: { path: `(^|node_modules/)(@types/)?${library}(/|$)` },
})

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    layer('model', 'model'),
    layer('diff', 'diff|model'),
    layer('reconcilers', 'reconcilers|diff|model'),
    { name: 'ports-as-types-only', severity: 'error', from: { path: PURE }, to: { path: PORTS, dependencyTypesNot: ['type-only'] } },
    {
      name: 'plan-as-types-only',
      severity: 'error',
      from: { path: '^src/diff/' },
      to: { path: PLAN, dependencyTypesNot: ['type-only'] },
    },
    // Of node:net only isIP and its kin, which are pure; scripts/check/purity.ts looks at the names.
    { name: 'pure-without-effects', severity: 'error', from: { path: PURE }, to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|net)$' } },
    {
      name: 'pure-libraries-only',
      severity: 'error',
      from: { path: PURE },
      to: { path: 'node_modules/', pathNot: `node_modules/(@types/)?(${PURE_LIBRARIES})/` },
    },
    { name: 'nobody-imports-main', severity: 'error', from: {}, to: { path: '^src/main\\.ts$' } },
    { name: 'src-stands-alone', severity: 'error', from: { path: '^src/' }, to: { path: '^(test|scripts)/' } },
    home('dockerode', 'runtime/docker'),
    home('simple-git', 'git'),
    home('chokidar', 'git'),
    home('(node:)?sqlite', 'store'),
  ],
  options: {
    // TypeScript 7 has no API for other tools; swc reads the same syntax. Type imports count as imports.
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^node_modules/.*/node_modules/' },
  },
}
