/** One step is one engine operation: this is where it happens, with secrets resolved at the last moment. */

import { LABEL } from '../reconcilers/names.ts'
import type { ImageState } from '../reconcilers/observed.ts'
import type { Step, Within } from '../reconcilers/plan.ts'
import type { RouteTable } from '../reconcilers/routetable.ts'
import { hasToken } from '../reconcilers/tokens.ts'
import { packFolder } from '../runtime/archive.ts'
import { type Engine, EngineError } from '../runtime/engine.ts'
import { checkPaths } from '../runtime/hostpaths.ts'
import { exchangeFiles, inVersion, versionAt } from '../runtime/inplace.ts'
import { seeToPlace } from '../runtime/places.ts'
import { runHook } from '../runtime/probes/action.ts'
import { registryAuth, repositoryOf } from '../runtime/registryauth.ts'
import { resolveContainer, resolveFiles } from '../runtime/resolve.ts'
import { withSeccomp } from '../runtime/seccomp.ts'
import { pause, type Timers } from '../runtime/timers.ts'
import type { TokenSigner } from '../runtime/tokens.ts'
import type { Vault } from '../runtime/vault.ts'

/** What steps act on and what they leave behind, for one node. */
export interface StepSite {
  readonly engine: Engine
  readonly images: Map<string, ImageState>
  readonly files: Map<string, Readonly<Record<string, string>>>
  readonly put: Map<string, Readonly<Record<string, string>>>
  /** by volume: when its tokens were signed, ms since the epoch */
  readonly tokens: Map<string, number>
  /** names of containers whose postStart hook has ended well */
  readonly hooks: Set<string>
  /** Looks at one container again, so that the next pass sees what this step did. */
  refresh(container: string): Promise<void>
  /** The same for networks and volumes. */
  refreshShared(): Promise<void>
  /** The same for the volumes of one pod. */
  refreshVolumes(podUid: string): Promise<void>
  /** the pod that a volume's labels name */
  podOfVolume(volume: string): string | undefined
  /** running containers that can write above a part of a volume, by name */
  writersAbove(volume: string, part: string): readonly string[]
  applyRoutes(table: RouteTable): Promise<void>
  /** folder of the operator's seccomp profiles */
  readonly seccompRoot: string
  /** Runs a pull, after others from the same registry when there are several: one that hangs holds up no other. */
  pulling<T>(registry: string, pull: () => Promise<T>): Promise<T>
}

export interface StepTools {
  readonly vault: Vault
  readonly tokens: Pick<TokenSigner, 'sign'>
  readonly timers: Timers
  /** ms since the epoch */
  readonly now: () => number
}

/** Does one step. An engine that could not be reached for it is looked at again before anything else is planned on it. */
export async function runStep(step: Step, site: StepSite, tools: StepTools): Promise<void> {
  try {
    await perform(step, site, tools)
  } catch (error) {
    if (error instanceof EngineError && error.kind === 'unreachable') await site.refreshShared()
    throw error
  }
}

/** What an engine says for ever of a container that it was starting when it was killed. */
const STUCK = /task [0-9a-f]{64}: already exists/

/** A container that can never start again goes, and is made anew: its pod with it where it is a sandbox. */
async function start({ container, lastStart }: Of<'start'>, engine: Engine): Promise<void> {
  // An engine answers this only after a start that is under way.
  const seen = lastStart === undefined ? undefined : await engine.inspectContainer(container)
  if (seen !== undefined && seen.startedAt !== lastStart) return
  try {
    await engine.startContainer(container)
  } catch (error) {
    if (error instanceof EngineError && STUCK.test(error.message)) await engine.removeContainer(container)
    throw error
  }
}

async function perform(step: Step, site: StepSite, tools: StepTools): Promise<void> {
  const { vault } = tools
  const { engine } = site
  switch (step.op) {
    case 'pull':
      site.images.set(step.imageKey, await obtainImage(step, site, vault))
      return
    case 'create':
      return createContainer(step, site, vault)
    case 'start':
      await seeTo(step.within, site)
      return andRefresh(site, step.container, start(step, engine))
    case 'put':
      return putFiles(step, site, tools)
    case 'hook':
      return hook(step, site, tools)
    case 'stop':
      if (step.drainMs !== undefined) await pause(tools.timers, step.drainMs)
      return andRefresh(site, step.container, engine.stopContainer(step.container, step.graceSeconds))
    case 'remove':
      return andRefresh(site, step.container, engine.removeContainer(step.container))
    case 'rename':
      return andRefresh(site, step.container, engine.renameContainer(step.container, step.name))
    case 'update': {
      const { resources, restartPolicy } = step
      const change = {
        ...(resources === undefined ? {} : { resources }),
        ...(restartPolicy === undefined ? {} : { restartPolicy }),
      }
      return andRefresh(site, step.container, engine.updateContainer(step.container, change))
    }
    case 'unpause':
      return andRefresh(site, step.container, engine.unpauseContainer(step.container))
    case 'connect':
      return andRefresh(
        site,
        step.container,
        engine.connectNetwork(step.network, step.container, step.ip === '' ? undefined : step.ip),
      )
    case 'createNetwork':
      await engine.createNetwork(step.network)
      return site.refreshShared()
    case 'removeNetwork':
      await engine.removeNetwork(step.network)
      return site.refreshShared()
    case 'createVolume':
      await engine.createVolume(step.volume)
      return refreshVolume(site, step.volume.labels[LABEL.podUid])
    case 'removeVolume':
      await engine.removeVolume(step.volume)
      site.files.delete(step.volume)
      site.put.delete(step.volume)
      site.tokens.delete(step.volume)
      return refreshVolume(site, site.podOfVolume(step.volume))
    case 'route':
      return site.applyRoutes(step.table)
  }
}

