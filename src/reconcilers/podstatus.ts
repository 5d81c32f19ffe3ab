/** The status of one pod, in the words kubectl users know. */
import { bytes, cpuMillis } from '../model/quantity.ts'
import type { ObjectKey } from '../model/types.ts'
import { templateHash } from './binding.ts'
import { LISTEN_MS } from './listening.ts'
import { secretDigests } from './memory.ts'
import type { Failure } from './observed.ts'
import { laneId, pullLane, refusesRoot } from './pod.ts'
import { type ContainerNow, isAvailable, type PodContext, type PodNow } from './podstate.ts'
import type { ContainerStatus, PodStatus } from './status.ts'

interface Waiting {
  readonly reason: string
  readonly message: string
}

export function podStatus(pod: PodNow, owner: ObjectKey, minReadySeconds: number): PodStatus {
  const { context } = pod
  const { record, routing, set } = context
  const containers = pod.containers.map((one) => containerStatus(pod, one))
  const { reason, message } = summarize(pod, containers)
  return {
    uid: record.uid,
    name: record.name,
    namespace: context.namespace,
    owner,
    set: set.name,
    hash: record.hash,
    node: record.node,
    ip: record.ip,
    labels: context.compiled.template.metadata.labels,
    phase: pod.phase,
    reason,
    message,
    ready: pod.ready,
    routed: routing.acknowledged,
    available: isAvailable(pod, minReadySeconds, context.now),
    terminating: record.deletion !== undefined,
    createdAt: record.createdAt,
    readySince: record.readySince,
    restarts: containers.reduce((sum, { restarts }) => sum + restarts, 0),
    containers,
  }
}

function summarize(pod: PodNow, containers: readonly ContainerStatus[]): Waiting {
  const { record, missing, misfit, node } = pod.context
  if (record.deletion !== undefined) return { reason: 'Terminating', message: record.deletion.cause }
  if (!node.reachable) return { reason: 'Unknown', message: `node ${node.name} is unreachable: ${node.error}` }
  if (pod.sandbox === 'lost') return { reason: 'Failed', message: pod.lostBecause }
  if (misfit !== '' && pod.sandbox === 'absent') return { reason: 'Unschedulable', message: misfit }
  if (missing.length > 0 && pod.sandbox === 'absent') return { reason: 'CreateContainerConfigError', message: missing.join('; ') }
  const troubled =
    containers.find(({ state, message }) => state === 'waiting' && message !== '') ??
    containers.find(({ reason }) => reason !== '')
  if (troubled !== undefined && !pod.ready)
    return {
      reason: troubled.reason || pod.phase,
      message: troubled.message === '' ? '' : `${troubled.name}: ${troubled.message}`,
    }
  const waiting = pod.containers.find(({ awaits }) => awaits.length > 0)
  if (waiting !== undefined) return { reason: pod.phase, message: `${waiting.compiled.name}: ${awaitedText(waiting)}` }
  const unready = containers.find(({ ready, lastProbeAnswer }) => !ready && lastProbeAnswer !== '')
  return { reason: pod.phase, message: unready === undefined ? '' : `${unready.name}: probe says ${unready.lastProbeAnswer}` }
}

/** Ports are of interest to whoever wonders what a rollout waits for, and why that ends by itself. */
function awaitedText({ awaits }: ContainerNow): string {
  const ports = `${awaits.length === 1 ? 'port' : 'ports'} ${awaits.join(', ')}`
  return `waiting for ${ports} to listen, at most ${LISTEN_MS / 1000} s, for it has no readiness probe`
}

