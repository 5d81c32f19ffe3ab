/** What containers say and use: logs and statistics. */
import type { ContainerStats, LogLine, LogOptions } from '../../../src/runtime/engine.ts'
import type { Machine } from './machine.ts'
import { hasProcess, type RawContainer } from './state.ts'

const DEFAULT_CPU_NANOS_PER_MS = 10_000
const START_CPU_NANOS = 10_000_000
const DEFAULT_MEMORY_BYTES = 8 * 1024 * 1024

/** The lines there are, and those to come while it runs when they are followed. */
export async function* logLines(
  container: RawContainer,
  options: LogOptions,
  signal: AbortSignal | undefined,
): AsyncGenerator<LogLine> {
  const { tail, sinceMs = 0, follow = false } = options
  const kept = container.logs.filter(({ at }) => at >= sinceMs)
  const first = tail === undefined ? kept : tail === 0 ? [] : kept.slice(-tail)
  let last = container.logs.at(-1)
  for (const line of first) yield lineOf(line, options)
  while (follow) {
    const next = container.logs.slice(last === undefined ? 0 : container.logs.lastIndexOf(last) + 1)
    for (const line of next) yield lineOf(line, options)
    last = next.at(-1) ?? last
    if (!hasProcess(container) || signal?.aborted) return
    if (next.length === 0) await change(container, signal)
  }
}

function lineOf({ stream, timestamp, text }: LogLine, options: LogOptions): LogLine {
  return { stream, timestamp: options.timestamps ? timestamp : '', text }
}

/** The next change of the container, or the abort. */
function change(container: RawContainer, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      container.waiters.delete(end)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    container.waiters.add(end)
    signal?.addEventListener('abort', end, { once: true })
  })
}

export function statsOf(machine: Machine, container: RawContainer): ContainerStats {
  const readAt = machine.now()
  const program = container.run?.program
  if (program === undefined) return { cpuNanos: 0, memoryUsageBytes: 0, memoryWorkingSetBytes: 0, memoryRssBytes: 0, readAt: 0 }
  const { cpuNanosPerMs = DEFAULT_CPU_NANOS_PER_MS, memoryBytes = DEFAULT_MEMORY_BYTES } = program
  const cpuNanos = START_CPU_NANOS + (readAt - container.startedAt) * cpuNanosPerMs
  return { cpuNanos, memoryUsageBytes: memoryBytes, memoryWorkingSetBytes: memoryBytes, memoryRssBytes: memoryBytes, readAt }
}