function refreshVolume(site: StepSite, podUid: string | undefined): Promise<void> {
  return podUid === undefined ? site.refreshShared() : site.refreshVolumes(podUid)
}

type Of<Op extends Step['op']> = Extract<Step, { readonly op: Op }>

/** What the step did is looked at whether it ended well or not: a failure may have changed something too. */
async function andRefresh(site: StepSite, container: string, work: Promise<void>): Promise<void> {
  try {
    await work
  } finally {
    await site.refresh(container)
  }
}

/** What an operation needs in the volumes of its pod. Errors: `failed` while a container could exchange a part under way. */
async function seeTo(within: Within | undefined, site: StepSite): Promise<void> {
  if (within === undefined) return
  for (const place of within.places) {
    for (const part of place.guarded ? place.parts : []) {
      const [writer] = site.writersAbove(place.volume, part)
      if (writer !== undefined) throw new EngineError('failed', unguarded(writer, part))
    }
    await seeToPlace(site.engine, within.sandbox, place)
  }
}

function unguarded(writer: string, part: string): string {
  const danger = `container ${writer} can write to the folder above the subPath ${part}, and could put a link to the node there`
  return `${danger}: mount the whole volume, or use Docker 26 or later, which follows no such link`
}

async function createContainer(step: Of<'create'>, site: StepSite, vault: Vault): Promise<void> {
  await seeTo(step.within, site)
  if (step.checks !== undefined) await checkPaths(site, step.checks)
  try {
    const config = await withSeccomp(resolveContainer(step.spec, vault), site.seccompRoot)
    await site.refresh(await site.engine.createContainer(config))
  } catch (error) {
    // The image has been removed since it was looked up: the next pass asks for it again.
    if (error instanceof EngineError && error.kind === 'imageNotFound')
      for (const key of site.images.keys()) if (key.split('@')[0] === step.spec.image) site.images.delete(key)
    if (error instanceof EngineError && error.kind === 'conflict') await site.refresh(step.spec.name)
    throw error
  }
}

/** @see Kubernetes image pull policies */
async function obtainImage(step: Of<'pull'>, { engine, pulling }: StepSite, vault: Vault): Promise<ImageState> {
  const local = step.policy === 'Always' ? undefined : await engine.inspectImage(step.image)
  if (local !== undefined) return { id: local.id, user: local.user }
  if (step.policy === 'Never')
    throw new EngineError('imageNotFound', `image ${step.image} is not on this node, and imagePullPolicy is Never`)
  const auth = registryAuth(step.pullSecrets, step.image, vault)
  await pulling(repositoryOf(step.image).host, () => engine.pullImage(step.image, auth))
  const pulled = await engine.inspectImage(step.image)
  if (pulled === undefined) throw new EngineError('imageNotFound', `image ${step.image} was pulled and is not there`)
  return { id: pulled.id, user: pulled.user }
}

async function putFiles(step: Of<'put'>, site: StepSite, { vault, tokens, now }: StepTools): Promise<void> {
  const { engine } = site
  const changedAt = now()
  const files = await resolveFiles(step.files, vault, (request) => tokens.sign(request, changedAt))
  const folder = { name: step.folder, mode: step.folderMode }
  if (step.inPlace) {
    const version = versionAt(changedAt)
    await engine.putArchive(
      step.container,
      step.path,
      await packFolder(folder, inVersion(version, files), { gid: step.gid, changedAt, folders: [version] }),
    )
    await exchangeFiles(engine, step.container, `${step.path}/${step.folder}`, version)
  } else await engine.putArchive(step.container, step.path, await packFolder(folder, files, { gid: step.gid }))
  if (hasToken(step.files)) site.tokens.set(step.volume, changedAt)
  const digests = Object.fromEntries(step.files.map(({ path, digest }) => [path, digest]))
  site.files.set(step.volume, digests)
  site.put.set(step.volume, digests)
}

async function hook(step: Of<'hook'>, site: StepSite, { vault, timers }: StepTools): Promise<void> {
  const { container, address, action, namedPorts = {}, timeoutSeconds, phase } = step
  const target = { engine: site.engine, containerId: container, address, namedPorts }
  const bounds = { timeoutMs: timeoutSeconds * 1000, signal: new AbortController().signal }
  const answer = await runHook(action, target, bounds, { redact: vault.redact, timers })
  if ('error' in answer) throw new Error(answer.error)
  if (!answer.ok) throw new Error(answer.answer)
  if (phase === 'postStart') site.hooks.add(container)
}
