/**
 * Making a workload's memory where there is none: a new workload, or one whose store was lost and whose pods
 * run on. Pods are taken over by the memory label of their sandboxes, so losing the store stops nothing.
 */
import { isUnit } from '../model/extended.ts'
import type { ObjectKey } from '../model/types/meta.ts'
import type { PodTemplate } from '../model/types/pod.ts'
import type { PodRecord, SetRecord, WorkloadMemory } from './memory.ts'
import { LABEL } from './names.ts'
import type { ObservedPod } from './observed.ts'

/** What a sandbox remembers of its pod, as canonical JSON in its label. */
export interface SandboxMemory {
  readonly workload: { readonly uid: string; readonly createdAt: number }
  readonly set: Omit<SetRecord, 'replicas' | 'config' | 'recovered'>
  readonly pod: Pick<PodRecord, 'ip' | 'createdAt' | 'cause' | 'index' | 'units'>
}

export function sandboxMemory(workload: WorkloadMemory, set: SetRecord, record: PodRecord): SandboxMemory {
  const { replicas: _replicas, config: _config, recovered: _recovered, ...rest } = set
  const { ip, createdAt, cause, index, units } = record
  return {
    workload: { uid: workload.uid, createdAt: workload.createdAt },
    set: rest,
    pod: { ip, createdAt, cause, ...(index === undefined ? {} : { index }), ...(units === undefined ? {} : { units }) },
  }
}

export function emptyMemory(uid: string, now: number): WorkloadMemory {
  return { uid, generation: 0, createdAt: now, scaledTo: 0, sets: [], pods: [], progress: null, rollout: null }
}

/**
 * The memory of a workload as its running pods tell it; `undefined` when none of them can be read.
 * What a set was bound to is not in the label: `bind` gives the values of today, and a set whose hash
 * they do not give keeps its pods but could not make new ones with the same values.
 */
export function adoptPods(
  key: ObjectKey,
  pods: readonly ObservedPod[],
  bind: (template: PodTemplate) => SetRecord['config'],
  now: number,
): WorkloadMemory | undefined {
  const known = pods.flatMap((pod) => {
    const memory = readMemory(pod)
    return memory === undefined || pod.owner !== key ? [] : [{ pod, memory }]
  })
  const [first] = known
  if (first === undefined) return undefined
  const sets = new Map<string, SetRecord>()
  for (const { memory } of known) {
    const seen = sets.get(memory.set.name)
    sets.set(memory.set.name, {
      ...memory.set,
      config: seen?.config ?? bind(memory.set.template),
      recovered: true,
      replicas: (seen?.replicas ?? 0) + 1,
    })
  }
  const records = known.map(({ pod, memory }): PodRecord => {
    const launched = [...pod.containers].flatMap(([name, attempts]) =>
      attempts.slice(-1).map((view) => `${name}#${view.labels[LABEL.attempt] ?? '0'}`),
    )
    return {
      uid: pod.uid,
      name: pod.name,
      set: memory.set.name,
      hash: memory.set.hash,
      node: pod.node,
      ...memory.pod,
      placed: true,
      bound: true,
      launched: launched.sort(),
      readySince: now,
    }
  })
  const newest = [...sets.values()].reduce((a, b) => (a.revision > b.revision ? a : b))
  return {
    ...first.memory.workload,
    generation: newest.revision,
    scaledTo: records.length,
    sets: [...sets.values()].sort((a, b) => a.revision - b.revision),
    pods: records.sort((a, b) => (a.uid < b.uid ? -1 : 1)),
    progress: null,
    rollout: { set: newest.name, startedAt: now, endedAt: 0, result: 'running', sourceRevision: newest.sourceRevision },
  }
}

/** Labels can be written by anybody with access to the engine, so what they say is checked before it is believed. */
export function readMemory(pod: ObservedPod): SandboxMemory | undefined {
  const text = pod.sandbox?.labels[LABEL.memory]
  if (text === undefined) return undefined
  try {
    const memory = JSON.parse(text) as Partial<SandboxMemory> | null
    const { workload, set, pod: record } = memory ?? {}
    const whole =
      typeof workload?.uid === 'string' &&
      typeof set?.name === 'string' &&
      typeof set.hash === 'string' &&
      Number.isInteger(set.revision) &&
      Array.isArray(set.template?.spec?.containers) &&
      typeof record?.ip === 'string' &&
      areUnits(record.units)
    return whole ? (memory as SandboxMemory) : undefined
  } catch {
    return undefined
  }
}

function areUnits(units: unknown): boolean {
  if (units === undefined) return true
  if (typeof units !== 'object' || units === null) return false
  return Object.values(units).every((own) => Array.isArray(own) && own.every((unit) => typeof unit === 'string' && isUnit(unit)))
}
