/** What a pod is right now: its record and what is observed of it, reduced to the few states that planning needs. */
import type { ContainerView } from '../runtime/engine.ts'
import { type ContainerNow, observeContainers } from './containerstate.ts'
import { closedGates } from './gates.ts'
import type { PodRecord } from './memory.ts'
import type { DriftKind } from './plan.ts'
import { isBusy, type PodContext, sandboxStartId } from './podcontext.ts'
import { isInitialized, runs } from './podorder.ts'
import { isInMemory } from './volumes.ts'

export type SandboxStage = 'absent' | 'created' | 'running' | 'paused' | 'lost'

export interface PodNow {
  readonly context: PodContext
  readonly sandbox: SandboxStage
  /** why it is lost, `''` otherwise */
  readonly lostBecause: string
  /** the drift that lost it, when it was one */
  readonly lostBy: DriftKind | undefined
  /** why it is to go though it runs, `''` otherwise */
  readonly evictedBecause: string
  /** in the order they start */
  readonly containers: readonly ContainerNow[]
  /** why nothing of it starts any more and what still runs is to stop; `undefined` while it has something to do */
  readonly ending: string | undefined
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown'
  /** readiness gates that keep it from being ready, one sentence each */
  readonly closedGates: readonly string[]
  readonly ready: boolean
}

/** While its engine is out of reach, a pod is taken to be as it was last seen: nothing is lost, and none that was ready is doubted. */
export function observePod(context: PodContext): PodNow {
  const seen = observeContainers(context)
  const ending = endingOf(context, seen)
  const containers = ending === undefined ? seen : seen.map(atEnd)
  const { stage, because, drift } = sandboxStage(context, containers, ending !== undefined)
  const phase = podPhase(context, stage, containers, ending)
  const closed = closedGates(context.record, context.set.template)
  return {
    context,
    sandbox: stage,
    lostBecause: because,
    lostBy: drift,
    evictedBecause: evictionCause(context, containers),
    containers,
    ending,
    phase,
    closedGates: closed,
    ready: context.node.reachable
      ? phase === 'Running' && stage === 'running' && containers.every((one) => one.ready) && closed.length === 0
      : context.record.readySince > 0,
  }
}

/** @see Kubernetes pkg/kubelet/eviction: reason Evicted */
function evictionCause({ probes, observed }: PodContext, containers: readonly ContainerNow[]): string {
  const whole = observed?.sandbox?.state === 'running' ? probes(observed.sandbox.id).storage : undefined
  if (whole?.result === 'failure') return `Evicted: ${whole.lastAnswer}`
  for (const { latest, stage, compiled } of containers) {
    const storage = stage === 'running' && latest !== undefined ? probes(latest.id).storage : undefined
    if (storage?.result === 'failure') return `Evicted: container ${compiled.name} ${storage.lastAnswer}`
  }
  return ''
}

/** Nothing starts again in a pod that comes to its end. */
function atEnd(one: ContainerNow): ContainerNow {
  return { ...one, restartAt: undefined, condemned: undefined }
}

/** @see Kubernetes pkg/kubelet getPhase: sidecars decide nothing, and an init container that may not run again decides it all */
function endingOf({ record }: PodContext, containers: readonly ContainerNow[]): string | undefined {
  if (record.failed !== undefined) return record.failed.message
  if (record.outcome !== undefined) return 'its pod has ended'
  const isOver = ({ stage, restartAt }: ContainerNow): boolean => stage === 'exited' && restartAt === undefined
  const failed = containers.find((one) => one.role === 'init' && !one.passed && isOver(one))
  if (failed !== undefined) return `init container ${failed.compiled.name} exited with ${failed.latest?.exitCode}`
  return containers.every((one) => one.role !== 'main' || isOver(one)) ? 'its containers have ended' : undefined
}

interface SandboxState {
  readonly stage: SandboxStage
  readonly because: string
  readonly drift?: DriftKind
}

