/**
 * How containers of a pod stop: hooks, order, grace, and what is removed once nothing of it runs. A pod is stopped only when no
 * router sends to it any more.
 */
import type { ContainerView } from '../runtime/engine.ts'
import { type Condemnation, type ContainerNow, launchMark } from './containerstate.ts'
import type { PodDeletion } from './memory.ts'
import { SANDBOX } from './names.ts'
import type { Lane, Step } from './plan.ts'
import type { PodContext } from './podcontext.ts'
import { mayStop, runs } from './podorder.ts'
import type { PodNow } from './podstate.ts'
import { graceOf, lane, step } from './podsteps.ts'
import { namedPorts } from './probetargets.ts'

/**
 * The kernel has opened connections that came in the last moment of the route, and a program on a busy machine has yet to
 * take them up: told to stop now, it would let them fall.
 */
const DRAIN_MS = 250

/** preStop leaves at least this much of the grace period to SIGTERM. @see Kubernetes minimumGracePeriodInSeconds */
const MIN_GRACE_SECONDS = 2

/** What still runs of a pod that comes to its end by itself stops, once no router sends to it, and the pod stays as it is. */
export function planEnding(pod: PodNow, cause: string): Lane[] {
  const { context } = pod
  return context.routing.present ? [] : planStops(pod, { since: context.now, graceSeconds: graceOf(context), cause })
}

export function planTeardown(pod: PodNow): Lane[] {
  const { context } = pod
  const { deletion } = context.record
  if (deletion === undefined || context.routing.present) return []
  return pod.containers.some(runs) ? planStops(pod, deletion) : [lane(context, '', removalSteps(pod))]
}

/** All preStop hooks begin at once; sidecars are stopped last. @see Kubernetes pkg/kubelet killContainer */
function planStops(pod: PodNow, leave: PodDeletion): Lane[] {
  const { context, containers } = pod
  const turn = mayStop(containers)
  return containers.filter(runs).map((one) => lane(context, one.compiled.name, stopSteps(context, one, leave, turn.has(one))))
}

function stopSteps(context: PodContext, one: ContainerNow, leave: PodDeletion, itsTurn: boolean): Step[] {
  const { latest } = one
  if (latest === undefined) return []
  const { cause } = leave
  if (one.stage === 'paused')
    return [step(context, one.compiled.name, 'a paused container cannot stop', { op: 'unpause', container: latest.id })]
  const remaining = Math.ceil(leave.graceSeconds - (context.now - leave.since) / 1000)
  const graceSeconds = Math.max(MIN_GRACE_SECONDS, remaining)
  const drain = context.record.readySince > 0 ? { drainMs: DRAIN_MS } : {}
  const stop = step(context, one.compiled.name, cause, { op: 'stop', container: latest.id, graceSeconds, ...drain })
  return [...preStop(context, one, latest, cause, graceSeconds), ...(itsTurn ? [stop] : [])]
}

/** Once begun it is over, however it ended: one that failed is told as an event, one that a crash cut off is not known to end. */
function preStop(context: PodContext, one: ContainerNow, latest: ContainerView, cause: string, timeoutSeconds: number): Step[] {
  const action = one.compiled.container.lifecycle?.preStop
  const attempt = launchMark(one.compiled.name, one.attempt)
  if (action === undefined || context.record.preStopped?.includes(attempt)) return []
  return [
    step(context, `${one.compiled.name} preStop #${one.attempt}`, cause, {
      op: 'hook',
      container: latest.name,
      address: context.record.ip,
      phase: 'preStop',
      action,
      namedPorts: namedPorts(one),
      timeoutSeconds,
      mark: { pod: context.record.uid, attempt },
    }),
  ]
}

function removalSteps({ context }: PodNow): Step[] {
  const cause = context.record.deletion?.cause ?? ''
  const { observed } = context
  const apps = [...(observed?.containers ?? [])].flatMap(([name, attempts]) =>
    attempts.map((view) => step(context, name, cause, { op: 'remove', container: view.id })),
  )
  const sandbox =
    observed?.sandbox === undefined ? [] : [step(context, SANDBOX, cause, { op: 'remove', container: observed.sandbox.id })]
  const volumes = context.volumes.map((volume) => step(context, `volume ${volume}`, cause, { op: 'removeVolume', volume }))
  return [...apps, ...sandbox, ...volumes]
}

export function condemnedSteps(
  context: PodContext,
  one: ContainerNow,
  latest: ContainerView,
  { cause, probe }: Condemnation,
): Step[] {
  const { container } = one.compiled
  const own = probe === 'startup' ? container.startupProbe : probe === 'liveness' ? container.livenessProbe : undefined
  const graceSeconds = own?.terminationGracePeriodSeconds ?? graceOf(context)
  const stop = step(context, container.name, cause, { op: 'stop', container: latest.id, graceSeconds })
  return [...preStop(context, one, latest, cause, graceSeconds), stop]
}
