/**
 * An engine for measuring what the daemon itself takes: it does what it is told in no time at all, keeps what Docker keeps
 * by id, and tells of it by events. No operation of it takes longer the more there is, but for the lists.
 */
import type {
  ContainerConfig,
  ContainerView,
  Engine,
  EngineEvent,
  EngineInfo,
  NetworkView,
  VolumeView,
} from '../../../src/runtime/engine.ts'
import { EngineError } from '../../../src/runtime/engine.ts'
import { routerAgent } from './agent.ts'
import { channel } from './channel.ts'

export interface ScaleEngine extends Engine {
  /** the n-th running container of this workload's pods dies; its id */
  killOne(owner: string, index: number): string
  /** ids of containers made so far, in order */
  readonly made: () => number
  /** bytes that the router has been sent */
  readonly routerBytes: () => number
}

const INFO: EngineInfo = {
  id: 'scale',
  name: 'scale',
  version: '28.0.0',
  apiVersion: '1.48',
  os: 'linux',
  architecture: 'x86_64',
  kernel: '6.1',
  cpus: 64,
  memoryBytes: 2 ** 40,
  storageDriver: 'overlay2',
  cgroupVersion: '2',
  liveRestore: true,
  securityOptions: [],
  warnings: [],
  runtimes: ['runc'],
}

export function scaleEngine(now: () => number): ScaleEngine {
  const containers = new Map<string, ContainerView>()
  const names = new Map<string, string>()
  const networks = new Map<string, NetworkView>()
  const volumes = new Map<string, VolumeView>()
  const ips = new Map<string, string>()
  const folders = new Map<string, Uint8Array>()
  const listeners = new Set<(event: EngineEvent) => void>()
  const turn = turns()
  let serial = 0
  let routerBytes = 0

  function tell(type: EngineEvent['type'], action: string, id: string, attributes: EngineEvent['attributes'] = {}): void {
    const event: EngineEvent = { type, action, id, container: '', attributes, timeMs: now() }
    for (const listener of listeners) listener(event)
  }

  function find(id: string): ContainerView {
    const view = containers.get(id) ?? containers.get(names.get(id) ?? '')
    if (view === undefined) throw new EngineError('notFound', `no such container: ${id}`)
    return view
  }

  function change(id: string, action: string, what: Partial<ContainerView>): void {
    const view = { ...find(id), ...what }
    containers.set(view.id, view)
    tell('container', action, view.id, view.labels)
  }

  function create(config: ContainerConfig): string {
    if (names.has(config.name)) throw new EngineError('conflict', `the name ${config.name} is in use`)
    serial += 1
    const id = serial.toString(16).padStart(64, '0')
    if (config.ip !== undefined) ips.set(id, config.ip)
    containers.set(id, viewOf(id, config, now()))
    names.set(config.name, id)
    tell('container', 'create', id, config.labels)
    return id
  }

  function start(id: string): void {
    const view = find(id)
    if (view.state === 'running') return
    const ip = ips.get(view.id) ?? '10.0.0.2'
    const attached = { networkId: 'network', ip, requestedIp: ips.get(view.id) ?? '' }
    const joined: ContainerView['networks'] = view.networkMode.startsWith('container:') ? {} : { [view.networkMode]: attached }
    change(view.id, 'start', { state: 'running', startedAt: now(), pid: 1, networks: joined })
  }

  function end(id: string, exitCode: number): void {
    const view = find(id)
    if (view.state === 'running') change(view.id, 'die', { state: 'exited', exitCode, finishedAt: now(), pid: 0 })
  }

  function remove(id: string): void {
    const view = containers.get(id) ?? containers.get(names.get(id) ?? '')
    if (view === undefined) return
    containers.delete(view.id)
    names.delete(view.name)
    ips.delete(view.id)
    tell('container', 'destroy', view.id, view.labels)
  }

  return {
    node: 'scale',
    made: () => serial,
    routerBytes: () => routerBytes,
    killOne(owner, index) {
      const own = [...containers.values()].filter((view) => isProgram(view, owner))
      const view = own[index % own.length]
      if (view === undefined) throw new Error(`${owner} has no running container`)
      end(view.id, 1)
      return view.id
    },
    info: () => turn(() => INFO),
    listContainers: (labels) => turn(() => labelled(containers.values(), labels)),
    inspectContainer: (id) => turn(() => containers.get(id) ?? containers.get(names.get(id) ?? '')),
    listNetworks: (labels) => turn(() => labelled(networks.values(), labels)),
    listVolumes: (labels) => turn(() => labelled(volumes.values(), labels)),
    inspectImage: (ref) =>
      turn(() => ({
        id: `sha256:${ref}`,
        tags: [ref],
        digests: [],
        user: '',
        hasHealthcheck: false,
        exposedPorts: [],
        sizeBytes: 1,
      })),
    async *events(_since, signal) {
      const events = channel<EngineEvent>()
      listeners.add(events.push)
      signal.addEventListener('abort', events.end, { once: true })
      events.push({ type: 'other', action: 'subscribed', id: '', container: '', attributes: {}, timeMs: now() })
      yield* events.all
      listeners.delete(events.push)
    },
    async *logs() {},
    stats: () => turn(() => ({ cpuNanos: 1, memoryUsageBytes: 1, memoryWorkingSetBytes: 1, memoryRssBytes: 1, readAt: now() })),
    writtenBytes: () => turn(() => 0),
    volumeBytes: () => turn(() => new Map()),
    pullImage: (ref) => turn(() => `sha256:${ref}`),
    createContainer: (config) => turn(() => create(config)),
    startContainer: (id) => turn(() => start(id)),
    stopContainer: (id) => turn(() => end(id, 0)),
    killContainer: (id) => turn(() => end(id, 137)),
    removeContainer: (id) => turn(() => remove(id)),
    renameContainer: (id, name) => turn(() => change(id, 'rename', { name })),
    updateContainer: (id, what) => turn(() => change(id, 'update', what)),
    unpauseContainer: (id) => turn(() => change(id, 'unpause', { state: 'running' })),
    createNetwork: ({ name, driver, labels, subnet, ipRange, gateway }) =>
      turn(() => {
        networks.set(name, { id: name, name, driver, labels, subnets: [{ subnet, ipRange, gateway }] })
        tell('network', 'create', name, { name })
        return name
      }),
    removeNetwork: (id) => turn(() => void networks.delete(id)),
    connectNetwork: () => turn(() => undefined),
    disconnectNetwork: () => turn(() => undefined),
    createVolume: ({ name, driver, labels }) =>
      turn(() => {
        volumes.set(name, { name, driver, labels, mountpoint: `/volumes/${name}` })
        tell('volume', 'create', name)
      }),
    removeVolume: (name) =>
      turn(() => {
        if (volumes.delete(name)) tell('volume', 'destroy', name)
      }),
    // A folder comes as an archive that has it on top, and is read back in the same way.
    putArchive: (id, path, tar) => turn(() => void folders.set(`${find(id).id}${path}/${topOf(tar)}`, tar)),
    getArchive: (id, path) => turn(() => folders.get(`${find(id).id}${path}`) ?? new Uint8Array(1024)),
    exec: () => turn(() => ({ exitCode: 0, output: '' })),
    execStream: () =>
      turn(() =>
        routerAgent((bytes) => {
          routerBytes += bytes
        }),
      ),
  }
}

