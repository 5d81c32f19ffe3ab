/**
 * The port to one node: a Docker Engine as Trireme needs it.
 *
 * Two implementations share one contract suite: `runtime/docker` and the simulated engine. Every
 * method is one engine operation; none retries and none decides. All failures are `EngineError`s.
 */

export type EngineErrorKind =
  | 'notFound' /** no such container, network, volume or image (404) */
  | 'conflict' /** name in use, or the state forbids the operation (409) */
  | 'inProgress' /** the same removal is already under way (409) */
  | 'portTaken' /** a host port is in use; the container stays `created` */
  | 'addressTaken' /** the requested network address is in use */
  | 'imageNotFound' /** no such image, locally or in its registry */
  | 'imageDenied' /** the registry refuses these credentials */
  | 'invalid' /** the engine refuses the request (400) */
  | 'noSpace' /** no space left on the engine's disk */
  | 'unreachable' /** no answer from the engine at all */
  | 'timeout'
  | 'failed' /** everything else; `message` says what the engine said */

export class EngineError extends Error {
  readonly kind: EngineErrorKind
  constructor(kind: EngineErrorKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'EngineError'
    this.kind = kind
  }
}

export interface EngineInfo {
  readonly id: string
  readonly name: string
  readonly version: string
  readonly apiVersion: string
  readonly os: string
  readonly architecture: string
  readonly kernel: string
  readonly cpus: number
  readonly memoryBytes: number
  readonly storageDriver: string
  readonly cgroupVersion: string
  readonly liveRestore: boolean
  readonly securityOptions: readonly string[]
  /** Engine start cannot be asked for; the same id with a later event stream means a restart. */
  readonly warnings: readonly string[]
  /** names of the container runtimes it knows */
  readonly runtimes: readonly string[]
}

export type ContainerState = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead'

/** What a container may use. Absent means unlimited (or the engine's default). */
export interface ResourceLimits {
  readonly memoryBytes?: number
  /** microseconds of CPU per 100 000 µs period */
  readonly cpuQuota?: number
  readonly cpuShares?: number
}

export type RestartPolicy = 'no' | 'always' | 'unless-stopped' | 'on-failure'

/** A container as observed. Environment and command are left out on purpose: they may hold secrets. */
export interface ContainerView {
  readonly id: string
  /** without the leading slash */
  readonly name: string
  readonly image: string
  readonly imageId: string
  readonly labels: Readonly<Record<string, string>>
  readonly state: ContainerState
  readonly exitCode: number
  readonly oomKilled: boolean
  /** the engine's own error of the last start, `''` when there was none */
  readonly error: string
  /** ms since the epoch; 0 when it never happened */
  readonly createdAt: number
  readonly startedAt: number
  readonly finishedAt: number
  /** starts by Docker's own restart policy */
  readonly restartCount: number
  readonly restartPolicy: RestartPolicy
  readonly resources: ResourceLimits
  /** `bridge`, a network's name, or `container:<id>` */
  readonly networkMode: string
  readonly networks: Readonly<Record<string, NetworkAttachment>>
  readonly mounts: readonly {
    readonly type: string
    readonly name: string
    readonly source: string
    readonly destination: string
    readonly readOnly: boolean
  }[]
  readonly pid: number
}

export interface NetworkAttachment {
  readonly networkId: string
  /** `''` while the container is not running */
  readonly ip: string
  /** the address asked for at create, `''` if Docker chose */
  readonly requestedIp: string
}

export interface NetworkView {
  readonly id: string
  readonly name: string
  readonly driver: string
  readonly labels: Readonly<Record<string, string>>
  readonly subnets: readonly { readonly subnet: string; readonly ipRange: string; readonly gateway: string }[]
}

export interface VolumeView {
  readonly name: string
  readonly driver: string
  readonly labels: Readonly<Record<string, string>>
  /** path on the engine's host, of a volume that stands for a folder of the host that folder */
  readonly mountpoint: string
}

export interface ImageView {
  readonly id: string
  readonly tags: readonly string[]
  readonly digests: readonly string[]
  /** the image's USER, `''` for root */
  readonly user: string
  readonly hasHealthcheck: boolean
  readonly exposedPorts: readonly string[]
  readonly sizeBytes: number
}

export interface PortBinding {
  readonly hostIp: string
  readonly hostPort: number
  readonly containerPort: number
  readonly protocol: 'tcp' | 'udp'
}

