/** What containers say and use: logs and statistics. */
import type { ContainerStats, EngineError, LogLine, LogOptions } from '../../../src/runtime/engine.ts'
import type { Machine } from './machine.ts'
import { hasProcess, type RawContainer } from './state.ts'

const DEFAULT_CPU_NANOS_PER_MS = 10_000
const START_CPU_NANOS = 10_000_000
const DEFAULT_MEMORY_BYTES = 8 * 1024 * 1024

/** The lines there are, and those to come while it runs when they are followed. Errors: unreachable. */
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
    const broken = next.length === 0 ? await change(container, signal) : undefined
    if (broken !== undefined) throw broken
  }
}

function lineOf({ stream, timestamp, text }: LogLine, options: LogOptions): LogLine {
  return { stream, timestamp: options.timestamps ? timestamp : '', text }
}

/** The next change of the container, or the abort; the error when the connection breaks first. */
function change(container: RawContainer, signal: AbortSignal | undefined): Promise<EngineError | undefined> {
  return new Promise((resolve) => {
    const settle = (error: EngineError | undefined): void => {
      container.waiters.delete(end)
      container.attached.delete(settle)
      signal?.removeEventListener('abort', end)
      resolve(error)
    }
    const end = (): void => settle(undefined)
    container.waiters.add(end)
    container.attached.add(settle)
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

export function volumeBytes({ volumes }: Machine): ReadonlyMap<string, number> {
  const counted = [...volumes].filter(([, { hasOptions }]) => !hasOptions)
  return new Map(counted.map(([name, volume]) => [name, writtenBytes(volume)]))
}

export function writtenBytes({ files }: Pick<RawContainer, 'files'>): number {
  return [...files.values()].reduce((sum, { bytes }) => sum + bytes.length, 0)
}
