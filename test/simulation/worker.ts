/** Runs seeds that its parent sends, one after the other, and answers with what came of each. */
import { runSeed } from './run.ts'

/** What a worker tells of one seed. */
export interface Verdict {
  readonly seed: number
  readonly virtualMs: number
  readonly operations: number
  readonly commits: number
  readonly daemons: number
  readonly faults: Readonly<Record<string, number>>
  /** `''` when everything held */
  readonly violation: string
  /** the end of what happened, for a seed that failed */
  readonly trace: readonly string[]
}

const TRACE_LINES = 60

process.on('message', (seed: number) => {
  void runSeed(seed).then(
    ({ violation, trace, virtualMs, tally }) => {
      const failed = violation !== undefined
      send({ seed, virtualMs, ...tally, violation: violation?.message ?? '', trace: failed ? trace.slice(-TRACE_LINES) : [] })
    },
    (error: unknown) => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
      const none = { virtualMs: 0, operations: 0, commits: 0, daemons: 0, faults: {}, trace: [] }
      send({ seed, ...none, violation: `the simulation itself failed: ${text}` })
    },
  )
})

function send(verdict: Verdict): void {
  process.send?.(verdict)
}
