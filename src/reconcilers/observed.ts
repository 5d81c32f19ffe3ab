/** What planners see of the engines: frozen snapshots, grouped by pod. */
import type { ContainerView, EngineErrorKind, EngineInfo, NetworkView, VolumeView } from '../runtime/engine.ts'
import type { RouteTable } from './routetable.ts'

/** An image on a node, known from a finished `pull` step. */
export interface ImageState {
  readonly id: string
  /** the image's USER, `''` for root */
  readonly user: string
}

/** One node as last observed. */
export interface NodeView {
  readonly name: string
  readonly reachable: boolean
  /** why not, `''` when reachable */
  readonly error: string
  readonly info: EngineInfo | undefined
  readonly containers: ReadonlyMap<string, ContainerView>
  readonly networks: ReadonlyMap<string, NetworkView>
  readonly volumes: ReadonlyMap<string, VolumeView>
  /** by image key, see the `pull` step */
  readonly images: ReadonlyMap<string, ImageState>
  /** by volume name: path to digest of the files last put or read back */
  readonly files: ReadonlyMap<string, Readonly<Record<string, string>>>
  /** the same of the files last put, by this daemon: what differs from that has been changed from outside */
  readonly put: ReadonlyMap<string, Readonly<Record<string, string>>>
  /** by volume name: when the tokens in it were signed, by this daemon, ms since the epoch; `undefined` for none of its own */
  readonly tokens: { get(volume: string): number | undefined }
  readonly router: RouterView
}

export interface RouterView {
  readonly connected: boolean
  /** why not, `''` when connected */
  readonly error: string
  /** the table the router has last acknowledged */
  readonly acknowledged: RouteTable | undefined
  /** a table on its way there, which may or may not be served already */
  readonly applying?: RouteTable | undefined
  /** the live rules or names no longer are what was acknowledged */
  readonly drift: readonly ('routes' | 'dns')[]
  /** a large table has just been sent, and the next one has a moment to wait */
  readonly resting?: boolean
  /** the router last seen running on its network, by its spec label: when it is missing, somebody removed it */
  readonly seen?: string
}

/** An engine that mounts a part of a volume itself, which Docker does from API 1.45 (26.0) on. */
export function mountsParts(info: EngineInfo | undefined): boolean {
  const [major = 0, minor = 0] = (info?.apiVersion ?? '').split('.').map(Number)
  return major > 1 || (major === 1 && minor >= 45)
}

/** A container with times that lie in the past, whatever has become of the clock since. */
export interface PodContainer extends ContainerView {
  /** `startedAt` as its engine has it, where that lies ahead */
  readonly startedAhead?: number
}

/** The containers of one pod, found by label. */
export interface ObservedPod {
  readonly uid: string
  readonly name: string
  readonly namespace: string
  /** `Kind/namespace/name` of the workload */
  readonly owner: string
  readonly node: string
  readonly sandbox: PodContainer | undefined
  /** by container name, attempts in ascending order */
  readonly containers: ReadonlyMap<string, readonly PodContainer[]>
}

/** Whether a declared port has begun to listen, of a container that has no probe to say so. */
export type PortKind = `port ${number}`
export type ProbeKind = 'liveness' | 'readiness' | 'startup' | 'storage' | PortKind

/** The state of one probe of one running container. */
export interface ProbeState {
  /** after thresholds: `unknown` until the first threshold is met */
  readonly result: 'unknown' | 'success' | 'failure'
  /** ms since the epoch of the last change of `result` */
  readonly since: number
  /** what the last attempt said, one line, such as `HTTP 503` or `connection refused` */
  readonly lastAnswer: string
}

export type ContainerProbes = Readonly<Partial<Record<ProbeKind, ProbeState>>>

/** Where a container leaves the message that it ends with. */
export interface MessageSource {
  readonly path: string
  /** the end of its log counts where that file says nothing */
  readonly fromLog: boolean
}

/** A step that has failed and is held back. */
export interface Failure {
  readonly count: number
  readonly kind: EngineErrorKind | 'config' | 'mount'
  readonly message: string
  readonly firstAt: number
  readonly lastAt: number
  /** not tried again before, ms since the epoch */
  readonly nextAt: number
}
