/**
 * The CronJob planner: which Jobs there are to be now. It makes no pods; each Job it makes is a workload of its own, which
 * has its own passes.
 *
 * A Job is in the memory before anything of it exists, and its name follows from the time it was due at, so no time is
 * run twice whoever dies at whatever moment.
 * @see Kubernetes pkg/controller/cronjob/cronjob_controllerv2.go
 */
import { parseSchedule, type Schedule } from '../model/cron.ts'
import { keyOf, type ObjectKey, splitKey } from '../model/types/meta.ts'
import type { CronJob, CronJobSpec, Job } from '../model/types/workload.ts'
import { emptyMemory, readMemory } from './adoption.ts'
import { isAhead } from './clock.ts'
import { summarizeCronJob } from './cronjobstatus.ts'
import { cronJobOf, type RunNow, runName } from './derived.ts'
import { expiryOf } from './job.ts'
import type { CronMemory, CronRun, JobEnd, WorkloadMemory } from './memory.ts'
import type { ObservedPod } from './observed.ts'
import type { EventNote } from './status.ts'
import type { WorkloadPass } from './workload.ts'

/** What a pass over a CronJob reads. */
export interface CronJobInput {
  readonly key: ObjectKey
  /** `null` when it left Git */
  readonly target: CronJob | null
  readonly sourceRevision: string
  readonly memory: WorkloadMemory | undefined
  /** what is remembered of a Job; `undefined` before its first pass, and once nothing is left of it */
  readonly jobs: (key: ObjectKey) => WorkloadMemory | undefined
  /** pods of Jobs that are this CronJob's by their names, found on the engines */
  readonly pods: () => readonly ObservedPod[]
  readonly now: number
  readonly uid: () => string
}

const NEVER: CronMemory = { lastScheduledAt: 0, lastSuccessAt: 0, runs: [] }
const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp'

/** One pass over one CronJob; pure, and equal inputs give equal passes. */
export function planCronJob(input: CronJobInput): WorkloadPass {
  const { key, target, now } = input
  const before = input.memory === undefined ? recover(input) : settle(input.memory, now)
  const schedule = target === null ? undefined : scheduleOf(target.spec)
  const known = before.cron ?? NEVER
  const present = withRuns(
    known,
    known.runs.filter((run) => !isGone(run, input)),
  )
  const cron = target === null ? withRuns(present, present.runs.map(leave)) : next(present, target, before, schedule, input)
  const gone = target === null && cron.runs.length === 0
  const memory = cron === before.cron ? before : { ...before, cron }
  const nextAt = target === null || target.spec.suspend ? undefined : schedule?.next(now)
  const runs = cron.runs.map((run) => runNow(run, input))
  return {
    plan: { key, lanes: [] },
    memory: gone ? undefined : memory,
    status: gone ? undefined : summarizeCronJob({ key, target, memory, cron, runs, nextAt }),
    endpoints: [],
    probes: [],
    events: [...startedAndStopped(key, known, cron)],
    drifts: [],
    wakeAt: nextAt,
  }
}

/** `undefined` for one that cannot be read; it was refused before, so that is a zone which this machine does not know. */
function scheduleOf({ schedule, timeZone }: CronJobSpec): Schedule | undefined {
  try {
    return parseSchedule(schedule, timeZone)
  } catch {
    return undefined
  }
}

/** After the clock was set back, what lies ahead happened now at the latest. */
function settle(memory: WorkloadMemory, now: number): WorkloadMemory {
  const { createdAt, cron } = memory
  const ranAhead = cron !== undefined && isAhead(cron.lastScheduledAt, now)
  if (!ranAhead && !isAhead(createdAt, now)) return memory
  return {
    ...memory,
    createdAt: Math.min(createdAt, now),
    ...(ranAhead ? { cron: { ...cron, lastScheduledAt: now } } : {}),
  }
}

function next(
  present: CronMemory,
  target: CronJob,
  memory: WorkloadMemory,
  schedule: Schedule | undefined,
  input: CronJobInput,
): CronMemory {
  const kept = withRuns(
    present,
    keepHistory(
      present.runs.map((run) => runNow(run, input)),
      target.spec,
      input.now,
    ),
  )
  const noted = noteSuccess(kept, input)
  const dueAt = schedule === undefined ? undefined : dueTime(target.spec, schedule, noted, memory, input.now)
  return dueAt === undefined ? noted : start(noted, target, dueAt, input)
}

/** Only the most recent of the times that have passed, and that only while it is not too late for it. */
function dueTime(
  spec: CronJobSpec,
  schedule: Schedule,
  cron: CronMemory,
  memory: WorkloadMemory,
  now: number,
): number | undefined {
  if (spec.suspend) return undefined
  const since = cron.lastScheduledAt || Math.min(memory.createdAt, now)
  const at = schedule.latest(since, now)
  const tooLate = at !== undefined && spec.startingDeadlineSeconds !== undefined && at < now - spec.startingDeadlineSeconds * 1000
  return tooLate ? undefined : at
}

function start(cron: CronMemory, target: CronJob, scheduledAt: number, input: CronJobInput): CronMemory {
  const { concurrencyPolicy } = target.spec
  const isActive = (run: CronRun): boolean => run.leaving !== true && runNow(run, input).end === null
  if (concurrencyPolicy === 'Forbid' && cron.runs.some(isActive)) return cron
  const job = makeJob(target, scheduledAt)
  const known = cron.runs.some((run) => keyOf(run.job) === keyOf(job))
  const others =
    concurrencyPolicy === 'Replace' && !known ? cron.runs.map((run) => (isActive(run) ? leave(run) : run)) : cron.runs
  const run: CronRun = { job, scheduledAt, sourceRevision: input.sourceRevision }
  return { ...cron, lastScheduledAt: scheduledAt, runs: known ? cron.runs : [...others, run] }
}

