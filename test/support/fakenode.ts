/**
 * A node as a value: what one engine step turns it into. It knows just enough of Docker to run planners to a
 * fixpoint in virtual time, and nothing of how plans come about.
 */
import { deepFreeze } from '../../src/model/canonical.ts'
import { LABEL } from '../../src/reconcilers/names.ts'
import type { Failure, ImageState, NodeView, RouterView } from '../../src/reconcilers/observed.ts'
import type { ContainerSpec, Step } from '../../src/reconcilers/plan.ts'
import type {
  ContainerView,
  EngineErrorKind,
  EngineInfo,
  NetworkView,
  VolumeConfig,
  VolumeView,
} from '../../src/runtime/engine.ts'

export interface FakeNode {
  readonly name: string
  readonly reachable: boolean
  readonly info: EngineInfo | undefined
  readonly containers: ReadonlyMap<string, ContainerView>
  readonly networks: ReadonlyMap<string, NetworkView>
  readonly volumes: ReadonlyMap<string, VolumeView>
  readonly images: ReadonlyMap<string, ImageState>
  readonly files: ReadonlyMap<string, Readonly<Record<string, string>>>
  readonly put: ReadonlyMap<string, Readonly<Record<string, string>>>
  readonly tokens: ReadonlyMap<string, number>
  readonly router: RouterView
  /** names of containers whose postStart hook has ended well */
  readonly hooks: ReadonlySet<string>
  /** steps that fail, by `op target`, and how */
  readonly broken: ReadonlyMap<string, Pick<Failure, 'kind' | 'message'>>
  /** USER of images that have one */
  readonly users: ReadonlyMap<string, string>
  readonly serial: number
}

/** What the engine answers to a step that cannot be done. */
export class StepRefused extends Error {
  readonly kind: EngineErrorKind
  constructor(kind: EngineErrorKind, message: string) {
    super(message)
    this.kind = kind
  }
}

export function fakeNode(change: Partial<FakeNode> = {}): FakeNode {
  return {
    name: 'alpha',
    reachable: true,
    info: undefined,
    containers: new Map(),
    networks: new Map(),
    volumes: new Map(),
    images: new Map(),
    files: new Map(),
    put: new Map(),
    router: { connected: true, error: '', acknowledged: undefined, drift: [] },
    tokens: new Map(),
    hooks: new Set(),
    broken: new Map(),
    users: new Map(),
    serial: 0,
    ...change,
  }
}

export function viewOf(node: FakeNode): NodeView {
  const { name, reachable, info, containers, networks, volumes, images, files } = node
  const runs = [...containers.values()].some(({ labels, state }) => labels[LABEL.role] === 'router' && state === 'running')
  const router = { ...node.router, connected: node.router.connected && runs }
  return {
    name,
    reachable,
    error: reachable ? '' : 'no answer',
    info,
    containers,
    networks,
    volumes,
    images,
    files,
    put: node.put,
    tokens: node.tokens,
    router,
  }
}

/** The node after `step`. Errors: `StepRefused`. */
export function applyStep(node: FakeNode, step: Step, now: number): FakeNode {
  const broken = node.broken.get(`${step.op} ${step.target}`) ?? node.broken.get(`${step.op} *`)
  if (broken !== undefined) throw new StepRefused(broken.kind as EngineErrorKind, broken.message)
  switch (step.op) {
    case 'pull':
      return {
        ...node,
        images: added(node.images, step.imageKey, { id: `sha256:${step.image}`, user: node.users.get(step.image) ?? '' }),
      }
    case 'create':
      return createContainer(node, step.spec, now)
    case 'start': {
      const view = find(node, step.container)
      const startedSince = step.lastStart !== undefined && step.lastStart !== view.startedAt
      return startedSince ? node : startContainer(node, view, now)
    }
    case 'put':
      find(node, step.container)
      return putFiles(node, step, now)
    case 'hook':
      return step.phase === 'postStart' ? { ...node, hooks: new Set([...node.hooks, step.container]) } : node
    case 'stop':
      return endContainer(node, find(node, step.container).id, now, 143)
    case 'remove': {
      const gone = node.containers.get(step.container)
      return gone === undefined ? node : { ...node, containers: without(node.containers, gone.id) }
    }
    case 'rename':
      return change(node, step.container, () => ({ name: step.name }))
    case 'update':
      return change(node, step.container, (view) => ({
        restartPolicy: step.restartPolicy ?? view.restartPolicy,
        resources: { ...view.resources, ...step.resources },
      }))
    case 'unpause':
      return change(node, step.container, () => ({ state: 'running' }))
    case 'connect':
      return change(node, step.container, (view) => ({
        networks: { ...view.networks, [step.network]: { networkId: step.network, ip: step.ip, requestedIp: step.ip } },
      }))
    case 'createNetwork':
      return {
        ...node,
        networks: added(node.networks, step.network.name, { id: step.network.name, ...step.network, subnets: [] }),
      }
    case 'removeNetwork':
      return { ...node, networks: without(node.networks, step.network) }
    case 'createVolume':
      return {
        ...node,
        volumes: added(node.volumes, step.volume.name, { ...step.volume, mountpoint: mountpointOf(step.volume) }),
      }
    case 'removeVolume':
      return { ...node, volumes: without(node.volumes, step.volume), files: without(node.files, step.volume) }
    case 'route':
      return { ...node, router: { ...node.router, acknowledged: step.table, drift: [] } }
  }
}

