/** The status of one pod, in the words kubectl users know. */
import { isExtendedResource } from '../model/extended.ts'
import { bytes, cpuMillis, parseQuantity } from '../model/quantity.ts'
import type { ObjectKey } from '../model/types/meta.ts'
import type { Container } from '../model/types/pod.ts'
import type { ContainerView } from '../runtime/engine.ts'
import { provesConfig, templateHash } from './binding.ts'
import type { ContainerNow } from './containerstate.ts'
import { LISTEN_MS } from './listening.ts'
import { secretDigests } from './memory.ts'
import type { Failure } from './observed.ts'
import { pullLane, refusesRoot } from './pod.ts'
import type { PodContext } from './podcontext.ts'
import { isInitialized, mayStart } from './podorder.ts'
import { isAvailable, type PodNow } from './podstate.ts'
import { laneId } from './podsteps.ts'
import type { Amounts, ContainerStatus, PodStatus } from './status.ts'

interface Waiting {
  readonly reason: string
  readonly message: string
}

export function podStatus(pod: PodNow, owner: ObjectKey, minReadySeconds: number): PodStatus {
  const { context } = pod
  const { record, routing, set } = context
  const all = pod.containers.map((one) => containerStatus(pod, one))
  const { reason, message } = summarize(pod, all)
  return {
    uid: record.uid,
    name: record.name,
    namespace: context.namespace,
    owner,
    set: set.name,
    hash: record.hash,
    node: record.node,
    ip: record.ip,
    hostNetwork: context.compiled.template.spec.hostNetwork,
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
    restarts: all.reduce((sum, { restarts }) => sum + restarts, 0),
    initContainers: all.filter(({ role }) => role !== 'main'),
    containers: all.filter(({ role }) => role === 'main'),
  }
}

function summarize(pod: PodNow, all: readonly ContainerStatus[]): Waiting {
  const { record, missing, misfit, node } = pod.context
  if (record.deletion !== undefined) return { reason: 'Terminating', message: record.deletion.cause }
  if (!node.reachable) return { reason: 'Unknown', message: `node ${node.name} is unreachable: ${node.error}` }
  if (pod.sandbox === 'lost') return { reason: 'Failed', message: pod.lostBecause }
  if (misfit !== '' && pod.sandbox === 'absent') return { reason: 'Unschedulable', message: misfit }
  if (missing.length > 0 && pod.sandbox === 'absent') return { reason: 'CreateContainerConfigError', message: missing.join('; ') }
  if (record.failed !== undefined) return record.failed
  if (!isInitialized(pod.containers)) return initializing(pod, all)
  // What serves comes first, then what helps it.
  const containers = [...all.filter(({ role }) => role === 'main'), ...all.filter(({ role }) => role === 'sidecar')]
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
  if (unready !== undefined) return { reason: pod.phase, message: `${unready.name}: probe says ${unready.lastProbeAnswer}` }
  return { reason: pod.phase, message: pod.phase === 'Running' ? pod.closedGates.join(', ') : '' }
}

/** @see Kubernetes pkg/printers printPod: `Init:1/3`, `Init:CrashLoopBackOff`, `Init:Error` */
function initializing(pod: PodNow, all: readonly ContainerStatus[]): Waiting {
  const inits = pod.containers.filter(({ role }) => role !== 'main')
  const at = inits.findIndex(({ passed }) => !passed)
  const current = all[at]
  const troubled = current !== undefined && current.reason !== '' && current.reason !== 'ContainerCreating'
  if (current === undefined || !troubled) return { reason: `Init:${at}/${inits.length}`, message: '' }
  const message = current.message === '' ? '' : `${current.name}: ${current.message}`
  return { reason: `Init:${current.reason}`, message: message || (pod.ending ?? '') }
}

/** Ports are of interest to whoever wonders what a rollout waits for, and why that ends by itself. */
function awaitedText({ awaits }: ContainerNow): string {
  const ports = `${awaits.length === 1 ? 'port' : 'ports'} ${awaits.join(', ')}`
  return `waiting for ${ports} to listen, at most ${LISTEN_MS / 1000} s, for it has no readiness probe`
}

function containerStatus(pod: PodNow, one: ContainerNow): ContainerStatus {
  const { latest, compiled, stage } = one
  const { container } = compiled
  const state = stateOf(one)
  const waiting = state === 'waiting' ? waitingReason(pod, one) : { reason: '', message: '' }
  const ended = stage === 'exited' && latest !== undefined ? latest : one.older.at(-1)
  const last = ended === undefined ? null : termination(pod.context, container, ended)
  return {
    name: compiled.name,
    role: one.role,
    image: container.image,
    containerId: latest?.id ?? '',
    state,
    reason: state === 'terminated' ? exitReason(latest ?? COMPLETED) : waiting.reason,
    message: state === 'terminated' ? (last?.message ?? '') : waiting.message,
    ready: one.ready,
    started: one.started,
    restarts: Math.max(0, one.attempt) + (latest?.restartCount ?? 0),
    exitCode: latest?.exitCode ?? 0,
    startedAt: latest?.startedAt ?? 0,
    lastTermination: last,
    lastProbeAnswer: probeAnswer(pod, one),
    logTail: ended === undefined ? [] : lastWords(pod.context, ended.id),
    requests: amounts(container.resources.requests),
    limits: amounts(container.resources.limits),
  }
}

