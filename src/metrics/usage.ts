/** CPU and memory of containers, sampled from the engines and served under cAdvisor's names. */
import { setTimeout as sleepUnref } from 'node:timers/promises'
import type { WorkloadStatus } from '../reconcilers/status.ts'
import type { ContainerStats, Engine } from '../runtime/engine.ts'
import { counter, type Families, gauge, type Sample, sample } from './family.ts'

const labels = ['namespace', 'pod', 'container', 'image', 'node']

export const usageFamilies: Families = {
  container_cpu_usage_seconds_total: counter('CPU time used.', [...labels, 'cpu']),
  container_last_seen: gauge('When the container was last sampled, as a unix timestamp.', labels),
  container_memory_rss: gauge('Anonymous memory in bytes.', labels),
  container_memory_usage_bytes: gauge('Memory in use, page cache included.', labels),
  container_memory_working_set_bytes: gauge('Memory in use that cannot be reclaimed.', labels),
}

/** A running container, and where it is asked for its use. */
export interface UsageTarget {
  readonly node: string
  readonly containerId: string
  readonly namespace: string
  readonly pod: string
  readonly container: string
  readonly image: string
}

export interface UsageSample {
  readonly target: UsageTarget
  readonly stats: ContainerStats
}

export function runningContainers(workloads: readonly WorkloadStatus[]): UsageTarget[] {
  return workloads.flatMap(({ pods }) =>
    pods.flatMap(({ node, namespace, name, initContainers, containers }) =>
      [...initContainers, ...containers]
        .filter(({ state, containerId }) => state === 'running' && containerId !== '')
        .map((each) => ({
          node,
          namespace,
          pod: name,
          container: each.name,
          image: each.image,
          containerId: each.containerId,
        })),
    ),
  )
}

export function collectUsage(samples: readonly UsageSample[]): Sample[] {
  return samples.flatMap(({ target, stats }) => {
    const { containerId: _, ...of } = target
    return [
      sample('container_cpu_usage_seconds_total', { ...of, cpu: 'total' }, stats.cpuNanos / 1e9),
      sample('container_last_seen', of, stats.readAt / 1_000),
      sample('container_memory_rss', of, stats.memoryRssBytes),
      sample('container_memory_usage_bytes', of, stats.memoryUsageBytes),
      sample('container_memory_working_set_bytes', of, stats.memoryWorkingSetBytes),
    ]
  })
}

export interface UsageSampler {
  /** of the last round; containers that could not be asked are left out */
  samples(): readonly UsageSample[]
  stop(): void
}

/** Samples what `list` names, every `intervalMs`, at most `concurrency` at once; failures are left out and tried again. */
export function startUsageSampler(options: {
  readonly engine: (node: string) => Pick<Engine, 'stats'> | undefined
  readonly list: () => readonly UsageTarget[]
  readonly intervalMs?: number
  readonly concurrency?: number
  /** resolves or rejects at once when `signal` aborts */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>
}): UsageSampler {
  const { engine, list, intervalMs = 15_000, concurrency = 32, sleep = sleepQuietly } = options
  const stopped = new AbortController()
  let latest: readonly UsageSample[] = []

  const rounds = async () => {
    while (!stopped.signal.aborted) {
      latest = await sampleAll(list(), engine, concurrency)
      await sleep(intervalMs, stopped.signal).catch(() => undefined)
    }
  }
  void rounds()
  return { samples: () => latest, stop: () => stopped.abort() }
}

async function sampleAll(
  targets: readonly UsageTarget[],
  engine: (node: string) => Pick<Engine, 'stats'> | undefined,
  concurrency: number,
): Promise<UsageSample[]> {
  const queue = targets.values()
  const taken: UsageSample[] = []
  const work = async () => {
    for (const target of queue) {
      const stats = await engine(target.node)
        ?.stats(target.containerId)
        .catch(() => undefined)
      if (stats) taken.push({ target, stats })
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  return taken
}

function sleepQuietly(ms: number, signal: AbortSignal): Promise<void> {
  return sleepUnref(ms, undefined, { signal, ref: false })
}
