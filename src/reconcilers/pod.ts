/**
 * The pod planner: from a pod's record and what is observed of it to engine steps.
 *
 * A pod is launched in one lane (volumes, sandbox, files, then each container); once its sandbox is ready,
 * each container has a lane of its own. Images are pulled in lanes shared by all pods that want them.
 * Leaving pods are stopped only when no router sends to them any more.
 */
import type { Driftable } from '../diff/container.ts'
import type { ContainerView, RestartPolicy } from '../runtime/engine.ts'
import { attemptOf, type ContainerNow, endedWithEngine, launchMark, neverStarted, restartPolicyOf } from './containerstate.ts'
import { containerName, SANDBOX } from './names.ts'
import { mountsParts } from './observed.ts'
import { placesOf } from './places.ts'
import type { Lane, Place, Step, Within } from './plan.ts'
import type { PodContext } from './podcontext.ts'
import { mayStart } from './podorder.ts'
import { preparePod, renewTokens } from './podprepare.ts'
import type { PodNow } from './podstate.ts'
import { besideLane, type Extra, graceOf, identity, lane, mendDrift, podCause, step } from './podsteps.ts'
import { condemnedSteps, planEnding, planTeardown } from './podstop.ts'
import { namedPorts } from './probetargets.ts'

/** A container that has run this long may be restarted by Docker itself while the daemon is away. */
const STEADY_MS = 10_000

/** The same for one that has ended before: as long as Kubernetes takes to forget a crash. */
const STEADY_AGAIN_MS = 600_000

/** Steps that move one pod one pass closer to its record; `[]` once there is nothing to do. */
export function planPod(pod: PodNow): Lane[] {
  const { context } = pod
  if (!context.node.reachable) return []
  // Also one whose sandbox is lost: it leaves as soon as that is seen.
  if (context.record.deletion !== undefined) return planTeardown(pod)
  if (context.record.outcome !== undefined) return [...planRest(pod), ...planOldAttempts(pod), ...planStrangers(pod)]
  if (pod.sandbox === 'absent' && (context.missing.length > 0 || context.misfit !== '')) return []
  const life = pod.ending === undefined ? [...planPulls(pod), ...planLife(pod)] : planEnding(pod, pod.ending)
  return [...life, ...planOldAttempts(pod), ...planStrangers(pod)]
}

/** A pod that is over keeps its containers, for their logs, and nothing that runs, whoever has started it again. */
function planRest(pod: PodNow): Lane[] {
  const { context } = pod
  const cause = 'its pod has ended'
  const again = pod.containers.flatMap((one) =>
    one.stage === 'running' && one.latest !== undefined ? [{ one, view: one.latest }] : [],
  )
  if (again.length > 0)
    return again.map(({ one, view }) =>
      lane(context, one.compiled.name, [
        step(
          context,
          one.compiled.name,
          cause,
          { op: 'stop', container: view.id, graceSeconds: graceOf(context) },
          { drift: 'extra' },
        ),
      ]),
    )
  const sandbox = context.observed?.sandbox
  if (sandbox === undefined || pod.sandbox !== 'running') return []
  const container = sandbox.id
  // Otherwise Docker would start it again when it starts itself.
  const left =
    sandbox.restartPolicy === 'no' ? [] : [step(context, SANDBOX, cause, { op: 'update', container, restartPolicy: 'no' })]
  return [lane(context, '', [...left, step(context, SANDBOX, cause, { op: 'stop', container, graceSeconds: 0 })])]
}

function planLife(pod: PodNow): Lane[] {
  const preparation = preparePod(pod)
  const turn = mayStart(pod.containers)
  const alone = (one: ContainerNow): Lane => lane(pod.context, one.compiled.name, planContainer(pod, one))
  const made = pod.containers.filter(({ latest }) => latest !== undefined)
  const next = [...turn].filter(({ latest }) => latest === undefined)
  if (preparation.length === 0) return [...planRenewal(pod), ...[...made, ...next].map(alone)]
  return [
    lane(pod.context, '', [...preparation, ...next.flatMap((one) => planFirstLaunch(pod, one))]),
    ...(pod.sandbox === 'running' ? made.map(alone) : []),
  ]
}

