/** Containers as the API makes, stops, changes and removes them. */
import type { ContainerConfig, ContainerView, ResourceLimits, RestartPolicy } from '../../../src/runtime/engine.ts'
import { conflict, failed, inProgress, invalid } from './errors.ts'
import { findImage, missingImage } from './images.ts'
import { killContainer, signalName, thaw, until, wake } from './life.ts'
import type { Machine } from './machine.ts'
import { hasProcess, labelFilter, type RawContainer, sortedLabels, viewOf } from './state.ts'
import { mountAll } from './volumes.ts'

const LEAST_MEMORY_BYTES = 6 * 1024 * 1024
const LEAST_CPU_QUOTA = 1000
/** A limit out of reach, which is how the adapter lifts one. */
const DEFAULT_CPU_SHARES = 1024

/** Newest first, as the engine lists them. */
export function listContainers(machine: Machine, labels: readonly string[]): ContainerView[] {
  const matches = labelFilter(labels)
  const found: ContainerView[] = []
  for (const container of machine.containers.values()) if (matches(container.labels)) found.push(viewOf(container))
  return found.reverse()
}

/** Errors: invalid, imageNotFound, conflict (name in use). */
export function createContainer(machine: Machine, config: ContainerConfig): string {
  checkName(config.name)
  checkResources(config.resources)
  const image = findImage(machine, config.image)
  if (image === undefined) throw missingImage(config.image)
  refuseTaken(machine, config.name)
  const networkMode = resolvedMode(machine, config.networkMode)
  const container: RawContainer = {
    id: machine.newId(),
    config,
    imageId: image.view.id,
    labels: sortedLabels({ ...image.labels, ...config.labels }),
    name: config.name,
    state: 'created',
    exitCode: 0,
    oomKilled: false,
    error: '',
    createdAt: machine.now(),
    startedAt: 0,
    finishedAt: 0,
    restartCount: 0,
    restartPolicy: config.restartPolicy,
    resources: Object.freeze({ ...config.resources }),
    networkMode,
    endpoints: new Map(firstEndpoint(machine, networkMode, config.ip)),
    networked: !networkMode.startsWith('container:'),
    mounts: mountAll(machine, config.mounts),
    files: new Map(),
    logs: [],
    pid: 0,
    run: undefined,
    runs: 0,
    manuallyStopped: false,
    restartsCanceled: false,
    backoffMs: 0,
    restartTimer: undefined,
    removing: false,
    taskLeft: false,
    stuckRemovals: 0,
    waiters: new Set(),
    attached: new Set(),
    view: undefined,
  }
  machine.containers.set(container.id, container)
  machine.names.set(container.name, container.id)
  machine.emitContainer(container, 'create')
  return container.id
}

function checkName(name: string): void {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) {
    throw invalid(`Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`)
  }
}

function checkResources({ memoryBytes, cpuQuota }: ResourceLimits): void {
  if (memoryBytes !== undefined && memoryBytes < LEAST_MEMORY_BYTES) throw invalid('Minimum memory limit allowed is 6MB')
  if (cpuQuota !== undefined && cpuQuota < LEAST_CPU_QUOTA) throw invalid('CPU cfs quota can not be less than 1ms (i.e. 1000)')
}

