/** Readiness gates: conditions that somebody outside sets on a pod before it counts as ready. */
import { ownOf } from '../model/raw.ts'
import type { PodTemplate } from '../model/types/pod.ts'
import type { GateStatus, PodRecord, WorkloadMemory } from './memory.ts'

/** Why a pod is not ready though its containers may be, one sentence each. @see Kubernetes pkg/kubelet/status/generate.go */
export function closedGates({ gates = {} }: PodRecord, { spec }: PodTemplate): string[] {
  return gateTypes({ spec }).flatMap((type): string[] => {
    const status = ownOf(gates, type)
    if (status === 'True') return []
    return [
      status === undefined
        ? `corresponding condition of pod readiness gate "${type}" does not exist.`
        : `the status of pod readiness gate "${type}" is not "True", but ${status}`,
    ]
  })
}

/** The conditions that a pod of this template waits for. */
export function gateTypes({ spec }: Pick<PodTemplate, 'spec'>): string[] {
  return spec.readinessGates.map(({ conditionType }) => conditionType)
}

/** Notes what somebody says of a gate of a pod. */
export function recordGate(memory: WorkloadMemory, podUid: string, type: string, status: GateStatus): WorkloadMemory {
  const noted = (record: PodRecord): PodRecord => ({ ...record, gates: { ...record.gates, [type]: status } })
  return { ...memory, pods: memory.pods.map((record) => (record.uid === podUid ? noted(record) : record)) }
}