function makeJob({ metadata: { name, namespace }, spec: { jobTemplate }, ...cronJob }: CronJob, scheduledAt: number): Job {
  const { labels, annotations } = jobTemplate.metadata
  return {
    apiVersion: cronJob.apiVersion,
    kind: 'Job',
    metadata: {
      name: runName(name, scheduledAt),
      namespace,
      labels,
      annotations: { ...annotations, [SCHEDULED_AT]: new Date(scheduledAt).toISOString() },
    },
    spec: jobTemplate.spec,
    owner: `CronJob/${namespace}/${name}`,
  }
}

function runNow(run: CronRun, { jobs }: CronJobInput): RunNow {
  return { ...run, end: jobs(keyOf(run.job))?.job?.end ?? null }
}

/** A Job that is to go, and of which nothing is remembered any more. */
function isGone({ leaving, job }: CronRun, { jobs }: CronJobInput): boolean {
  return leaving === true && jobs(keyOf(job)) === undefined
}

/** Of the Jobs that have ended, the newest stay, as many as the limits say; one whose time to live is over goes. */
function keepHistory(runs: readonly RunNow[], spec: CronJobSpec, now: number): CronRun[] {
  const ended = (result: JobEnd['result']): RunNow[] => runs.filter((run) => run.leaving !== true && run.end?.result === result)
  const surplus = new Set<RunNow>([
    ...ended('Complete').slice(0, -spec.successfulJobsHistoryLimit || undefined),
    ...ended('Failed').slice(0, -spec.failedJobsHistoryLimit || undefined),
    ...runs.filter(({ job, end }) => (expiryOf({ end }, job.spec) ?? Number.POSITIVE_INFINITY) <= now),
  ])
  return runs.map((run) => {
    const { end: _end, ...rest } = run
    return surplus.has(run) ? leave(rest) : rest
  })
}

function leave(run: CronRun): CronRun {
  return run.leaving === true ? run : { ...run, leaving: true }
}

function noteSuccess(cron: CronMemory, input: CronJobInput): CronMemory {
  const times = cron.runs.flatMap((run) => {
    const { end } = runNow(run, input)
    return end?.result === 'Complete' ? [end.at] : []
  })
  const lastSuccessAt = Math.max(cron.lastSuccessAt, ...times)
  return lastSuccessAt === cron.lastSuccessAt ? cron : { ...cron, lastSuccessAt }
}

/** The very same memory when the runs are the same. */
function withRuns(cron: CronMemory, runs: readonly CronRun[]): CronMemory {
  const same =
    runs.length === cron.runs.length &&
    runs.every((run, index) => run.job === cron.runs[index]?.job && run.leaving === cron.runs[index]?.leaving)
  return same ? cron : { ...cron, runs }
}

/** Where memory was lost, the Jobs that still have pods are known by their names, and what they run by their sandboxes. */
function recover({ target, pods, uid, now, sourceRevision }: CronJobInput): WorkloadMemory {
  const memory = emptyMemory(uid(), now)
  if (target === null) return memory
  const runs = new Map<ObjectKey, CronRun>()
  const unfinished = new Set<ObjectKey>()
  for (const pod of pods()) {
    if (!hasSucceeded(pod)) unfinished.add(pod.owner)
    const scheduledAt = cronJobOf(pod.owner)?.scheduledAt
    const template = readMemory(pod)?.set.template
    if (scheduledAt === undefined || template === undefined || runs.has(pod.owner)) continue
    const job = makeJob(target, scheduledAt)
    runs.set(pod.owner, { job: { ...job, spec: { ...job.spec, template } }, scheduledAt, sourceRevision })
  }
  const sorted = [...runs.values()].sort((a, b) => a.scheduledAt - b.scheduledAt)
  const newest = sorted.at(-1)
  // Which of them was being replaced is forgotten, and it must not begin again beside its successor.
  const replaced = (run: CronRun): boolean =>
    target.spec.concurrencyPolicy === 'Replace' && run !== newest && unfinished.has(keyOf(run.job))
  const known = sorted.map((run) => (replaced(run) ? leave(run) : run))
  return { ...memory, cron: { ...NEVER, lastScheduledAt: newest?.scheduledAt ?? 0, runs: known } }
}

function hasSucceeded({ containers }: ObservedPod): boolean {
  const latest = [...containers.values()].map((views) => views.at(-1))
  return latest.length > 0 && latest.every((view) => view?.state === 'exited' && view.exitCode === 0)
}

function startedAndStopped(key: ObjectKey, before: CronMemory, after: CronMemory): EventNote[] {
  const known = new Map(before.runs.map((run) => [keyOf(run.job), run]))
  return after.runs.flatMap((run): EventNote[] => {
    const earlier = known.get(keyOf(run.job))
    const { name } = splitKey(keyOf(run.job))
    if (earlier === undefined)
      return [{ type: 'Normal', reason: 'SuccessfulCreate', object: key, message: `Created job ${name}` }]
    return run.leaving === true && earlier.leaving !== true
      ? [{ type: 'Normal', reason: 'SuccessfulDelete', object: key, message: `Deleted job ${name}` }]
      : []
  })
}
