/**
 * `npm run bench:scale`: what the daemon itself takes, and how that grows, with an engine that takes no time.
 *
 *   npm run bench:scale [-- --full] [--markdown] [--sizes 1000/100,10000/1000]
 *
 * A size is pods/workloads. `--full` adds 150,000 pods, Kubernetes' published limit; that takes a quarter of an hour
 * and some 8 GB of memory. Exits with 1 when something grows faster than n log n.
 */
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { measureSize } from '../test/bench/scale/measure.ts'
import { growsTooFast, scaleRows } from '../test/bench/scale/rows.ts'
import { renderMarkdown, renderTerminal } from '../test/bench/scale/table.ts'

const SIZES = '1000/100,10000/1000'
const LARGEST = '150000/10000'

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    markdown: { type: 'boolean', default: false },
    sizes: { type: 'string', default: SIZES },
  },
})
const sizes = `${values.sizes}${values.full ? `,${LARGEST}` : ''}`.split(',')
const wrong = sizes.find((size) => !/^[1-9]\d*\/[1-9]\d*$/.test(size))
if (wrong !== undefined) {
  process.stderr.write(`bench:scale: --sizes ${wrong}: a size is pods/workloads, such as 1000/100\n`)
  process.exit(2)
}

// The flush of a decision takes what the disk takes, which is not what is asked here.
const dir = existsSync('/dev/shm') ? '/dev/shm' : undefined
const measured = []
for (const size of sizes) {
  const [pods = 0, workloads = 0] = size.split('/').map(Number)
  process.stdout.write(`  ${pods} pods of ${workloads} workloads\n`)
  measured.push(await measureSize(pods, workloads, dir))
}
const rows = scaleRows(measured)
process.stdout.write(`\n${values.markdown ? renderMarkdown(measured, rows) : renderTerminal(measured, rows)}\n`)
const fast = rows.filter(growsTooFast)
for (const { what } of fast) process.stdout.write(`grows faster than n log n: ${what}\n`)
process.exit(fast.length === 0 ? 0 : 1)