function putFiles(node: FakeNode, { volume, files }: Extract<Step, { readonly op: 'put' }>, now: number): FakeNode {
  const signs = files.some(({ content }) => 'token' in content)
  const tokens = signs ? added(node.tokens, volume, now) : node.tokens
  const digests = Object.fromEntries(files.map(({ path, digest }) => [path, digest]))
  return { ...node, tokens, files: added(node.files, volume, digests), put: added(node.put, volume, digests) }
}

/** A container that has ended by itself, or was killed by somebody. */
export function endContainer(node: FakeNode, id: string, now: number, exitCode: number): FakeNode {
  return change(node, id, (view) => (view.state === 'running' ? { state: 'exited', exitCode, finishedAt: now, pid: 0 } : {}))
}

export function change(node: FakeNode, container: string, of: (view: ContainerView) => Partial<ContainerView>): FakeNode {
  const view = find(node, container)
  return { ...node, containers: added(node.containers, view.id, deepFreeze({ ...view, ...of(view) })) }
}

function createContainer(node: FakeNode, spec: ContainerSpec, now: number): FakeNode {
  if ([...node.containers.values()].some(({ name }) => name === spec.name))
    throw new StepRefused('conflict', `name ${spec.name} is in use`)
  const donor = spec.networkMode.startsWith('container:') ? find(node, spec.networkMode.slice('container:'.length)) : undefined
  const serial = node.serial + 1
  const id = serial.toString(16).padStart(64, '0')
  const view: ContainerView = {
    id,
    name: spec.name,
    image: spec.image,
    imageId: `sha256:${spec.image}`,
    labels: spec.labels,
    state: 'created',
    exitCode: 0,
    oomKilled: false,
    error: '',
    createdAt: now,
    startedAt: 0,
    finishedAt: 0,
    restartCount: 0,
    restartPolicy: spec.restartPolicy,
    resources: spec.resources,
    networkMode: donor === undefined ? spec.networkMode : `container:${donor.id}`,
    networks:
      donor === undefined ? { [spec.networkMode]: { networkId: spec.networkMode, ip: '', requestedIp: spec.ip ?? '' } } : {},
    mounts: spec.mounts.map(({ type, source, target, readOnly }) => ({
      type,
      name: type === 'volume' ? source : '',
      source,
      destination: target,
      readOnly,
    })),
    pid: 0,
  }
  return { ...node, serial, containers: added(node.containers, id, deepFreeze(view)) }
}

function startContainer(node: FakeNode, view: ContainerView, now: number): FakeNode {
  if (view.state === 'running') return node
  const donor = view.networkMode.startsWith('container:')
    ? node.containers.get(view.networkMode.slice('container:'.length))
    : undefined
  if (view.networkMode.startsWith('container:') && donor?.state !== 'running')
    throw new StepRefused('failed', 'cannot join network of a non running container')
  const addressOn = (network: string): string => (network === 'host' ? '' : '10.88.0.99')
  const own = Object.entries(view.networks).map(([network, at]) => [network, { ...at, ip: at.requestedIp || addressOn(network) }])
  return change(node, view.id, () => ({
    state: 'running',
    startedAt: now,
    finishedAt: 0,
    pid: 1,
    networks: Object.fromEntries(own),
  }))
}

function find(node: FakeNode, container: string): ContainerView {
  const view = node.containers.get(container) ?? [...node.containers.values()].find(({ name }) => name === container)
  if (view === undefined) throw new StepRefused('notFound', `no such container: ${container}`)
  return view
}

function added<T>(map: ReadonlyMap<string, T>, key: string, value: T): ReadonlyMap<string, T> {
  return new Map(map).set(key, value)
}

function without<T>(map: ReadonlyMap<string, T>, key: string): ReadonlyMap<string, T> {
  return new Map([...map].filter(([other]) => other !== key))
}

function mountpointOf({ name, driverOpts }: VolumeConfig): string {
  return driverOpts.o === 'bind' ? (driverOpts.device ?? '') : `/var/lib/volumes/${name}`
}
