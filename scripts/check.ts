/** `npm run check`: everything that can be known about the code without running it, one line a check. */
import { spawnSync } from 'node:child_process'
import { findLockfileFaults } from './check/lockfile.ts'
import { findImpurities } from './check/purity.ts'

interface Verdict {
  readonly ok: boolean
  readonly output: string
}

/** Runs a tool of node_modules/.bin, which scripts/run.mjs puts on PATH. */
function tool(command: string, ...args: string[]): () => Verdict {
  return () => {
    const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 64 << 20 })
    return { ok: status === 0, output: `${stdout ?? ''}${stderr ?? ''}${error ? error.message : ''}`.trimEnd() }
  }
}

const search = (find: () => string[]) => (): Verdict => {
  const found = find()
  return { ok: found.length === 0, output: found.join('\n') }
}

const CHECKS: Readonly<Record<string, () => Verdict>> = {
  'lock file': search(findLockfileFaults),
  types: tool('tsc', '-p', '.'),
  'lint and format': tool('biome', 'check', '--error-on-warnings', '--max-diagnostics=50', '.'),
  'import layers': tool('depcruise', '--config', '.dependency-cruiser.cjs', '--output-type', 'err', 'src', 'test', 'scripts'),
  purity: search(findImpurities),
  'unused code': tool('knip', '--no-progress'),
}

let failed = 0
for (const [name, check] of Object.entries(CHECKS)) {
  const started = performance.now()
  const { ok, output } = check()
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${name}: ${ok ? 'ok' : 'FAILED'} (${seconds} s)`)
  if (!ok) console.log(`${output.replace(/^/gm, '  ')}\n`)
  failed += ok ? 0 : 1
}
if (failed > 0) console.log(`${failed} of ${Object.keys(CHECKS).length} checks failed`)
process.exit(failed > 0 ? 1 : 0)
