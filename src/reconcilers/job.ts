/**
 * Job: pods that run to their end. What a run has come to is remembered apart from its pods, so that Git does not run
 * it again when they are gone; another template is another run.
 */
import type { PodTemplate } from '../model/types/pod.ts'
import type { JobSpec } from '../model/types/workload.ts'
import { type Controller, type ControllerPass, labelled, type PodOwner, type PodShape, type SteeringPass } from './controller.ts'
import { countEnds } from './jobledger.ts'
import { activeWanted, followTimes, podsToMake, surplusOf } from './jobpods.ts'
import { summarizeJob } from './jobstatus.ts'
import { deadlineOf, judgeJob } from './jobverdict.ts'
import { type JobMemory, NO_SETBACKS, type PodRecord, type SetRecord, type WorkloadMemory } from './memory.ts'
import type { PodNow } from './podstate.ts'
import { deletePods, isActive, rankPods } from './replicas.ts'

const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index'

export const job: Controller = {
  setNoun: 'Revision',
  steer(pass) {
    const { memory, pods, input } = pass
    const spec = jobSpecOf(pass)
    const set = memory.sets.find(({ name }) => name === pass.wanted?.set)
    if (spec === undefined || set === undefined) return deletePods(memory, pods.filter(isStaying), 'left Git', input.now)
    const own = pods.filter(({ context }) => context.record.set === set.name)
    const { job: counted, outcomes } = countEnds(runOf(pass, set, own), spec, own, leavingIn(input.memory), input.now)
    const run = timed({ ...counted, end: judgeJob(counted, spec, own, input.now) }, spec, input.now)
    const noted = noteOutcomes(memory, outcomes)
    const cleared = clearAway(noted, run, spec, pods, input.now)
    return remember(steerPods(cleared, run, set, spec, pass), run)
  },
  wakeTimes: ({ job: run }, target) => {
    if (target?.kind !== 'Job' || run === undefined) return []
    const { spec } = target
    return [deadlineOf(run, spec), expiryOf(run, spec), ...followTimes(run)].flatMap((at) => at ?? [])
  },
  summarize: summarizeJob,
  isComplete: ({ memory }) => memory.job?.end?.result === 'Complete',
  podTemplate,
}

function jobSpecOf({ input: { target }, wanted }: ControllerPass): JobSpec | undefined {
  return wanted === null || target?.kind !== 'Job' ? undefined : target.spec
}

function leavingIn(memory: WorkloadMemory | undefined): Set<string> {
  return new Set(memory?.pods.filter(({ deletion }) => deletion !== undefined).map(({ uid }) => uid))
}

function isStaying({ context }: PodNow): boolean {
  return context.record.deletion === undefined
}

/** The run of this template: the one that is remembered, or a new one. Pods that were adopted have begun it before. */
function runOf({ memory, input }: ControllerPass, set: SetRecord, own: readonly PodNow[]): JobMemory {
  if (memory.job?.set === set.name) return memory.job
  const begun = own.map(({ context }) => context.record.createdAt)
  return {
    set: set.name,
    startedAt: Math.min(input.now, ...begun),
    succeeded: 0,
    failed: 0,
    succeededIndexes: '',
    failedIndexes: '',
    indexes: {},
    setbacks: NO_SETBACKS,
    end: null,
  }
}

/** A suspended Job is not timed, and its deadline begins anew when it resumes. */
function timed(run: JobMemory, { suspend }: JobSpec, now: number): JobMemory {
  const startedAt = suspend ? 0 : run.startedAt || now
  return run.end !== null || startedAt === run.startedAt ? run : { ...run, startedAt }
}

function noteOutcomes(memory: WorkloadMemory, outcomes: ReadonlyMap<string, NonNullable<PodRecord['outcome']>>): WorkloadMemory {
  if (outcomes.size === 0) return memory
  const noted = (record: PodRecord): PodRecord => {
    const outcome = outcomes.get(record.uid)
    return outcome === undefined ? record : { ...record, outcome }
  }
  return { ...memory, pods: memory.pods.map(noted) }
}

/** Pods of other templates go; and when its time to live is over, so do all pods of a Job that has ended. */
function clearAway(memory: WorkloadMemory, run: JobMemory, spec: JobSpec, pods: readonly PodNow[], now: number): WorkloadMemory {
  const staying = pods.filter(isStaying)
  const others = staying.filter(({ context }) => context.record.set !== run.set)
  const cleared = deletePods(memory, others, 'replaced by another template', now)
  const expiry = expiryOf(run, spec)
  if (expiry === undefined || now < expiry) return cleared
  const expired = staying.filter((pod) => !others.includes(pod))
  return deletePods(cleared, expired, `ended ${spec.ttlSecondsAfterFinished} s ago`, now)
}

