/** What a pod needs before its first container: volumes, sandbox, files; and what of that has to be set right later. */
import type { Mount } from '../runtime/engine.ts'
import { provesConfig } from './binding.ts'
import { claimVolume, folderOf } from './claims.ts'
import { pathChecks } from './hostpaths.ts'
import { containerName, SANDBOX, SANDBOX_VOLUMES } from './names.ts'
import type { ContainerSpec, Step } from './plan.ts'
import type { PodContext } from './podcontext.ts'
import type { PodNow } from './podstate.ts'
import { type Extra, identity, mendDrift, podCause, step } from './podsteps.ts'
import { isRenewalDue, tokensOf } from './tokenrenewal.ts'
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
    const { name, kind, volume, files, folderMode, gid } = one
    if (volume === undefined || kind === 'nfs') return []
    const put = (cause: string, swap?: { readonly gone: readonly string[] }, extra: Extra = {}): Step[] => {
      const place = { ...placeOf(context, name), folderMode, volume: volume.name }
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

function placeOf(
  context: PodContext,
  folder: string,
): { readonly container: string; readonly path: string; readonly folder: string } {
  return { container: containerName(identity(context), SANDBOX, 0), path: SANDBOX_VOLUMES, folder }
}

/** Tokens that have grown old, or that nobody knows the age of, are exchanged under who reads them. */
export function renewTokens({ context, sandbox }: PodNow): Step[] {
  if (sandbox !== 'running') return []
  const due = context.compiled.volumes.filter((volume) => isRenewalDue(volume, context.node, context.now))
  return due.map(({ name, source, files, folderMode, gid }) =>
    step(context, `volume ${name}`, 'its token is to be renewed', {
      op: 'put',
      ...placeOf(context, name),
      folderMode,
      volume: source,
      files: tokensOf({ files }),
      gid,
      swap: { gone: [] },
      renews: true,
    }),
  )
}

/** Its template takes changed config in place, and these files are not the ones that were last put. */
function changedInGit({ set, node }: PodContext, { source, files }: PodVolume): boolean {
  if (provesConfig(set.template)) return false
  const put = node.put.get(source)
  return put === undefined || Object.keys(put).length !== files.length || files.some(({ path, digest }) => put[path] !== digest)
}