export interface Mount {
  readonly type: 'volume' | 'bind' | 'tmpfs'
  /** a volume's name or a path on the engine's host; unused for tmpfs */
  readonly source: string
  readonly target: string
  readonly readOnly: boolean
  /** what a volume is made of that is gone when the container is made: Docker makes it then, and of nothing unless told */
  readonly volume?: VolumeConfig
  /** the part of a volume that is mounted, a relative path that exists; only for engines that `mountsParts` says can do it */
  readonly part?: string
  /** a folder that is made when the bind's source is not there; without it that is `invalid` */
  readonly create?: boolean
  /** for binds: absent means that mounts made later, on either side, stay on that side */
  readonly propagation?: 'rslave' | 'rshared'
}

/** Everything a container is made from, in the engine's terms. Values are plain: secrets are already resolved. */
export interface ContainerConfig {
  readonly name: string
  readonly image: string
  readonly entrypoint?: readonly string[]
  readonly cmd?: readonly string[]
  /** `NAME=value` */
  readonly env: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  readonly user?: string
  readonly workingDir?: string
  readonly hostname?: string
  readonly domainname?: string
  readonly tty: boolean
  readonly openStdin: boolean
  readonly stdinOnce: boolean
  readonly stopSignal?: string
  /** how long the engine waits for its end when it stops by itself, as at its own shutdown, s; absent means its default, 10 */
  readonly stopTimeoutSeconds?: number
  readonly restartPolicy: RestartPolicy
  readonly init: boolean
  readonly resources: ResourceLimits
  readonly oomScoreAdj: number
  readonly mounts: readonly Mount[]
  /** Either the name of a network to attach to, `none`, `host`, or `container:<id>`. */
  readonly networkMode: string
  /** the address on that network; absent means Docker chooses */
  readonly ip?: string
  readonly portBindings: readonly PortBinding[]
  readonly dns: readonly string[]
  readonly dnsSearch: readonly string[]
  readonly dnsOptions: readonly string[]
  /** `host:ip` */
  readonly extraHosts: readonly string[]
  readonly sysctls: Readonly<Record<string, string>>
  readonly capAdd: readonly string[]
  readonly capDrop: readonly string[]
  readonly privileged: boolean
  readonly readonlyRootfs: boolean
  /** such as `no-new-privileges` and `seccomp=…` */
  readonly securityOpt: readonly string[]
  readonly groupAdd: readonly string[]
  /** of the engine's own; absent means its default */
  readonly runtime?: string
  /** devices of the node, by path, to read and write */
  readonly devices?: readonly string[]
  /** GPUs by the number or the id that NVIDIA's driver gives them */
  readonly gpus?: readonly string[]
  /** all of /proc, as the host has it */
  readonly unmaskedProc?: true
  readonly pidMode?: string
  readonly ipcMode?: string
  /** switch off the image's own HEALTHCHECK */
  readonly noHealthcheck: boolean
  readonly logMaxBytes: number
  readonly logMaxFiles: number
}

export interface NetworkConfig {
  readonly name: string
  readonly driver: string
  readonly subnet: string
  readonly ipRange: string
  readonly gateway: string
  readonly labels: Readonly<Record<string, string>>
  readonly options: Readonly<Record<string, string>>
}

export interface VolumeConfig {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly driver: string
  readonly driverOpts: Readonly<Record<string, string>>
}

export interface EngineEvent {
  readonly type: 'container' | 'network' | 'volume' | 'image' | 'daemon' | 'other'
  readonly action: string
  /** id of the container, network or volume */
  readonly id: string
  /** for network events: the container concerned, else `''` */
  readonly container: string
  readonly attributes: Readonly<Record<string, string>>
  readonly timeMs: number
}

export interface LogLine {
  readonly stream: 'stdout' | 'stderr'
  /** RFC 3339 with nanoseconds when timestamps were asked for, else `''` */
  readonly timestamp: string
  readonly text: string
}

export interface LogOptions {
  /** lines from the end; absent means all */
  readonly tail?: number
  /** ms since the epoch */
  readonly sinceMs?: number
  readonly follow?: boolean
  readonly timestamps?: boolean
}

export interface ContainerStats {
  readonly cpuNanos: number
  readonly memoryUsageBytes: number
  readonly memoryWorkingSetBytes: number
  readonly memoryRssBytes: number
  readonly readAt: number
}