/** When the pods of a Job that has ended go: ms since the epoch. */
export function expiryOf({ end }: Pick<JobMemory, 'end'>, { ttlSecondsAfterFinished }: JobSpec): number | undefined {
  return end === null || ttlSecondsAfterFinished === undefined ? undefined : end.at + ttlSecondsAfterFinished * 1000
}

function steerPods(
  memory: WorkloadMemory,
  run: JobMemory,
  set: SetRecord,
  spec: JobSpec,
  { input, pods, newPods }: SteeringPass,
): WorkloadMemory {
  const leaving = leavingIn(memory)
  const own = pods.filter(({ context }) => context.record.set === set.name)
  const active = own.filter((pod) => isActive(pod) && !leaving.has(pod.context.record.uid))
  const wanted = activeWanted(run, spec, active.length)
  const surplus = surplusOf(rankPods(active, pods, { minReadySeconds: 0, now: input.now }), wanted)
  const scaled = withReplicas(memory, set, Math.max(0, wanted))
  if (surplus.length > 0) return deletePods(scaled, surplus, surplusCause(run, spec), input.now)
  // Two templates never run beside each other.
  if (pods.some((pod) => pod.context.record.set !== set.name && pod.context.record.outcome === undefined)) return scaled
  const cause = run.setbacks.count === 0 ? 'job run' : `retry ${run.failed}`
  let records = scaled.pods
  for (const index of podsToMake(run, spec, own, wanted, input.now)) {
    const record = newPods.place(set, records, (suffix) => podName(input.key, index, suffix))
    if (record === undefined) break
    records = [...records, { ...record, cause, ...(index === undefined ? {} : { index }) }]
  }
  return records === scaled.pods ? scaled : { ...scaled, pods: records }
}

function surplusCause({ end }: JobMemory, { suspend, parallelism }: JobSpec): string {
  if (end !== null) return `the Job has ended: ${end.reason}`
  return suspend ? 'suspended' : `more than parallelism, ${parallelism}, or than completions are missing`
}

function podName(key: string, index: number | undefined, suffix: string): string {
  const name = key.slice(key.lastIndexOf('/') + 1)
  return index === undefined ? `${name}-${suffix}` : `${name}-${index}-${suffix}`
}

function withReplicas(memory: WorkloadMemory, { name }: SetRecord, replicas: number): WorkloadMemory {
  const of = (set: SetRecord): number => (set.name === name ? replicas : 0)
  if (memory.sets.every((set) => set.replicas === of(set))) return memory
  return { ...memory, sets: memory.sets.map((set) => ({ ...set, replicas: of(set) })) }
}

/** Nothing rolls out: a run is what there is instead. */
function remember(memory: WorkloadMemory, run: JobMemory): WorkloadMemory {
  const same = memory.job !== undefined && JSON.stringify(memory.job) === JSON.stringify(run)
  if (same && memory.rollout === null && memory.progress === null) return memory
  return { ...memory, job: run, rollout: null, progress: null }
}

/** @see Kubernetes pkg/controller/job/indexed_job_utils.go */
function podTemplate(template: PodTemplate, record: PodShape, { name, uid }: PodOwner): PodTemplate {
  const own = labelled(template, {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  })
  return record.index === undefined
    ? own
    : indexed(labelled(own, { [COMPLETION_INDEX]: String(record.index) }), record.index, name)
}

function indexed(template: PodTemplate, index: number, job: string): PodTemplate {
  const { metadata, spec } = template
  const variable = { name: 'JOB_COMPLETION_INDEX', value: String(index) }
  const withIndex = (container: PodTemplate['spec']['containers'][number]): typeof container => ({
    ...container,
    env: [...container.env.filter(({ name }) => name !== variable.name), variable],
  })
  return {
    metadata: { ...metadata, annotations: { ...metadata.annotations, [COMPLETION_INDEX]: String(index) } },
    spec: {
      ...spec,
      hostname: `${job}-${index}`,
      containers: spec.containers.map(withIndex),
      initContainers: spec.initContainers.map(withIndex),
    },
  }
}