function sandboxStage(context: PodContext, containers: readonly ContainerNow[], ends: boolean): SandboxState {
  const view = context.observed?.sandbox
  // What is over needs no sandbox any more.
  const isOver =
    context.record.outcome !== undefined || (ends && (hasSucceeded(context.record, containers) || wasPutToRest(view, containers)))
  if (isOver) return { stage: view?.state === 'running' ? 'running' : 'absent', because: '' }
  if (!context.node.reachable) return { stage: context.record.bound ? 'running' : 'absent', because: '' }
  const gone = view === undefined || view.state === 'removing' || view.state === 'dead'
  if (gone && context.record.bound) return { stage: 'lost', because: 'its sandbox was removed', drift: 'removed' }
  if (view === undefined) return { stage: 'absent', because: '' }
  if (view.state === 'created') {
    const start = context.failures.get(sandboxStartId(context))
    if (start?.kind === 'addressTaken') return { stage: 'lost', because: `its address ${context.record.ip} is taken` }
    return { stage: 'created', because: '' }
  }
  if (view.state === 'paused') return { stage: 'paused', because: '' }
  if (view.state === 'exited') return { stage: 'lost', because: `its sandbox exited with ${view.exitCode}`, drift: 'stopped' }
  if (view.state !== 'running') return { stage: 'lost', because: `its sandbox is ${view.state}`, drift: 'stopped' }
  // Only its own network counts: those that somebody attached in addition are foreign.
  const address = view.networks[context.compiled.sandbox.networkMode]?.ip || context.record.ip
  if (address !== context.record.ip)
    return { stage: 'lost', because: `its address changed from ${context.record.ip} to ${address}`, drift: 'network' }
  const restartedAt = restartTime(view)
  // A restarted sandbox has a new network namespace; containers that joined the old one are cut off for good.
  const cutOff = containers.some(
    ({ latest, stage }) => latest !== undefined && stage === 'running' && latest.startedAt < restartedAt,
  )
  if (cutOff && !ends)
    return { stage: 'lost', because: 'its sandbox was restarted, which left its containers without a network', drift: 'stopped' }
  if (!ends && hasLostOrder(context, containers, restartedAt))
    return { stage: 'lost', because: 'its sandbox was started anew, and its init containers are to run before the others' }
  return containers.some((one) => hasLostMemory(context, one, restartedAt))
    ? { stage: 'lost', because: 'its sandbox was started anew, and what it kept in memory, such as secret files, is gone' }
    : { stage: 'running', because: '' }
}

/**
 * When a sandbox was started anew (ms since the epoch), 0 in its first run: Docker keeps the end of the run before. Then no
 * container was there before it, whatever a clock that was set back between their starts says.
 */
function restartTime({ startedAt, finishedAt }: ContainerView): number {
  return finishedAt === 0 ? 0 : startedAt
}

/** Nothing of it runs, and whatever became of its sandbox meanwhile does not change how it ended. */
function hasSucceeded({ failed }: PodRecord, containers: readonly ContainerNow[]): boolean {
  const well = containers.every(({ role, latest }) => role !== 'main' || latest?.exitCode === 0)
  return failed === undefined && well && !containers.some(runs)
}

/** Only the sandbox of a pod that has ended is stopped without being started again, and a lost store leaves nothing else to tell it by. */
function wasPutToRest(view: ContainerView | undefined, containers: readonly ContainerNow[]): boolean {
  return view?.state === 'exited' && view.restartPolicy === 'no' && !containers.some(runs)
}

/**
 * Docker starts containers again in no order, and init containers are to run again in a new network namespace, before all
 * others: only a new pod has that order.
 */
function hasLostOrder({ set }: PodContext, containers: readonly ContainerNow[], restartedAt: number): boolean {
  if (set.template.spec.initContainers.length === 0) return false
  return containers.some(({ latest }) => latest !== undefined && latest.createdAt < restartedAt)
}

/**
 * Memory-backed volumes are empty once their sandbox has been started anew, and Docker starts the containers beside it as
 * if nothing had happened. It also loses count of who has mounted them, so that containers of one pod may end up with
 * different ones: only a new pod has volumes that can be trusted.
 */
function hasLostMemory(context: PodContext, { compiled, latest, stage, restartAt }: ContainerNow, restartedAt: number): boolean {
  const over = stage === 'exited' && restartAt === undefined
  if (latest === undefined || over || latest.createdAt >= restartedAt) return false
  return context.compiled.volumes.some(
    (volume) => isInMemory(volume) && compiled.container.volumeMounts.some(({ name }) => name === volume.name),
  )
}

function podPhase(
  context: PodContext,
  sandbox: SandboxStage,
  containers: readonly ContainerNow[],
  ending: string | undefined,
): PodNow['phase'] {
  if (context.record.outcome !== undefined) return context.record.outcome
  if (!context.node.reachable) return context.record.bound ? 'Unknown' : 'Pending'
  if (sandbox === 'lost') return 'Failed'
  if (ending !== undefined && !containers.some(runs) && !isBusy(context))
    return hasSucceeded(context.record, containers) ? 'Succeeded' : 'Failed'
  const launched = containers.every((one) => one.role !== 'main' || runs(one) || one.stage === 'exited' || one.attempt > 0)
  return launched && isInitialized(containers) ? 'Running' : 'Pending'
}

/** Ready for `minReadySeconds`, and every router that should send to it does. */
export function isAvailable(pod: PodNow, minReadySeconds: number, now: number): boolean {
  const { readySince } = pod.context.record
  return pod.ready && pod.context.routing.acknowledged && readySince > 0 && now - readySince >= minReadySeconds * 1000
}