/** What is at a path. `pipe` is a named one; `other` is what no file system of Linux has. */
export type FileType = 'directory' | 'file' | 'link' | 'socket' | 'pipe' | 'characterDevice' | 'blockDevice' | 'other'

export interface ExecResult {
  readonly exitCode: number
  /** standard output and error together, cut at `maxBytes` */
  readonly output: string
}

/** A process in a container with its standard streams attached. */
export interface ExecStream {
  write(data: string | Uint8Array): Promise<void>
  /** standard output, as it comes; ends when the process does */
  readonly output: AsyncIterable<Uint8Array>
  /** closes standard input and drops the connection */
  close(): void
}

export interface RegistryAuth {
  readonly username?: string
  readonly password?: string
  readonly identityToken?: string
  readonly serverAddress?: string
}

export interface Engine {
  /** the node's name, as in status and metrics */
  readonly node: string

  info(): Promise<EngineInfo>
  /** All containers, running or not, that carry every one of `labels` (`key` or `key=value`), fully inspected. */
  listContainers(labels: readonly string[]): Promise<ContainerView[]>
  /** `undefined` when there is none. */
  inspectContainer(id: string): Promise<ContainerView | undefined>
  listNetworks(labels: readonly string[]): Promise<NetworkView[]>
  listVolumes(labels: readonly string[]): Promise<VolumeView[]>
  inspectImage(ref: string): Promise<ImageView | undefined>
  /**
   * The first is `{type: 'other', action: 'subscribed'}`, once the engine has taken the subscription: a list
   * asked for after it misses nothing. `sinceMs` 0 replays nothing. Ends when the connection does, with an
   * `unreachable` error, or quietly when `signal` aborts.
   */
  events(sinceMs: number, signal: AbortSignal): AsyncIterable<EngineEvent>
  logs(id: string, options: LogOptions, signal?: AbortSignal): AsyncIterable<LogLine>
  stats(id: string): Promise<ContainerStats>
  /** Bytes that a container has written to its own file system, beside its image and its volumes. The engine counts them file by file. */
  writtenBytes(id: string): Promise<number>
  /**
   * Bytes in each volume of the local driver that has no options, by name. The engine counts all of them, file by file, and
   * may refuse (`failed`) while it counts already.
   */
  volumeBytes(): Promise<ReadonlyMap<string, number>>

  /** Resolves with the image id once the pull is complete. */
  pullImage(ref: string, auth: RegistryAuth | undefined, signal?: AbortSignal): Promise<string>
  createContainer(config: ContainerConfig): Promise<string>
  startContainer(id: string): Promise<void>
  /** SIGTERM (or the container's stop signal), then SIGKILL after `graceSeconds`. Already stopped is success. */
  stopContainer(id: string, graceSeconds: number): Promise<void>
  killContainer(id: string, signal: string): Promise<void>
  /** Kills it if need be; its anonymous volumes go too. Already gone is success. */
  removeContainer(id: string): Promise<void>
  renameContainer(id: string, name: string): Promise<void>
  updateContainer(
    id: string,
    change: { readonly resources?: ResourceLimits; readonly restartPolicy?: RestartPolicy },
  ): Promise<void>
  unpauseContainer(id: string): Promise<void>

  createNetwork(config: NetworkConfig): Promise<string>
  /** Already gone is success. */
  removeNetwork(id: string): Promise<void>
  connectNetwork(network: string, containerId: string, ip: string | undefined): Promise<void>
  disconnectNetwork(network: string, containerId: string): Promise<void>
  /** Same name and same labels is success. */
  createVolume(config: VolumeConfig): Promise<void>
  /** Already gone is success; in use is `conflict`. */
  removeVolume(name: string): Promise<void>
  /** Unpacks an uncompressed tar at `path`; works on a created container too. */
  putArchive(id: string, path: string, tar: Uint8Array): Promise<void>
  /**
   * What is at `path` in a container, running or not: of what is mounted there, the thing itself, and of a link the link.
   * `notFound` when there is nothing. The source of a bind that is to be made is made for it.
   */
  fileType(id: string, path: string): Promise<FileType>
  /** The tar of `path`; `failed` when it is over `maxBytes`. */
  getArchive(id: string, path: string, maxBytes: number): Promise<Uint8Array>

  exec(
    id: string,
    command: readonly string[],
    options: { readonly timeoutMs: number; readonly maxBytes: number; readonly signal?: AbortSignal },
  ): Promise<ExecResult>
  execStream(id: string, command: readonly string[]): Promise<ExecStream>
}
