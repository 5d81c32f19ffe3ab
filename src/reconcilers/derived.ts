/**
 * Jobs that a CronJob makes. They are not in Git: the memory of the CronJob holds all of each, and the name of each tells
 * whose it is, so nothing else has to be kept about them.
 */
import { keyOf, type ObjectKey, objectKey, splitKey } from '../model/types/meta.ts'
import type { CronRun, JobEnd, WorkloadMemory } from './memory.ts'

const MINUTE = 60_000

/** A Job, and how it ended: `null` while it runs. */
export interface RunNow extends CronRun {
  readonly end: JobEnd | null
}

/** @see Kubernetes pkg/controller/cronjob/utils.go getJobName */
export function runName(cronJob: string, scheduledAt: number): string {
  return `${cronJob}-${Math.floor(scheduledAt / MINUTE)}`
}

/** The CronJob that a key of a Job would be of by its name, and when that was due; `undefined` for any other key. */
export function cronJobOf(key: ObjectKey): { readonly owner: ObjectKey; readonly scheduledAt: number } | undefined {
  const { kind, namespace, name } = splitKey(key)
  const [, base, minutes] = /^(.+)-(\d{1,10})$/.exec(name) ?? []
  if (kind !== 'Job' || base === undefined) return undefined
  return { owner: objectKey('CronJob', namespace, base), scheduledAt: Number(minutes) * MINUTE }
}

/** What a CronJob remembers of a Job by that key; `undefined` for one that none has made. */
export function runOf(workloads: ReadonlyMap<ObjectKey, WorkloadMemory>, key: ObjectKey): CronRun | undefined {
  const owner = cronJobOf(key)?.owner
  return owner === undefined ? undefined : workloads.get(owner)?.cron?.runs.find(({ job }) => keyOf(job) === key)
}

/** Keys of the Jobs that a CronJob has made. */
export function runKeys(memory: WorkloadMemory | undefined): ObjectKey[] {
  return (memory?.cron?.runs ?? []).map(({ job }) => keyOf(job))
}

/** Keys of the Jobs that are new, are to go, or are gone. */
export function changedRuns(before: WorkloadMemory | undefined, after: WorkloadMemory | undefined): ObjectKey[] {
  if (before?.cron === after?.cron) return []
  const known = new Map(before?.cron?.runs.map((run) => [keyOf(run.job), run.leaving === true]))
  const now = new Map(after?.cron?.runs.map((run) => [keyOf(run.job), run.leaving === true]))
  return [...new Set([...known.keys(), ...now.keys()])].filter((key) => known.get(key) !== now.get(key))
}
