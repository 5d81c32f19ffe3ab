/** What a simulated engine is made from. */
import type {
  ContainerConfig,
  ContainerView,
  EngineErrorKind,
  ExecStream,
  FileType,
  RegistryAuth,
} from '../../../src/runtime/engine.ts'
import type { Timers } from '../../../src/runtime/timers.ts'

/** How a process answers a signal: it ignores it, or ends with this code that long after. */
export type SignalAnswer = 'ignored' | { readonly exitCode: number; readonly afterMs: number }

/** What runs in a container, as data. The empty program runs for ever; signals end it only under an init. */
export interface Program {
  /** ends by itself, that long after its start */
  readonly exits?: { readonly exitCode: number; readonly afterMs: number; readonly oomKilled?: boolean }
  /** by name without `SIG`; absent means what the kernel does: 128 + number at once, and nothing where there is no init */
  readonly signals?: Readonly<Record<string, SignalAnswer>>
  /** how long the kernel takes to end it after SIGKILL */
  readonly killMs?: number
  /** the command is not there: the engine cannot start it */
  readonly missingCommand?: string
  readonly output?: readonly { readonly afterMs: number; readonly stream: 'stdout' | 'stderr'; readonly text: string }[]
  readonly cpuNanosPerMs?: number
  readonly memoryBytes?: number
}

export interface SimulatedImage {
  readonly ref: string
  /** `sha256:…`; absent means one made from `ref` */
  readonly id?: string
  readonly user?: string
  readonly hasHealthcheck?: boolean
  readonly exposedPorts?: readonly string[]
  readonly sizeBytes?: number
  /** its containers get them too */
  readonly labels?: Readonly<Record<string, string>>
  /** what is in its root filesystem, by absolute path; `/` and `/tmp` are always there */
  readonly files?: Readonly<Record<string, string>>
}

/** How a pull goes: the image, or the engine's error, after that long. */
export type Pull = { readonly afterMs: number } & (
  | { readonly image: SimulatedImage }
  | { readonly error: EngineErrorKind; readonly message: string }
)

/** How a command in a container ends. */
export interface Executed {
  readonly exitCode: number
  readonly output: string
  readonly afterMs?: number
}

/** What a container has been sent, and by what: an API call or the engine's own shutdown. */
export interface SignalRecord {
  readonly at: number
  readonly container: ContainerView
  readonly signal: string
  readonly by: 'stop' | 'kill' | 'remove' | 'engine' | 'world'
}

export interface SimulatedEngineOptions {
  readonly node: string
  readonly timers: Timers
  /** ms since the epoch, by the engine's clock */
  readonly now: () => number
  /** at least 0, below 1 */
  readonly random: () => number
  /** what runs in a container; `run` counts its starts from 0. Absent: the empty program everywhere. */
  readonly programs?: (config: ContainerConfig, run: number) => Program
  /** images that are there from the start */
  readonly images?: readonly SimulatedImage[]
  /** what the registries answer; absent: every image is missing */
  readonly registry?: (ref: string, auth: RegistryAuth | undefined) => Pull
  /**
   * How long a call takes before it has its effect, ms; 0 means the next microtask. `op` is the method's name; besides
   * those, `removal` is how long a container stays `removing`. Absent: 0 for everything.
   */
  readonly latency?: (op: string) => number
  /** what is on the engine's host and can be bind-mounted, besides what is in volumes, by path */
  readonly hostPaths?: Readonly<Record<string, FileType>>
  readonly exec?: (container: ContainerView, command: readonly string[]) => Executed | EngineFailure
  /** absent: a process that ends at once with code 0 */
  readonly execStream?: (container: ContainerView, command: readonly string[]) => ExecStream
  readonly liveRestore?: boolean
  /** called for every signal that a process gets, before it acts */
  readonly onSignal?: (record: SignalRecord) => void
  /** called when a process has started, and when it has ended */
  readonly onLife?: (container: ContainerView, what: 'start' | 'end') => void
}

/** A command that the engine cannot run: it hangs until the caller gives up. */
export type EngineFailure = 'hangs'
