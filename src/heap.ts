/**
 * Memory that goes back to the system while there is little to do. V8 lets a heap grow by its share before it collects
 * what is old, and shrinks one by itself only when next to nothing is allocated: probes alone are more than that.
 */
import type { Timers } from './runtime/timers.ts'

export const COLLECT_EVERY_MS = 60_000
/** Collecting as much takes some 100 ms; a larger heap is left to V8, which does it in small steps. */
export const COLLECT_BELOW_BYTES = 64 * 1024 * 1024

export interface HeapDeps {
  readonly timers: Timers
  /** bytes in use */
  readonly used: () => number
  /** collects everything, at once */
  readonly collect: () => void
}

/** Collects a small heap every minute, for as long as the process lives. */
export function keepHeapSmall({ timers, used, collect }: HeapDeps): void {
  timers.setTimeout(() => {
    if (used() < COLLECT_BELOW_BYTES) collect()
    keepHeapSmall({ timers, used, collect })
  }, COLLECT_EVERY_MS)
}
