import { globSync, readFileSync } from 'node:fs'

/** What reaches outside a function's arguments without an import, and where it may stand. Paths are from the root. */
const RULES = [
  { pattern: /\bDate\.now\b/, name: 'Date.now' },
  { pattern: /\bnew Date\(\s*\)/, name: 'new Date()' },
  { pattern: /\bMath\.random\b/, name: 'Math.random' },
  { pattern: /\bprocess\.env\b/, name: 'process.env' },
  { pattern: /(?<![.\w])set(Timeout|Interval|Immediate)\(/, name: 'a bare timer' },
  { pattern: /^import (?!\{ (isIP(v[46])?(, )?)+ \} from).*'node:net'/, name: 'node:net beyond isIP' },
]

/** The composition root, and the folders whose work is input and output. */
const EDGES = /^src\/(main\.ts$|(api|cli|git|render|runtime|store)\/)/

/** The same text with comments blanked out, line by line in place. */
function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\/|(?<![:'"`])\/\/.*$/gm, (comment) => comment.replace(/[^\n]/g, ' '))
}

/** Places in one file that take time, chance, timers or the environment from the air, as `file:line: what`. */
export function impuritiesOf(file: string, source: string): string[] {
  const lines = withoutComments(source).split('\n')
  return lines.flatMap((line, i) =>
    RULES.filter(({ pattern }) => pattern.test(line)).map(({ name }) => `${file}:${i + 1}: ${name}; take it as an argument`),
  )
}

/** The same for all of src outside the edges. */
export function findImpurities(): string[] {
  const files = globSync('src/**/*.ts').filter((file) => !EDGES.test(file))
  return files.sort().flatMap((file) => impuritiesOf(file, readFileSync(file, 'utf8')))
}
