/** What was measured, as rows: a value for each size, and how it grows from one size to the next. */
import type { Measured } from './scenario.ts'

export interface ScaleRow {
  readonly what: string
  readonly unit: 'ms' | 's' | 'MB' | '/s' | '%'
  readonly values: readonly number[]
  /** by the clock, which on a busy machine says as much of the others */
  readonly clock: boolean
  /** between the last two sizes: 1 is in proportion to the pods, 0 is not at all; `undefined` where that says nothing */
  readonly growth: number | undefined
}

/** Below this, times are those of timers and of a processor that is shared: ms. */
const NOISE_MS = 50
/** The logarithm in n log n, and what one measurement differs from the next by. */
const TOLERANCE = 0.25

type Of = (measured: Measured) => number

const BY_CLOCK = true

const WHAT: readonly (readonly [what: string, unit: ScaleRow['unit'], of: Of, clock?: boolean])[] = [
  ['from nothing to healthy', 's', ({ convergence }) => convergence / 1000, BY_CLOCK],
  ['the same, processor time', 's', ({ convergenceCpu }) => convergenceCpu / 1000],
  ['pods started in a second of it', '/s', ({ pods, convergenceCpu }) => (pods * 1000) / convergenceCpu],
  ['a pass, median', 'ms', ({ passMedian }) => passMedian],
  ['a pass, 99th percentile', 'ms', ({ passP99 }) => passP99, BY_CLOCK],
  ['commit that changes one workload → first step', 'ms', ({ commitFirstStep }) => commitFirstStep, BY_CLOCK],
  ['… → healthy', 'ms', ({ commitHealthy }) => commitHealthy, BY_CLOCK],
  ['… processor time until then', 'ms', ({ commitCpu }) => commitCpu],
  ['commit that scales one up, processor time', 'ms', ({ scaleCpu }) => scaleCpu],
  ['a container is removed → first step', 'ms', ({ deathFirstStep }) => deathFirstStep, BY_CLOCK],
  ['… → healthy', 'ms', ({ deathHealthy }) => deathHealthy, BY_CLOCK],
  ['… processor time until then', 'ms', ({ deathCpu }) => deathCpu],
  ['at rest, of a processor', '%', ({ idleCpu }) => idleCpu / 10],
  ['a metrics scrape, processor time', 'ms', ({ scrape }) => scrape],
  ['… its length', 'MB', ({ scrapeBytes }) => scrapeBytes / 1e6],
  ['a status, processor time', 'ms', ({ status }) => status],
  ['sent to the router for that commit', 'MB', ({ commitRouterBytes }) => commitRouterBytes / 1e6],
  ['heap', 'MB', ({ heapMb }) => heapMb],
  ['resident memory', 'MB', ({ rssMb }) => rssMb],
]

export function scaleRows(measured: readonly Measured[]): ScaleRow[] {
  return WHAT.map(([what, unit, of, clock = false]) => {
    return { what, unit, clock, values: measured.map(of), growth: growth(measured, unit, of) }
  })
}

function growth(measured: readonly Measured[], unit: ScaleRow['unit'], of: Of): number | undefined {
  const [before, after] = measured.slice(-2)
  if (before === undefined || after === undefined || before.pods === after.pods) return undefined
  const [from, to] = [of(before), of(after)]
  if (from <= 0 || to <= 0 || (unit === 'ms' && to < NOISE_MS)) return undefined
  return Math.log(to / from) / Math.log(after.pods / before.pods)
}

export function growsTooFast({ growth: exponent, clock }: ScaleRow): boolean {
  return !clock && exponent !== undefined && exponent > 1 + TOLERANCE
}
