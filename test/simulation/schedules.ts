/**
 * What a CronJob promises of its Jobs at every moment: no time runs twice, and no two run at once unless they may. It looks at what
 * the daemon remembers, as that is written down before anything is done, and at the engine for what has come to its end.
 */
import type { LoadedObject } from '../../src/model/types/loaded.ts'
import { keyOf, type ObjectKey } from '../../src/model/types/meta.ts'
import type { CronJob } from '../../src/model/types/workload.ts'
import { cronJobOf } from '../../src/reconcilers/derived.ts'
import type { CronRun, WorkloadMemory } from '../../src/reconcilers/memory.ts'
import { LABEL } from '../../src/reconcilers/names.ts'
import type { ContainerConfig, ContainerView } from '../../src/runtime/engine.ts'

export interface Schedules {
  /** Before a container is made. */
  creates(config: ContainerConfig): void
  /** As the engine and the memory are now. */
  look(views: readonly ContainerView[], workloads: ReadonlyMap<string, WorkloadMemory>): void
  /** The daemon has taken an object on. */
  applied(key: string, object: LoadedObject['object']): void
  /** It is being taken down, and another one if it comes back. */
  forgot(key: string): void
  /** The memory is lost or the clock was set back: nobody knows any more what has run at times that come. */
  forgotTimes(): void
}

interface Watched {
  /** `'mixed'` once it has changed: Jobs of before may run on beside each other */
  concurrency: CronJob['spec']['concurrencyPolicy'] | 'mixed'
  /** Jobs that there are or were */
  readonly seen: Set<ObjectKey>
  /** Jobs of which nothing is remembered any more */
  readonly past: Set<ObjectKey>
  /** Jobs that were on their way out when it came back to Git; `undefined` until it has been looked at */
  leftBefore?: ReadonlySet<ObjectKey>
}

/** @param fail throws */
export function watchSchedules(fail: (invariant: string, message: string) => never): Schedules {
  const watched = new Map<string, Watched>()
  /** Jobs whose only pod has done its work */
  const succeeded = new Set<string>()

  function runsOnce(key: string, { seen, past }: Watched, runs: readonly CronRun[]): void {
    const present = new Set(runs.map(({ job }) => keyOf(job)))
    for (const job of seen) if (!present.has(job)) past.add(job)
    for (const job of present) {
      if (past.has(job)) fail('a time runs once', `${key} runs ${job} again`)
      seen.add(job)
    }
  }

  function keepsApart(key: string, { concurrency, leftBefore }: Watched, active: readonly CronRun[]): void {
    if (concurrency === 'Allow' || concurrency === 'mixed') return
    const staying = active.filter(({ leaving }) => leaving !== true).map(({ job }) => job.metadata.name)
    if (staying.length > 1) fail('no two runs at once', `${key} is to ${concurrency}, and runs ${staying.join(' and ')}`)
    const cut = active.find(({ leaving, job }) => leaving === true && leftBefore?.has(keyOf(job)) !== true)
    if (concurrency === 'Forbid' && cut !== undefined)
      fail('a run comes to its end', `${key} is to Forbid, and takes down ${cut.job.metadata.name}, which runs`)
  }

  return {
    creates({ labels }) {
      const owner = labels[LABEL.owner] ?? ''
      if (succeeded.has(owner)) fail('a time runs once', `a container of ${owner} is made, and its work is done`)
    },
    look(views, workloads) {
      for (const { labels, state, exitCode } of views) {
        const owner = labels[LABEL.owner] ?? ''
        if (labels[LABEL.containerName] !== 'main' || state !== 'exited' || exitCode !== 0) continue
        if (watched.has(cronJobOf(owner)?.owner ?? '')) succeeded.add(owner)
      }
      for (const [key, known] of watched) {
        const runs = workloads.get(key)?.cron?.runs ?? []
        known.leftBefore ??= new Set(runs.flatMap(({ job, leaving }) => (leaving === true ? [keyOf(job)] : [])))
        runsOnce(key, known, runs)
        keepsApart(
          key,
          known,
          // One that has done its work runs no more, also while a new memory has not counted that yet.
          runs.filter(({ job }) => workloads.get(keyOf(job))?.job?.end === null && !succeeded.has(keyOf(job))),
        )
      }
    },
    applied(key, object) {
      if (object.kind !== 'CronJob') return
      const { concurrencyPolicy } = (object as CronJob).spec
      const known = watched.get(key)
      if (known === undefined) watched.set(key, { concurrency: concurrencyPolicy, seen: new Set(), past: new Set() })
      else if (known.concurrency !== concurrencyPolicy) known.concurrency = 'mixed'
    },
    forgot(key) {
      watched.delete(key)
      for (const job of succeeded) if (cronJobOf(job)?.owner === key) succeeded.delete(job)
    },
    forgotTimes() {
      succeeded.clear()
      for (const { seen, past } of watched.values()) {
        seen.clear()
        past.clear()
      }
    },
  }
}
