/** What a simulated engine holds, raw: everything is plain and may be looked at by checkers. */
import type {
  ContainerConfig,
  ContainerState,
  ContainerView,
  EngineError,
  ImageView,
  LogLine,
  NetworkAttachment,
  NetworkView,
  ResourceLimits,
  RestartPolicy,
  VolumeView,
} from '../../../src/runtime/engine.ts'
import type { Program } from './options.ts'

/** Files and symbolic links by path relative to the root of their filesystem; folders are where files are. */
export type Files = Map<string, { readonly mode: number; readonly bytes: Uint8Array; readonly link?: string }>

/** What containers that share an address share. Dead once its owner has stopped, whoever still runs in it. */
export interface NetworkNamespace {
  alive: boolean
}

/** One run of a container's process. */
export interface Run {
  readonly program: Program
  readonly namespace: NetworkNamespace
  /** timers to be called off at its end */
  readonly timers: Set<unknown>
  /** SIGKILL is on its way */
  killed: boolean
  /** what it would have done while it was paused */
  readonly frozen: (() => void)[]
}

export interface RawContainer {
  readonly id: string
  readonly config: ContainerConfig
  readonly imageId: string
  /** the image's and its own */
  readonly labels: Readonly<Record<string, string>>
  name: string
  state: ContainerState
  exitCode: number
  oomKilled: boolean
  error: string
  readonly createdAt: number
  startedAt: number
  finishedAt: number
  restartCount: number
  restartPolicy: RestartPolicy
  resources: ResourceLimits
  readonly networkMode: string
  /** by the network's name, in the order they were attached */
  readonly endpoints: Map<string, NetworkAttachment>
  /** whether it has ever had an endpoint */
  networked: boolean
  readonly mounts: ContainerView['mounts']
  readonly files: Files
  readonly logs: (LogLine & { readonly at: number })[]
  pid: number
  /** while a process exists: running or paused */
  run: Run | undefined
  runs: number
  /** an API call has stopped or killed it since its last start */
  manuallyStopped: boolean
  /** Docker's restart policy has been told to let go */
  restartsCanceled: boolean
  backoffMs: number
  restartTimer: unknown
  removing: boolean
  /** below the engine a task of its id is left, from a start during which the engine was killed: no start succeeds any more */
  taskLeft: boolean
  /** removals that fail before one succeeds */
  stuckRemovals: number
  /** called at each end of its process, and when a restart is called off */
  readonly waiters: Set<() => void>
  /** who is attached to it, told when its process ends, or why the connection broke */
  readonly attached: Set<(error: EngineError | undefined) => void>
  view: ContainerView | undefined
}

export interface RawNetwork {
  readonly view: NetworkView
  readonly pool: { readonly first: number; readonly last: number; readonly from: number; readonly to: number } | undefined
  /** addresses in use, the gateway's among them */
  readonly used: Set<number>
  /** ids of running containers with an endpoint in it */
  readonly members: Set<string>
}

export interface RawVolume {
  readonly view: VolumeView
  readonly inMemory: boolean
  readonly hasOptions: boolean
  files: Files
  /** ids of running containers that mount it */
  readonly mountedBy: Set<string>
}

export interface RawImage {
  readonly view: ImageView
  readonly labels: Readonly<Record<string, string>>
  readonly files: Readonly<Record<string, string>>
}

export const hasProcess = ({ state }: RawContainer): boolean => state === 'running' || state === 'paused'

/** What the port shows of a container; the same frozen value until something changes. */
export function viewOf(container: RawContainer): ContainerView {
  container.view ??= Object.freeze({
    id: container.id,
    name: container.name,
    image: container.config.image,
    imageId: container.imageId,
    labels: container.labels,
    state: container.removing ? 'removing' : container.state,
    exitCode: container.exitCode,
    oomKilled: container.oomKilled,
    error: container.error,
    createdAt: container.createdAt,
    startedAt: container.startedAt,
    finishedAt: container.finishedAt,
    restartCount: container.restartCount,
    restartPolicy: container.restartPolicy,
    resources: container.resources,
    networkMode: container.networkMode,
    networks: Object.freeze(Object.fromEntries([...container.endpoints].sort(([a], [b]) => (a < b ? -1 : 1)))),
    mounts: container.mounts,
    pid: container.pid,
  })
  return container.view
}

/** The same labels in the engine's order. */
export function sortedLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.freeze(Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))))
}

/** Whether `labels` has all of `wanted`: `key` or `key=value`. */
export function labelFilter(wanted: readonly string[]): (labels: Readonly<Record<string, string>>) => boolean {
  const pairs = wanted.map((text) => {
    const at = text.indexOf('=')
    return at < 0 ? { key: text, value: undefined } : { key: text.slice(0, at), value: text.slice(at + 1) }
  })
  return (labels) => pairs.every(({ key, value }) => (value === undefined ? key in labels : labels[key] === value))
}