/** In the lane of all other files, so that no two of them exchange files at once; and nothing waits for it. */
function planRenewal(pod: PodNow): Lane[] {
  const renewals = renewTokens(pod)
  return renewals.length === 0 ? [] : [lane(pod.context, '', renewals)]
}

/** One lane for each image that is wanted now and not known to be on the node: for a first launch, and for a restart. */
function planPulls(pod: PodNow): Lane[] {
  const { context } = pod
  return [...mayStart(pod.containers)]
    .filter((one) => (one.latest === undefined || isDue(pod, one)) && !context.node.images.has(one.compiled.imageKey))
    .map(({ compiled: { container, imageKey }, latest }) => ({
      id: pullLane(context, imageKey),
      steps: [
        {
          node: context.node.name,
          target: `image ${container.image}`,
          cause: `${context.record.name} needs it (${container.imagePullPolicy})`,
          op: 'pull',
          image: container.image,
          // What has run here before needs no registry to run again.
          policy: latest !== undefined && container.imagePullPolicy === 'Always' ? 'IfNotPresent' : container.imagePullPolicy,
          imageKey,
          pullSecrets: context.compiled.pullSecrets,
        },
      ],
    }))
}

export function pullLane(context: PodContext, imageKey: string): string {
  return `image/${context.node.name}/${imageKey}`
}

function planContainer(pod: PodNow, one: ContainerNow): Step[] {
  const { context } = pod
  const { latest, stage } = one
  const target = one.compiled.name
  if (latest === undefined) return context.node.images.has(one.compiled.imageKey) ? planFirstLaunch(pod, one) : []
  if (stage === 'removing')
    return [step(context, target, 'left over by a failed removal', { op: 'remove', container: latest.id })]
  if (stage === 'created')
    return [
      step(context, target, one.attempt > 0 ? `restart ${one.attempt}` : podCause(context), {
        op: 'start',
        container: latest.id,
        lastStart: latest.startedAhead ?? latest.startedAt,
        ...within(context, one),
      }),
      ...postStart(context, one, latest.name, one.attempt),
    ]
  if (neverStarted(latest) && one.restartAt !== undefined)
    return [
      step(context, target, 'Docker started it before its sandbox and gave up', {
        op: 'start',
        container: latest.id,
        lastStart: latest.startedAhead ?? latest.startedAt,
        ...within(context, one),
      }),
    ]
  if (stage === 'exited') return planRestart(pod, one, latest)
  if (stage === 'restarting') return []
  const made: Driftable = {
    name: containerName(identity(context), target, one.attempt),
    resources: one.compiled.resources,
    networkMode: 'container:',
    restartPolicy: 'no',
  }
  const mended = mendDrift(context, target, latest, made, expectedRestartPolicy(context, one, latest))
  return [...mended, ...planHealth(pod, one, latest)]
}

/** A running container: its postStart hook, then what its probes say. */
function planHealth(pod: PodNow, one: ContainerNow, latest: ContainerView): Step[] {
  const { context } = pod
  if (one.stage !== 'running') return []
  if (one.condemned !== undefined) return condemnedSteps(context, one, latest, one.condemned)
  return one.hooked ? [] : postStart(context, one, latest.name, one.attempt)
}