/** Answers come in a later turn of the event loop, as those of a socket do. */
function turns(): <T>(work: () => T) => Promise<T> {
  let waiting: (() => void)[] = []
  const next = (): void => {
    const due = waiting
    waiting = []
    for (const answer of due) answer()
  }
  return (work) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(next)
      waiting.push(() => {
        try {
          resolve(work())
        } catch (error) {
          reject(error)
        }
      })
    })
}

function topOf(tar: Uint8Array): string {
  return Buffer.from(tar.subarray(0, 100)).toString('utf8').split(/[/\0]/)[0] ?? ''
}

function isProgram(view: ContainerView, owner: string): boolean {
  const { labels, state } = view
  return state === 'running' && labels['trireme.owner'] === owner && labels['io.kubernetes.container.name'] !== 'POD'
}

function labelled<T extends { readonly labels: Readonly<Record<string, string>> }>(
  all: Iterable<T>,
  labels: readonly string[],
): T[] {
  const wanted = labels.map((label) => label.split('='))
  return [...all].filter((one) =>
    wanted.every(([key = '', value]) => (value === undefined ? key in one.labels : one.labels[key] === value)),
  )
}

function viewOf(id: string, config: ContainerConfig, createdAt: number): ContainerView {
  const mounts = config.mounts.map(({ type, source, target, readOnly }) => ({
    type,
    name: type === 'volume' ? source : '',
    source,
    destination: target,
    readOnly,
  }))
  return {
    id,
    name: config.name,
    image: config.image,
    imageId: `sha256:${config.image}`,
    labels: config.labels,
    state: 'created',
    exitCode: 0,
    oomKilled: false,
    error: '',
    createdAt,
    startedAt: 0,
    finishedAt: 0,
    restartCount: 0,
    restartPolicy: config.restartPolicy,
    resources: config.resources,
    networkMode: config.networkMode,
    networks: {},
    mounts,
    pid: 0,
  }
}
