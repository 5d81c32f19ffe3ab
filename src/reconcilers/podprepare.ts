/** What a pod needs before its first container: volumes, sandbox, files; and what of that has to be set right later. */
import type { Mount } from '../runtime/engine.ts'
import { claimVolume, folderOf } from './claims.ts'
import { pathChecks } from './hostpaths.ts'
import { containerName, SANDBOX, SANDBOX_VOLUMES } from './names.ts'
import type { ContainerSpec, Step } from './plan.ts'
import type { PodContext } from './podcontext.ts'
import type { PodNow } from './podstate.ts'
import { type Extra, identity, mendDrift, podCause, step } from './podsteps.ts'
import { isRenewalDue } from './tokenrenewal.ts'
import type { PodVolume } from './volumes.ts'

/** `[]` once everything is as it should be. */
export function preparePod(pod: PodNow): Step[] {
  return [...prepareVolumes(pod), ...prepareSandbox(pod), ...prepareFiles(pod)]
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
    return [
      step(context, SANDBOX, podCause(context), { op: 'create', spec: sandboxSpec(context), ...pathChecks(context) }),
      start,
    ]
  if (pod.sandbox === 'created') return [start]
  const view = context.observed?.sandbox
  return view === undefined ? [] : mendDrift(context, SANDBOX, view, context.compiled.sandbox, 'always')
}

/**
 * A folder of the node that may have to be made is mounted as itself, and not as the volume that stands for it: Docker makes
 * it when the sandbox starts, which is before any container mounts that volume.
 */
function sandboxSpec(context: PodContext): ContainerSpec {
  const { compiled } = context
  const folders = new Map(
    compiled.volumes.flatMap((volume): [string, string][] => {
      const folder = folderOf(volume, context)
      return folder === undefined || folder.type === 'Directory' ? [] : [[volume.source, folder.path]]
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
    const { kind, volume } = one
    if (volume === undefined || kind === 'nfs') return []
    const put = (cause: string, extra: Extra = {}): Step[] => [putStep(context, one, cause, extra)]
    const seen = context.node.files.get(volume.name)
    if (seen === undefined) return launched ? [] : put('new pod')
    const wrong = wrongIn(one, seen)
    if (wrong.length === 0) return []
    if (!launched) return put('new pod')
    if (wrong.every(isLeftOver)) return put(`left over: ${[...new Set(wrong.map((path) => path.split('/')[0]))].join(', ')}`)
    if (changedInGit(context, one)) return put(`changed in Git: ${wrong.join(', ')}`)
    return put(`drift: ${wrong.join(', ')} changed from outside`, { drift: 'files' })
  })
}

function putStep(context: PodContext, volume: PodVolume, cause: string, extra: Extra = {}): Step {
  const { name, source, files, inPlace, folderMode, gid } = volume
  const container = containerName(identity(context), SANDBOX, 0)
  const place = { container, path: SANDBOX_VOLUMES, folder: name, folderMode, volume: source }
  return step(context, `volume ${name}`, cause, { op: 'put', ...place, files, gid, ...(inPlace && { inPlace }) }, extra)
}

/** Tokens that have grown old, or that nobody knows the age of, are exchanged under who reads them. */
export function renewTokens({ context, sandbox }: PodNow): Step[] {
  if (sandbox !== 'running') return []
  const due = context.compiled.volumes.filter((volume) => isRenewalDue(volume, context.node, context.now))
  return due.map((volume) => putStep(context, volume, 'its token is to be renewed'))
}

/** Paths of files that are others or missing, and of what does not belong there where a put takes it away. */
function wrongIn({ files, inPlace }: PodVolume, seen: Readonly<Record<string, string>>): string[] {
  const edited = files.filter(({ path, digest }) => seen[path] !== digest).map(({ path }) => path)
  if (!inPlace) return edited
  const wanted = new Set(files.map(({ path }) => path))
  return [...edited, ...Object.keys(seen).filter((path) => !wanted.has(path))]
}

/** No file of ours begins with two dots: it is of a put that was cut off, by the end of the engine or of the sandbox. */
function isLeftOver(path: string): boolean {
  return path.startsWith('..')
}

/** These files are not the ones that were last put. */
function changedInGit({ node }: PodContext, { source, inPlace, files }: PodVolume): boolean {
  if (!inPlace) return false
  const put = node.put.get(source)
  return put === undefined || Object.keys(put).length !== files.length || files.some(({ path, digest }) => put[path] !== digest)
}