function refuseTaken(machine: Machine, name: string): void {
  const holder = machine.names.get(name)
  if (holder === undefined) return
  throw conflict(
    `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
  )
}

/** The container whose network is joined is known by its id from then on; one that is not there is missed at the start. */
function resolvedMode(machine: Machine, mode: string): string {
  if (!mode.startsWith('container:')) return mode
  const donor = machine.findContainer(mode.slice('container:'.length))
  return donor === undefined ? mode : `container:${donor.id}`
}

function firstEndpoint(machine: Machine, mode: string, ip: string | undefined) {
  if (mode.startsWith('container:')) return []
  const name = machine.findNetwork(mode)?.view.name ?? mode
  return [[name, Object.freeze({ networkId: '', ip: '', requestedIp: ip ?? '' })]] as const
}

/** Stop signal, then SIGKILL after the grace. Not running is success. */
export async function stopContainer(machine: Machine, container: RawContainer, graceSeconds: number): Promise<void> {
  if (!hasProcess(container) && container.state !== 'restarting') return
  const ended = (): boolean => !hasProcess(container) && container.state !== 'restarting'
  killContainer(machine, container, signalName(container.config.stopSignal ?? 'TERM'), 'stop')
  if (!ended()) await killAfter(machine, container, Math.max(0, Math.ceil(graceSeconds)) * 1000, ended)
  machine.emitContainer(container, 'stop')
}

async function killAfter(machine: Machine, container: RawContainer, graceMs: number, ended: () => boolean): Promise<void> {
  const timer = machine.later(graceMs, () => {
    if (!ended()) killContainer(machine, container, 'KILL', 'stop')
  })
  await until(container, ended)
  machine.options.timers.clearTimeout(timer)
}

/** SIGKILL is waited for, every other signal only sent. Errors: invalid, notFound, conflict (not running). */
export async function signalContainer(machine: Machine, id: string, text: string): Promise<void> {
  const signal = signalName(text)
  const container = machine.container(id)
  killContainer(machine, container, signal, 'kill')
  if (signal === 'KILL') await until(container, () => !hasProcess(container))
}

/** Kills it if need be. Errors: inProgress, failed (and the container is left `dead`). */
export async function removeContainer(machine: Machine, container: RawContainer): Promise<void> {
  if (container.removing) throw inProgress(`removal of container ${container.id} is already in progress`)
  container.removing = true
  container.view = undefined
  if (hasProcess(container) || container.state === 'restarting') {
    killContainer(machine, container, 'KILL', 'remove')
    await until(container, () => !hasProcess(container))
  }
  const ms = machine.options.latency?.('removal') ?? 0
  if (ms > 0) await new Promise<void>((resolve) => machine.later(ms, resolve))
  container.removing = false
  container.view = undefined
  if (container.stuckRemovals > 0) {
    container.stuckRemovals -= 1
    container.state = 'dead'
    throw failed(`container ${container.id}: driver "overlay2" failed to remove root filesystem: device or resource busy`)
  }
  forget(machine, container)
}

function forget(machine: Machine, container: RawContainer): void {
  machine.containers.delete(container.id)
  machine.names.delete(container.name)
  machine.emitContainer(container, 'destroy')
  wake(container)
}

/** Errors: conflict (name in use), invalid. */
export function renameContainer(machine: Machine, container: RawContainer, name: string): void {
  if (container.name === name) throw invalid('Renaming a container with the same name as its current name')
  checkName(name)
  refuseTaken(machine, name)
  const oldName = container.name
  machine.names.delete(oldName)
  machine.names.set(name, container.id)
  container.name = name
  container.view = undefined
  machine.emitContainer(container, 'rename', { oldName: `/${oldName}` })
}

/** `resources` replaces all limits; shares that are lifted show as the engine's default. Errors: failed (no change), notFound, invalid, inProgress. */
export function updateContainer(
  machine: Machine,
  id: string,
  { resources, restartPolicy }: { readonly resources?: ResourceLimits; readonly restartPolicy?: RestartPolicy },
): void {
  if (resources === undefined && restartPolicy === undefined) throw failed('EOF')
  const container = machine.container(id)
  if (resources !== undefined) checkResources(resources)
  if (container.removing || container.state === 'dead') {
    throw inProgress(`Cannot update container ${container.id}: Container is marked for removal and cannot be "update".`)
  }
  if (resources !== undefined) {
    container.resources = Object.freeze({ ...resources, cpuShares: resources.cpuShares ?? DEFAULT_CPU_SHARES })
  }
  if (restartPolicy !== undefined) container.restartPolicy = restartPolicy
  container.view = undefined
  machine.emitContainer(container, 'update')
}

/** Errors: conflict. */
export function pauseContainer(machine: Machine, container: RawContainer): void {
  if (container.state === 'paused') throw conflict(`Container ${container.id} is already paused`)
  if (container.state === 'restarting')
    throw conflict(`Container ${container.id} is restarting, wait until the container is running`)
  if (container.state !== 'running') throw conflict(`Container ${container.id} is not running`)
  container.state = 'paused'
  container.view = undefined
  machine.emitContainer(container, 'pause')
}

/** Errors: conflict. */
export function unpauseContainer(machine: Machine, container: RawContainer): void {
  if (container.state !== 'paused') throw conflict(`Container ${container.id} is not paused`)
  thaw(machine, container, true)
}