function containerStatus(pod: PodNow, one: ContainerNow): ContainerStatus {
  const { latest, compiled, stage } = one
  const { container } = compiled
  const state =
    stage === 'running' || stage === 'paused'
      ? 'running'
      : stage === 'exited' && one.restartAt === undefined
        ? 'terminated'
        : 'waiting'
  const waiting = state === 'waiting' ? waitingReason(pod, one) : { reason: '', message: '' }
  const ended = stage === 'exited' && latest !== undefined ? latest : one.older.at(-1)
  return {
    name: compiled.name,
    image: container.image,
    containerId: latest?.id ?? '',
    state,
    reason: state === 'terminated' && latest !== undefined ? exitReason(latest) : waiting.reason,
    message: waiting.message,
    ready: one.ready,
    started: one.started,
    restarts: Math.max(0, one.attempt) + (latest?.restartCount ?? 0),
    exitCode: latest?.exitCode ?? 0,
    startedAt: latest?.startedAt ?? 0,
    lastTermination:
      ended === undefined ? null : { reason: exitReason(ended), exitCode: ended.exitCode, finishedAt: ended.finishedAt },
    lastProbeAnswer: probeAnswer(pod, one),
    logTail: ended === undefined ? [] : lastWords(pod.context, ended.id),
    requests: amounts(container.resources.requests),
    limits: amounts(container.resources.limits),
  }
}

/** A program may say what its secrets are: without knowing them all, nothing that it said is told. */
function lastWords({ set, tail }: PodContext, containerId: string): readonly string[] {
  // What a set of a lost store was bound to is what there is today, and that need not be what its pods were given.
  if (templateHash(set.template, set.config) !== set.hash) return []
  return tail(containerId, [...secretDigests(set.config), ...(set.retired ?? [])])
}

/** @see Kubernetes pkg/kubelet/images and kuberuntime for the reasons */
function waitingReason(pod: PodNow, one: ContainerNow): Waiting {
  const { context } = pod
  if (context.missing.length > 0) return { reason: 'CreateContainerConfigError', message: context.missing.join('; ') }
  const refused = one.compiled.unfit || refusesRoot(context, one, context.node.images.get(one.compiled.imageKey)?.user)
  if (refused) return { reason: 'CreateContainerConfigError', message: refused }
  const pull = failureOf(context.failures, pullLane(context, one.compiled.imageKey))
  if (pull !== undefined && !context.node.images.has(one.compiled.imageKey))
    return { reason: pullReason(one, pull), message: pull.message }
  const failure =
    failureOf(context.failures, laneId(context, one.compiled.name)) ?? failureOf(context.failures, laneId(context, ''))
  if (failure !== undefined)
    return { reason: failure.kind === 'config' ? 'CreateContainerConfigError' : 'CreateContainerError', message: failure.message }
  if (one.stage !== 'exited' || one.latest === undefined) return { reason: 'ContainerCreating', message: '' }
  const { latest } = one
  const seconds = Math.ceil(((one.restartAt ?? context.now) - context.now) / 1000)
  const ended = `exited with ${latest.exitCode}${latest.oomKilled ? ' (out of memory)' : ''}`
  // The first restart comes at once: that is no loop yet.
  if (seconds <= 0) return { reason: exitReason(latest), message: `${ended}; is started again` }
  return { reason: 'CrashLoopBackOff', message: `${ended}; next start in ${seconds} s` }
}

function pullReason(one: ContainerNow, failure: Failure): string {
  if (one.compiled.container.imagePullPolicy === 'Never') return 'ErrImageNeverPull'
  return failure.count > 1 ? 'ImagePullBackOff' : 'ErrImagePull'
}

function failureOf(failures: ReadonlyMap<string, Failure>, lane: string): Failure | undefined {
  for (const [id, failure] of failures) if (id.startsWith(`${lane}|`)) return failure
  return undefined
}

function exitReason(view: { readonly exitCode: number; readonly oomKilled: boolean }): string {
  return view.oomKilled ? 'OOMKilled' : view.exitCode === 0 ? 'Completed' : 'Error'
}

function probeAnswer(pod: PodNow, one: ContainerNow): string {
  if (one.latest === undefined || one.stage !== 'running') return ''
  const probes = pod.context.probes(one.latest.id)
  const failing = [probes.startup, probes.readiness, probes.liveness].find(
    (probe) => probe !== undefined && probe.result !== 'success' && probe.lastAnswer !== '',
  )
  return failing?.lastAnswer ?? ''
}

function amounts(resources: Readonly<Record<string, string>>): { cpuCores: number; memoryBytes: number } {
  return {
    cpuCores: resources.cpu === undefined ? 0 : cpuMillis(resources.cpu) / 1000,
    memoryBytes: resources.memory === undefined ? 0 : bytes(resources.memory),
  }
}
