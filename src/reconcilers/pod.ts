/**
 * The pod planner: from a pod's record and what is observed of it to engine steps.
 *
 * A pod is launched in one lane (volumes, sandbox, files, then each container); once its sandbox is ready,
 * each container has a lane of its own. Images are pulled in lanes shared by all pods that want them.
 * Leaving pods are stopped only when no router sends to them any more.
 */
import { type Driftable, diffContainer } from '../diff/container.ts'
import type { ContainerView, Mount, RestartPolicy } from '../runtime/engine.ts'
import { provesConfig } from './binding.ts'
import { claimVolume, provisionHash } from './claims.ts'
import type { PodDeletion } from './memory.ts'
import { containerName, LABEL, SANDBOX, SANDBOX_VOLUMES } from './names.ts'
import { mountsParts } from './observed.ts'
import { placesOf } from './places.ts'
import type { ContainerSpec, DriftKind, Lane, Place, Step, StepAction, Within } from './plan.ts'
import { mayStart, mayStop, runs } from './podorder.ts'
import {
  attemptOf,
  type Condemnation,
  type ContainerNow,
  endedWithEngine,
  launchMark,
  neverStarted,
  type PodContext,
  type PodNow,
  restartPolicyOf,
} from './podstate.ts'
import { namedPorts } from './probetargets.ts'
import type { PodVolume } from './volumes.ts'

/** A container that has run this long may be restarted by Docker itself while the daemon is away. */
const STEADY_MS = 10_000
/** The same for one that has ended before: as long as Kubernetes takes to forget a crash. */
const STEADY_AGAIN_MS = 600_000
/**
 * The kernel has opened connections that came in the last moment of the route, and a program on a busy machine has yet to
 * take them up: told to stop now, it would let them fall.
 */
const DRAIN_MS = 250
/** preStop leaves at least this much of the grace period to SIGTERM. @see Kubernetes minimumGracePeriodInSeconds */
const MIN_GRACE_SECONDS = 2

type Extra = { readonly drift?: DriftKind }

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
  const preparation = [...prepareVolumes(pod), ...prepareSandbox(pod), ...prepareFiles(pod)]
  const turn = mayStart(pod.containers)
  const alone = (one: ContainerNow): Lane => lane(pod.context, one.compiled.name, planContainer(pod, one))
  const made = pod.containers.filter(({ latest }) => latest !== undefined)
  const next = [...turn].filter(({ latest }) => latest === undefined)
  if (preparation.length === 0) return [...made, ...next].map(alone)
  return [
    lane(pod.context, '', [...preparation, ...next.flatMap((one) => planFirstLaunch(pod, one))]),
    ...(pod.sandbox === 'running' ? made.map(alone) : []),
  ]
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

function prepareVolumes({ context }: PodNow): Step[] {
  if (context.record.bound) return []
  const existing = new Set(context.volumes)
  const own = context.compiled.volumes.flatMap(({ name, volume }) =>
    volume === undefined || existing.has(volume.name)
      ? []
      : [step(context, `volume ${name}`, `new pod`, { op: 'createVolume', volume })],
  )
  return [...own, ...prepareClaims(context)]
}

/** A claim gets its volume when a pod first needs it; whatever becomes of the pod and the claim, it stays. */
function prepareClaims(context: PodContext): Step[] {
  return context.compiled.volumes.flatMap(({ claim, source }): Step[] => {
    const found = claim === undefined ? undefined : context.claim(claim)
    if (found?.provision === undefined || context.node.volumes.has(source)) return []
    const volume = claimVolume(context.cluster, found, found.provision)
    const made = found.provision.persistentVolume === '' ? '' : ` from PersistentVolume ${found.provision.persistentVolume}`
    return [step(context, `volume ${source}`, `first pod of claim ${claim}${made}`, { op: 'createVolume', volume })]
  })
}

function prepareSandbox(pod: PodNow): Step[] {
  const { context } = pod
  const name = containerName(identity(context), SANDBOX, 0)
  const start = step(context, SANDBOX, podCause(context), { op: 'start', container: name })
  if (pod.sandbox === 'absent')
    return [step(context, SANDBOX, podCause(context), { op: 'create', spec: sandboxSpec(context) }), start]
  if (pod.sandbox === 'created') return [start]
  const view = context.observed?.sandbox
  return view === undefined ? [] : mendDrift(context, SANDBOX, view, context.compiled.sandbox, 'always')
}

/**
 * A folder of the node that may have to be made is mounted as itself, and not as the volume that stands for it: Docker makes
 * it when the sandbox starts, which is before any container mounts that volume.
 */
function sandboxSpec({ compiled, claim, node }: PodContext): ContainerSpec {
  const folders = new Map(
    compiled.volumes.flatMap(({ claim: name, source }): [string, string][] => {
      const provision = name === undefined ? undefined : claim(name)?.provision
      const made = node.volumes.get(source)?.labels[LABEL.spec]
      const stands = provision?.folder !== undefined && (made === undefined || made === provisionHash(provision))
      return stands ? [[source, provision.folder as string]] : []
    }),
  )
  const mounts = compiled.sandbox.mounts.map((mount): Mount => {
    const folder = folders.get(mount.source)
    return folder === undefined ? mount : { ...mount, type: 'bind', source: folder, create: true }
  })
  return { ...compiled.sandbox, mounts }
}

