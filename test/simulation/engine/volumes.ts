/** Volumes: on disk, or in memory for as long as a running container mounts them. */
import {
  type ContainerView,
  EngineError,
  type FileType,
  type Mount,
  type VolumeConfig,
  type VolumeView,
} from '../../../src/runtime/engine.ts'
import { conflict, invalid } from './errors.ts'
import type { Machine } from './machine.ts'
import { labelFilter, type RawContainer, type RawVolume, sortedLabels } from './state.ts'

export const VOLUMES = '/var/lib/docker/volumes'

export function listVolumes(machine: Machine, labels: readonly string[]): VolumeView[] {
  const matches = labelFilter(labels)
  const groups = labels.filter((label) => label.includes('=')).map((label) => machine.volumesByLabel.of(label))
  const smallest = groups.reduce<ReadonlyMap<string, RawVolume>>((a, b) => (b.size < a.size ? b : a), machine.volumes)
  return [...smallest.values()].map(({ view }) => view).filter((view) => matches(view.labels))
}

/** Errors: conflict when there is one of that name with other labels. */
export function createVolume(machine: Machine, config: VolumeConfig): void {
  const found = addVolume(machine, config).view.labels
  const wanted = Object.entries(config.labels)
  if (Object.keys(found).length !== wanted.length || wanted.some(([key, value]) => found[key] !== value)) {
    throw new EngineError('conflict', `createVolume ${config.name}: a volume of this name exists with other labels`)
  }
}

/** The volume of that name, made if need be. Docker tells of a creation each time. */
function addVolume(machine: Machine, config: VolumeConfig): RawVolume {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(config.name))
    throw invalid(`create ${config.name}: "${config.name}" includes invalid characters for a local volume name`)
  const volume: RawVolume = machine.volumes.get(config.name) ?? {
    view: Object.freeze({
      name: config.name,
      driver: config.driver,
      labels: sortedLabels(config.labels),
      mountpoint: config.driverOpts.o === 'bind' ? (config.driverOpts.device ?? '') : `${VOLUMES}/${config.name}/_data`,
    }),
    inMemory: config.driverOpts.type === 'tmpfs',
    hasOptions: Object.keys(config.driverOpts).length > 0,
    files: new Map(),
    mountedBy: new Set(),
  }
  machine.volumes.set(config.name, volume)
  for (const label of labelTexts(volume)) machine.volumesByLabel.move(undefined, volume, () => label)
  machine.emitVolume(config.name, 'create')
  return volume
}

function labelTexts({ view: { labels } }: RawVolume): string[] {
  return Object.entries(labels).map(([key, value]) => `${key}=${value}`)
}

/** Already gone is success. Errors: conflict while any container has it, running or not. */
export function removeVolume(machine: Machine, name: string): void {
  const volume = machine.volumes.get(name)
  if (volume === undefined) return
  const users = [...machine.containers.values()].filter(({ mounts }) =>
    mounts.some((mount) => mount.type === 'volume' && mount.name === name),
  )
  if (users.length > 0) throw conflict(`remove ${name}: volume is in use - [${users.map(({ id }) => id).join(', ')}]`)
  machine.volumes.delete(name)
  for (const label of labelTexts(volume)) machine.volumesByLabel.move(volume, undefined, () => label)
  machine.emitVolume(name, 'destroy')
}

/** What a new container mounts; volumes that are not there are made. Errors: invalid (no such path on the host). */
export function mountAll(machine: Machine, mounts: readonly Mount[]): ContainerView['mounts'] {
  for (const { type, source, create } of mounts)
    if (type === 'bind' && create !== true && hostType(machine, source) === undefined) throw missingSource(source)
  return Object.freeze(mounts.map((mount) => mountView(machine, mount)))
}

function mountView(machine: Machine, { type, source, target, readOnly, volume }: Mount): ContainerView['mounts'][number] {
  if (type !== 'volume') return { type, name: '', source: type === 'bind' ? source : '', destination: target, readOnly }
  const { view } = addVolume(machine, volume ?? { name: source, driver: 'local', driverOpts: {}, labels: {} })
  return { type, name: source, source: view.mountpoint, destination: target, readOnly }
}

const missingSource = (path: string) => invalid(`invalid mount config for type "bind": bind source path does not exist: ${path}`)

/** What is at a path on the host, `undefined` for nothing. */
export function hostType(machine: Machine, path: string): FileType | undefined {
  const inVolume = volumeAt(machine, path)
  if (inVolume === undefined) return machine.options.hostPaths?.[path]
  const { volume, rest } = inVolume
  if (volume.files.has(rest)) return 'file'
  return rest === '' || [...volume.files.keys()].some((file) => within(file, rest)) ? 'directory' : undefined
}

const within = (file: string, folder: string): boolean => file === folder || file.startsWith(`${folder}/`)

/** The volume whose folder on the host holds `path`, and the rest of the path. */
export function volumeAt(machine: Machine, path: string): { readonly volume: RawVolume; readonly rest: string } | undefined {
  const [, name, rest = ''] = /^\/var\/lib\/docker\/volumes\/([^/]+)\/_data(?:\/(.*))?$/.exec(path) ?? []
  const volume = name === undefined ? undefined : machine.volumes.get(name)
  return volume === undefined ? undefined : { volume, rest }
}

export function mountVolumes(machine: Machine, container: RawContainer): void {
  for (const { volume } of volumesOf(machine, container)) volume.mountedBy.add(container.id)
  tellOfMounts(machine, container)
}

/** What is in memory goes with the last container that mounts it. Docker tells of it also when nothing was mounted. */
export function unmountVolumes(machine: Machine, container: RawContainer): void {
  for (const { volume } of volumesOf(machine, container)) {
    volume.mountedBy.delete(container.id)
    if (volume.inMemory && volume.mountedBy.size === 0) volume.files = new Map()
  }
  tellOfUnmounts(machine, container)
}

/** The engine mounts everything for as long as it reads or writes an archive. */
export function visitVolumes(machine: Machine, container: RawContainer): void {
  tellOfMounts(machine, container)
  tellOfUnmounts(machine, container)
}

function tellOfMounts(machine: Machine, container: RawContainer): void {
  for (const { mount } of volumesOf(machine, container)) {
    const { name, destination, readOnly } = mount
    const more = { container: container.id, destination, propagation: '', 'read/write': String(!readOnly) }
    machine.emitVolume(name, 'mount', more)
  }
}

function tellOfUnmounts(machine: Machine, container: RawContainer): void {
  for (const { mount } of volumesOf(machine, container)) machine.emitVolume(mount.name, 'unmount', { container: container.id })
}

function volumesOf(machine: Machine, { mounts }: RawContainer) {
  return mounts.flatMap((mount) => {
    const volume = mount.type === 'volume' ? machine.volumes.get(mount.name) : undefined
    return volume === undefined ? [] : [{ mount, volume }]
  })
}