function planRestart(pod: PodNow, one: ContainerNow, latest: ContainerView): Step[] {
  const { context } = pod
  if (!isDue(pod, one) || !context.node.images.has(one.compiled.imageKey)) return []
  const mark = launchMark(one.compiled.name, one.attempt)
  if (context.record.condemned?.includes(mark))
    return launchSteps(pod, one, one.attempt + 1, `stopped after a failed probe or hook (exit ${latest.exitCode})`)
  if (wasRemoved(pod, one)) return launchSteps(pod, one, one.attempt + 1, REMOVED, { drift: 'removed' })
  if (endedWithEngine(context, latest)) return launchSteps(pod, one, one.attempt + 1, 'ended with its engine')
  const oom = latest.oomKilled ? ' (out of memory)' : ''
  const outside = endedFromOutside(latest)
  const cause = outside
    ? `drift: stopped or killed from outside (exit ${latest.exitCode})`
    : `exited with ${latest.exitCode}${oom}`
  return launchSteps(pod, one, one.attempt + 1, cause, outside ? { drift: 'stopped' } : {})
}

/**
 * Docker reports a signal from outside as 128 + its number, and nothing here asked for one; and it lets nothing
 * rest that is always to be restarted, unless somebody told it to stop that.
 */
function endedFromOutside(view: ContainerView): boolean {
  if (view.oomKilled) return false
  return view.exitCode === 137 || view.exitCode === 143 || (view.restartPolicy === 'always' && view.error === '')
}

/** It has ended, and its next attempt may start. */
function isDue({ context }: PodNow, { latest, restartAt }: ContainerNow): boolean {
  return latest !== undefined && !neverStarted(latest) && restartAt !== undefined && restartAt <= context.now
}

function planFirstLaunch(pod: PodNow, one: ContainerNow): Step[] {
  return wasRemoved(pod, one)
    ? launchSteps(pod, one, 0, REMOVED, { drift: 'removed' })
    : launchSteps(pod, one, 0, podCause(pod.context))
}

const REMOVED = 'drift: container was removed'

/** An attempt later than any that is there has been seen running. */
function wasRemoved({ context }: PodNow, { compiled, attempt }: ContainerNow): boolean {
  const prefix = `${compiled.name}#`
  return context.record.launched.some((mark) => mark.startsWith(prefix) && Number(mark.slice(prefix.length)) > attempt)
}

function launchSteps(pod: PodNow, one: ContainerNow, attempt: number, cause: string, extra: Extra = {}): Step[] {
  const { context } = pod
  if (one.latest !== undefined && one.stage !== 'exited') return []
  const { compiled } = one
  const image = context.node.images.get(compiled.imageKey)
  if (compiled.unfit !== '' || refusesRoot(context, one, image?.user) !== undefined) return []
  const crashed = one.latest !== undefined && !endedWithEngine(context, one.latest)
  const failures = one.stage === 'exited' ? one.failures + (crashed ? 1 : 0) : 0
  const mountpoint = (volume: string): string | undefined => context.node.volumes.get(volume)?.mountpoint
  const spec = compiled.spec(attempt, failures, image?.user ?? '', mountpoint)
  return [
    step(context, compiled.name, cause, { op: 'create', spec, ...within(context, one, attempt === 0) }, extra),
    step(context, compiled.name, cause, { op: 'start', container: spec.name, ...within(context, one) }),
    ...postStart(context, one, spec.name, attempt),
  ]
}

/** What has to be so in its volumes at that moment. */
function within(context: PodContext, one: ContainerNow, first = false): { readonly within?: Within } {
  const found = places(context, one, first)
  return found.length === 0 ? {} : { within: { sandbox: containerName(identity(context), SANDBOX, 0), places: found } }
}

function places(context: PodContext, one: ContainerNow, first: boolean): Place[] {
  const changePolicy = context.set.template.spec.securityContext.fsGroupChangePolicy
  return placesOf(one.compiled.mounts, { node: context.node, mountsParts: mountsParts(context.node.info), changePolicy, first })
}