/** Files are put in before the first container starts, and again when they are others: in Git, or because of somebody. */
function prepareFiles(pod: PodNow): Step[] {
  const { context } = pod
  const launched = pod.containers.some(({ stage }) => stage !== 'none')
  return context.compiled.volumes.flatMap((one): Step[] => {
    const { name, kind, volume, files, folderMode, gid } = one
    if (volume === undefined || kind === 'nfs') return []
    const put = (cause: string, swap?: { readonly gone: readonly string[] }, extra: Extra = {}): Step[] => {
      const container = containerName(identity(context), SANDBOX, 0)
      const place = { container, path: SANDBOX_VOLUMES, folder: name, folderMode, volume: volume.name }
      return [step(context, `volume ${name}`, cause, { op: 'put', ...place, files, gid, ...(swap && { swap }) }, extra)]
    }
    const seen = context.node.files.get(volume.name)
    if (seen === undefined) return launched ? [] : put('new pod')
    const edited = files.filter(({ path, digest }) => seen[path] !== digest).map(({ path }) => path)
    if (!launched) return edited.length === 0 ? [] : put('new pod')
    const gone = changedInGit(context, one) ? Object.keys(seen).filter((path) => files.every((file) => file.path !== path)) : []
    if (edited.length + gone.length === 0) return []
    if (changedInGit(context, one)) return put(`changed in Git: ${[...edited, ...gone].join(', ')}`, { gone })
    return put(`drift: ${edited.join(', ')} changed from outside`, undefined, { drift: 'files' })
  })
}

/** Its template takes changed config in place, and these files are not the ones that were last put. */
function changedInGit({ set, node }: PodContext, { source, files }: PodVolume): boolean {
  if (provesConfig(set.template)) return false
  const put = node.put.get(source)
  return put === undefined || Object.keys(put).length !== files.length || files.some(({ path, digest }) => put[path] !== digest)
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
        ...within(context, one),
      }),
      ...postStart(context, one, latest.name, one.attempt),
    ]
  if (neverStarted(latest))
    return [
      step(context, target, 'Docker started it before its sandbox and gave up', {
        op: 'start',
        container: latest.id,
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

/** A lane beside that of the container which counts. */
function besideLane(context: PodContext, container: string, view: ContainerView, only: Step): Lane {
  return { id: `${laneId(context, container)}/${view.id.slice(0, 12)}`, steps: [only] }
}

/** What still runs of a pod that comes to its end by itself stops, once no router sends to it, and the pod stays as it is. */
function planEnding(pod: PodNow, cause: string): Lane[] {
  const { context } = pod
  return context.routing.present ? [] : planStops(pod, { since: context.now, graceSeconds: graceOf(context), cause })
}

function planTeardown(pod: PodNow): Lane[] {
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

function condemnedSteps(context: PodContext, one: ContainerNow, latest: ContainerView, { cause, probe }: Condemnation): Step[] {
  const { container } = one.compiled
  const own = probe === 'startup' ? container.startupProbe : probe === 'liveness' ? container.livenessProbe : undefined
  const graceSeconds = own?.terminationGracePeriodSeconds ?? graceOf(context)
  const stop = step(context, container.name, cause, { op: 'stop', container: latest.id, graceSeconds })
  return [...preStop(context, one, latest, cause, graceSeconds), stop]
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

/** One step a kind of drift: all resource limits are set back together. */
function mendDrift(
  context: PodContext,
  target: string,
  view: ContainerView,
  spec: Driftable,
  restartPolicy: RestartPolicy,
): Step[] {
  const found = Map.groupBy(diffContainer(spec, view, restartPolicy), ({ kind }) => kind)
  return [...found].map(([kind, differences]): Step => {
    const cause = differences.map(({ phrase }) => phrase).join('; ')
    const container = view.id
    switch (kind) {
      case 'paused':
        return step(context, target, cause, { op: 'unpause', container }, { drift: kind })
      case 'renamed':
        return step(context, target, cause, { op: 'rename', container, name: spec.name }, { drift: kind })
      case 'resources':
        return step(context, target, cause, { op: 'update', container, resources: spec.resources }, { drift: kind })
      case 'network':
        return step(
          context,
          target,
          cause,
          { op: 'connect', container, network: spec.networkMode, ip: spec.ip ?? '' },
          { drift: kind },
        )
      default:
        return step(context, target, restartCause(restartPolicy), { op: 'update', container, restartPolicy })
    }
  })
}

function restartCause(policy: RestartPolicy): string {
  return policy === 'no'
    ? 'has just been restarted: its next restart is ours to pace'
    : 'runs steadily: Docker may restart it while the daemon is away'
}

function podCause(context: PodContext): string {
  return context.record.cause
}

function graceOf(context: PodContext): number {
  return context.set.template.spec.terminationGracePeriodSeconds
}

function identity(context: PodContext): { uid: string; name: string; namespace: string } {
  return { uid: context.record.uid, name: context.record.name, namespace: context.namespace }
}

export function laneId(context: PodContext, container: string): string {
  return container === '' ? `pod/${context.record.uid}` : `pod/${context.record.uid}/${container}`
}

function lane(context: PodContext, container: string, steps: readonly Step[]): Lane {
  return { id: laneId(context, container), steps }
}

function step(context: PodContext, what: string, cause: string, action: StepAction, extra: Extra = {}): Step {
  const target = what.startsWith('volume trireme-') || what.startsWith('image ') ? what : `${context.record.name}/${what}`
  return { node: context.node.name, target, cause, ...extra, ...action }
}