/** An init container that has completed stays so, also when somebody removed what was left of it. */
function stateOf({ role, passed, stage, restartAt }: ContainerNow): ContainerStatus['state'] {
  if (stage === 'running' || stage === 'paused') return 'running'
  const over = stage === 'exited' && restartAt === undefined
  return over || (role === 'init' && passed) ? 'terminated' : 'waiting'
}

const COMPLETED = { exitCode: 0, oomKilled: false }

function termination(context: PodContext, container: Container, ended: ContainerView): ContainerStatus['lastTermination'] {
  const { exitCode, finishedAt } = ended
  const fromLog = container.terminationMessagePolicy === 'FallbackToLogsOnError' && exitCode !== 0
  const secrets = secretsOf(context)
  // Most containers leave it where nothing can be read from any more.
  const silent = secrets === undefined || (container.terminationMessagePath.startsWith('/dev/') && !fromLog)
  const message = silent ? '' : context.message(ended.id, { path: container.terminationMessagePath, fromLog }, secrets)
  return { reason: exitReason(ended), message, exitCode, finishedAt }
}

function lastWords(context: PodContext, containerId: string): readonly string[] {
  const secrets = secretsOf(context)
  return secrets === undefined ? [] : context.tail(containerId, secrets)
}

/** A program may say what its secrets are: without knowing them all, nothing that it said is told. */
function secretsOf({ set }: PodContext): readonly string[] | undefined {
  // What a set of a lost store was bound to is what there is today, and that need not be what its pods were given.
  if (set.recovered && !provesConfig(set.template)) return undefined
  if (templateHash(set.template, set.config) !== set.hash) return undefined
  return [...secretDigests(set.config), ...(set.retired ?? [])]
}

/** @see Kubernetes pkg/kubelet/images and kuberuntime for the reasons */
function waitingReason(pod: PodNow, one: ContainerNow): Waiting {
  const { context } = pod
  if (!mayStart(pod.containers).has(one)) return { reason: 'PodInitializing', message: '' }
  if (context.missing.length > 0) return { reason: 'CreateContainerConfigError', message: context.missing.join('; ') }
  const refused = one.compiled.unfit || refusesRoot(context, one, context.node.images.get(one.compiled.imageKey)?.user)
  if (refused) return { reason: 'CreateContainerConfigError', message: refused }
  const pull = failureOf(context.failures, pullLane(context, one.compiled.imageKey))
  if (pull !== undefined && !context.node.images.has(one.compiled.imageKey))
    return { reason: pullReason(one, pull), message: pull.message }
  const failure =
    failureOf(context.failures, laneId(context, one.compiled.name)) ?? failureOf(context.failures, laneId(context, ''))
  if (failure !== undefined) return { reason: failureReason(failure), message: failure.message }
  if (one.stage !== 'exited' || one.latest === undefined) return { reason: 'ContainerCreating', message: '' }
  const { latest } = one
  const seconds = Math.ceil(((one.restartAt ?? context.now) - context.now) / 1000)
  const ended = `exited with ${latest.exitCode}${latest.oomKilled ? ' (out of memory)' : ''}`
  // The first restart comes at once: that is no loop yet.
  if (seconds <= 0) return { reason: exitReason(latest), message: `${ended}; is started again` }
  return { reason: 'CrashLoopBackOff', message: `${ended}; next start in ${seconds} s` }
}

/** @see Kubernetes: a pod that waits for its mounts has no container yet that anything could be wrong with */
function failureReason({ kind }: Failure): string {
  if (kind === 'mount') return 'ContainerCreating'
  return kind === 'config' ? 'CreateContainerConfigError' : 'CreateContainerError'
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

function amounts(resources: Readonly<Record<string, string>>): Amounts {
  return {
    cpuCores: resources.cpu === undefined ? 0 : cpuMillis(resources.cpu) / 1000,
    memoryBytes: resources.memory === undefined ? 0 : bytes(resources.memory),
    extended: Object.fromEntries(
      Object.entries(resources).flatMap(([name, count]) => (isExtendedResource(name) ? [[name, units(count)]] : [])),
    ),
  }
}

/** A thousand of them is written `1k`. */
function units(count: string): number {
  return Number(parseQuantity(count).nanos / 1_000_000_000n)
}