/** The reason why `runAsNonRoot` forbids this container, or `undefined`. @see Kubernetes pkg/kubelet/kuberuntime/security_context.go */
export function refusesRoot(context: PodContext, one: ContainerNow, imageUser: string | undefined): string | undefined {
  const pod = context.set.template.spec.securityContext
  const own = one.compiled.container.securityContext
  if (!(own.runAsNonRoot ?? pod.runAsNonRoot ?? false)) return undefined
  const uid = own.runAsUser ?? pod.runAsUser
  if (uid !== undefined) return uid === 0 ? 'runAsNonRoot is set, and runAsUser is 0' : undefined
  if (imageUser === undefined) return undefined
  const user = imageUser.split(':')[0] ?? ''
  if (user === '' || user === '0' || user === 'root') return 'runAsNonRoot is set, and the image runs as root: set runAsUser'
  if (!/^\d+$/.test(user))
    return `runAsNonRoot is set, and the image's user "${user}" is a name that cannot be checked: set runAsUser`
  return undefined
}

function postStart(context: PodContext, one: ContainerNow, container: string, attempt: number): Step[] {
  const action = one.compiled.container.lifecycle?.postStart
  if (action === undefined) return []
  const target = `${one.compiled.name} postStart #${attempt}`
  return [
    step(context, target, 'container started', {
      op: 'hook',
      container,
      address: context.record.ip,
      phase: 'postStart',
      action,
      namedPorts: namedPorts(one),
      timeoutSeconds: graceOf(context),
    }),
  ]
}

/** The last dead attempt is kept for its logs; older ones go. Docker would start a kept one again when it starts itself. */
function planOldAttempts(pod: PodNow): Lane[] {
  return pod.containers.flatMap(({ older, compiled }): Lane[] =>
    older.flatMap((view, index): Lane[] => {
      if (view.name !== containerName(identity(pod.context), compiled.name, attemptOf(view)))
        return [removal(pod.context, compiled.name, view, EXTRA)]
      if (view.state !== 'exited' || index < older.length - 1)
        return [removal(pod.context, compiled.name, view, view.state === 'running' ? EXTRA : 'superseded attempt')]
      if (view.restartPolicy === 'no') return []
      const action = { op: 'update', container: view.id, restartPolicy: 'no' } as const
      return [besideLane(pod.context, compiled.name, view, step(pod.context, compiled.name, 'kept for its logs alone', action))]
    }),
  )
}

const EXTRA = 'drift: an extra container carries its labels'

/** Containers that carry this pod's labels under a name that its template does not have. */
function planStrangers({ context }: PodNow): Lane[] {
  const own = new Set(context.compiled.containers.map(({ name }) => name))
  return [...(context.observed?.containers ?? [])]
    .filter(([name]) => !own.has(name))
    .flatMap(([name, views]) => views.map((view) => removal(context, name, view, EXTRA)))
}

function removal(context: PodContext, container: string, view: ContainerView, cause: string): Lane {
  const extra: Extra = cause === EXTRA ? { drift: 'extra' } : {}
  return besideLane(context, container, view, step(context, container, cause, { op: 'remove', container: view.id }, extra))
}

/** When a running container has proved itself: ms since the epoch. */
export function steadyAt(view: ContainerView): number {
  const crashed = view.restartCount > 0 || attemptOf(view) > 0
  return view.startedAt + (crashed ? STEADY_AGAIN_MS : STEADY_MS)
}

/** Docker restarts what has proved itself, so that it outlives the daemon; a container that just crashed is ours to pace. */
function expectedRestartPolicy(context: PodContext, one: ContainerNow, view: ContainerView): RestartPolicy {
  const policy = restartPolicyOf(context, one.role)
  // Docker knows nothing of what waits for an init container.
  if (one.role === 'init' || policy === 'Never' || context.now < steadyAt(view)) return 'no'
  // Docker would mount its parts again without anybody having looked at them.
  if (places(context, one, false).some(({ guarded }) => guarded)) return 'no'
  return policy === 'Always' ? 'always' : 'on-failure'
}
