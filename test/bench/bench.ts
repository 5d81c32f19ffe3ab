/** What every measurement gets, and what it gives back. */
import Docker from 'dockerode'

export interface Bench {
  readonly docker: Docker
  /** `unix://…` of the engine that everything runs on */
  readonly host: string
  /** scratch folder */
  readonly dir: string
  /** how often each thing is measured */
  readonly runs: number
  /** smaller and shorter throughout */
  readonly quick: boolean
  /** one line of progress */
  readonly say: (line: string) => void
}

/** One row of the table. Values are medians over all runs. */
export interface Row {
  readonly what: string
  readonly trireme: number
  /** what it is held against, `undefined` where there is nothing alike */
  readonly other?: { readonly name: string; readonly value: number }
  /** `''` for plain numbers */
  readonly unit: 'ms' | 's' | 'MB' | '%' | 'requests/s' | ''
  readonly aim: string
  /** whether the aim is met */
  readonly met: boolean
  readonly note?: string
}

export function engineOf({ host }: { readonly host: string }): Docker {
  return new Docker({ socketPath: host.slice('unix://'.length) })
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
