/** The engine of a world, its router, and those who lay hands on it. */
import type { Edges } from '../../src/controller/edges.ts'
import { LABEL, SANDBOX } from '../../src/reconcilers/names.ts'
import type { RouteTable } from '../../src/reconcilers/routetable.ts'
import { type ContainerConfig, type ContainerView, type Engine, EngineError, type VolumeView } from '../../src/runtime/engine.ts'
import { EXCHANGE } from '../../src/runtime/inplace.ts'
import { visibleFiles } from '../../src/runtime/visible.ts'
import { containerConfig } from '../support/container.ts'
import { behaviourOf } from './behaviour.ts'
import type { Chance } from './chance.ts'
import type { VirtualClock } from './clock.ts'
import { SimulatedEngine } from './engine/engine.ts'
import type { Program } from './engine/options.ts'
import type { Fall } from './engine/power.ts'
import { type Files, viewOf } from './engine/state.ts'
import { exchange } from './exchange.ts'
import type { RanMs } from './livepods.ts'
import { NODE_FOLDER } from './manifests.ts'
import { probeRunner } from './probes.ts'
import { simulatedRouter } from './router.ts'
import type { Fault, Meddling } from './storm.ts'
import { type Trouble, troubled } from './trouble.ts'

export interface NodeWorld {
  readonly clock: VirtualClock
  readonly chance: Chance
  readonly tell: (text: string) => void
  readonly changed: () => void
  readonly served: (before: RouteTable | undefined, after: RouteTable | undefined) => void
  readonly signalled: (view: ContainerView, signal: string) => void
}

export interface SimulatedNode {
  /** as a new daemon gets it: with whatever trouble there is, and what it lists first is new */
  connect(): Engine
  readonly probeRunner: Edges['probeRunner']
  containers(): Iterable<ContainerView>
  readonly ranMs: RanMs
  /** names of the containers that can never start again, for their engine was killed while it started them */
  stuck(): readonly string[]
  volumes(): Iterable<VolumeView>
  /** what is in volumes of running pods and does not belong there, as `volume/path` */
  astray(): readonly string[]
  serving(): RouteTable | undefined
  isForeign(target: string): boolean
  strike(fault: Fault): void
  /** Whatever was in force is over. */
  calm(): void
}

export function openNode(world: NodeWorld): SimulatedNode {
  const { clock, chance, tell } = world
  const trouble: Trouble = { operations: 0, events: false, lists: false }
  let refusing = false
  const begun = new Map<string, number>()
  const ranMs: RanMs = ({ id }) => clock.elapsed() - (begun.get(id) ?? 0)
  let away = false
  /** what happens now is somebody's own doing */
  let meddling = false

  const router = simulatedRouter({
    timers: clock.timers,
    latency: () => chance.int(1, 30),
    refuse: () => (refusing && chance.oneIn(2) ? 'trouble' : ''),
    served(before, after) {
      world.served(before, after)
      world.changed()
    },
  })
  const engine = new SimulatedEngine({
    node: 'alpha',
    timers: clock.timers,
    now: clock.now,
    random: chance.next,
    images: [{ ref: 'node:sim' }, { ref: 'foreign:1' }],
    registry: (ref) => {
      const afterMs = chance.int(100, 5_000)
      return behaviourOf(ref).kind === 'gone'
        ? { afterMs, error: 'imageNotFound', message: `manifest for ${ref} not found` }
        : { afterMs, image: { ref } }
    },
    programs: programOf,
    latency: (op) => latency(chance, op),
    liveRestore: chance.oneIn(2),
    hostPaths: { [NODE_FOLDER]: 'directory' },
    exec: (view, command) => {
      const [, , , script, folder = '', version = ''] = command
      const mount = view.mounts.find(({ destination }) => destination === folder)
      const files = engine.raw.volumes.get(mount?.name ?? '')?.files
      if (script !== EXCHANGE || files === undefined) return { exitCode: 0, output: '' }
      // Now and then it is killed before it has come to its end.
      const ended = exchange(files, version, chance.oneIn(10) ? chance.int(0, 3) : undefined)
      return { exitCode: ended ? 0 : 137, output: '' }
    },
    execStream: (view, command) => {
      if (view.labels[LABEL.role] !== 'router') throw new Error(`nothing is streamed to ${view.name}`)
      return router.connect(command[1] ?? '')
    },
    onLife(view, what) {
      if (what === 'start') begun.set(view.id, clock.elapsed())
      tell(`engine: ${view.name} ${what === 'start' ? 'starts' : `ends with ${view.exitCode}`}`)
      if (view.labels[LABEL.role] === 'router') what === 'start' ? router.started() : router.stopped()
      world.changed()
    },
    onSignal({ container, signal, by }) {
      if (!meddling && by !== 'engine') world.signalled(container, signal)
    },
  })
  const views = (): ContainerView[] => [...engine.raw.containers.values()].map(viewOf)
  const foreign = strangers(engine)

  const later = (ms: number, what: () => void): void => void clock.timers.setTimeout(what, ms)
  const wait = (ms: number): Promise<void> => new Promise((resolve) => later(ms, resolve))
  const ours = (test: (view: ContainerView) => boolean): ContainerView[] =>
    views().filter((view) => view.labels[LABEL.cluster] !== undefined && test(view))

  /** Nobody reaches the engine for a while; one thing at a time. */
  async function disconnect(forMs: number): Promise<void> {
    if (away) return
    away = true
    engine.world.disconnectEngine()
    await wait(forMs)
    engine.world.reconnectEngine()
    away = false
    tell('world: the engine answers')
  }

  async function fall(how: Fall, downMs: number): Promise<void> {
    if (away) return
    away = true
    await engine.world.down(how)
    await wait(downMs)
    engine.world.up()
    away = false
    tell('world: the engine is back')
  }

  function meddle(how: Meddling): void {
    const apps = ours(
      ({ labels, state }) => labels[LABEL.role] === 'pod' && labels[LABEL.containerName] !== SANDBOX && state === 'running',
    )
    const sandboxes = ours(({ labels, state }) => labels[LABEL.containerName] === SANDBOX && state === 'running')
    const routers = ours(({ labels }) => labels[LABEL.role] === 'router')
    const victims =
      how === 'removeRouter' || how === 'killRouter'
        ? routers
        : how === 'removeSandbox' || how === 'disconnect'
          ? sandboxes
          : apps
    const [victim] = victims.length === 0 ? [] : [chance.pick(victims)]
    if (victim === undefined || away) return
    tell(`world: somebody does ${how} to ${victim.name}`)
    meddling = true
    try {
      layHandsOn(victim, how)
    } catch (error) {
      if (!(error instanceof EngineError)) throw error
      tell(`world: in vain: ${error.message}`)
    } finally {
      meddling = false
    }
  }

  function layHandsOn({ id, labels, networks }: ContainerView, how: Meddling): void {
    const hands = engine.world
    switch (how) {
      case 'kill':
      case 'killRouter':
        hands.kill(id)
        break
      case 'stop':
        hands.exit(id, 137)
        break
      case 'pause':
        hands.pause(id)
        break
      case 'remove':
      case 'removeSandbox':
      case 'removeRouter':
        hands.remove(id).catch((error: unknown) => tell(`world: in vain: ${String(error)}`))
        break
      case 'rename':
        hands.rename(id, `renamed-${chance.int(0, 1_000_000)}`)
        break
      case 'update':
        hands.update(id, { resources: { memoryBytes: 2 ** 26 } })
        break
      case 'disconnect':
        for (const network of Object.keys(networks)) hands.disconnect(network, id)
        break
      case 'copy':
        hands.run({ ...plain(`copy-${chance.int(0, 1_000_000)}`, 'foreign:1'), labels })
        break
      case 'editFile':
        editSomeFile()
        break
    }
  }

  function editSomeFile(): void {
    const written = [...engine.raw.volumes.values()].filter(
      ({ view, files }) => view.labels[LABEL.podUid] !== undefined && files.size > 0,
    )
    if (written.length === 0) return
    const { view, files } = chance.pick(written)
    engine.world.edit(view.name, [...files.keys()][0] ?? '', 'edited by hand')
  }

  return {
    connect: () => troubled(engine, trouble, { clock, chance }),
    probeRunner: probeRunner({
      timers: clock.timers,
      ranMs,
      latency: () => chance.int(1, 20),
      container(id) {
        const found = engine.raw.findContainer(id)
        return found === undefined ? undefined : viewOf(found)
      },
    }),
    containers: views,
    ranMs,
    stuck: () => [...engine.raw.containers.values()].filter(({ taskLeft }) => taskLeft).map(({ name }) => name),
    volumes: () => [...engine.raw.volumes.values()].map(({ view }) => view),
    astray: () =>
      ours(({ state, labels }) => state === 'running' && labels[LABEL.containerName] === SANDBOX)
        .flatMap(({ mounts }) => mounts.map(({ name }) => name))
        .flatMap((name) => astrayIn(name, engine.raw.volumes.get(name)?.files ?? new Map())),
    serving: router.serving,
    isForeign: (target) => foreign.has(target),
    strike(fault) {
      switch (fault.kind) {
        case 'meddle':
          return meddle(fault.how)
        case 'engineTrouble':
          trouble.operations = fault.oneIn
          return later(fault.forMs, () => {
            trouble.operations = 0
          })
        case 'eventTrouble':
          trouble.events = true
          return later(fault.forMs, () => {
            trouble.events = false
          })
        case 'staleLists':
          trouble.lists = true
          return later(fault.forMs, () => {
            trouble.lists = false
          })
        case 'engineUnreachable':
          void disconnect(fault.forMs)
          return
        case 'engineFalls':
          void fall(fault.how, fault.downMs)
          return
        case 'routerRefuses':
          refusing = true
          return later(fault.forMs, () => {
            refusing = false
          })
        case 'flushRouter':
          return router.flush(fault.what)
        default:
          throw new Error(`a node knows nothing of ${fault.kind}`)
      }
    },
    calm() {
      trouble.operations = 0
      trouble.events = false
      trouble.lists = false
      refusing = false
    },
  }
}

function programOf({ image, env }: ContainerConfig): Program {
  const behaviour = behaviourOf(image)
  switch (behaviour.kind) {
    case 'crash':
      // As programs do whose configuration is wrong: they print all of it.
      return {
        exits: { exitCode: 1, afterMs: Math.max(1, behaviour.afterMs) },
        output: env.map((text) => ({ afterMs: 0, stream: 'stderr', text })),
      }
    case 'init':
      return {
        exits: { exitCode: 0, afterMs: Math.max(1, behaviour.afterMs) },
        signals: { TERM: { exitCode: 143, afterMs: 10 } },
      }
    case 'done':
      return { exits: { exitCode: 0, afterMs: Math.max(1, behaviour.afterMs) } }
    case 'deaf':
      return { signals: { TERM: 'ignored' } }
    default:
      return { signals: { TERM: { exitCode: 0, afterMs: 10 } } }
  }
}

/** What is left over of versions of its files, and links that lead to nothing. */
function astrayIn(volume: string, all: Files): string[] {
  const entries = [...all].map(([path, { link }]) => ({ path, target: link }))
  const { files, astray } = visibleFiles(
    entries.filter(({ target }) => target === undefined),
    entries.flatMap(({ path, target }) => (target === undefined ? [] : [{ path, target }])),
  )
  return [...astray, ...[...files.keys()].filter((path) => path.startsWith('..'))].map((path) => `${volume}/${path}`)
}

/** ms: about what Docker takes. */
function latency(chance: Chance, op: string): number {
  switch (op) {
    case 'createContainer':
    case 'startContainer':
      return chance.int(40, 240)
    case 'removeContainer':
    case 'removal':
    case 'exec':
    case 'execStream':
      return chance.int(20, 80)
    default:
      return chance.int(1, 10)
  }
}

/** Containers, a network and a volume that are none of our business, under names that look like ours. */
function strangers(engine: SimulatedEngine): ReadonlySet<string> {
  const names = ['k8s_main_w0-abc-def_shop_0_0', 'trireme-sim-edge-shop-w0x', 'database']
  const containers = names.flatMap((name) => [name, engine.world.run(plain(name, 'foreign:1'))])
  engine.world.keep({ name: FOREIGN_VOLUME, labels: { 'trireme.cluster': 'another' }, driver: 'local', driverOpts: {} })
  return new Set([...containers, FOREIGN_VOLUME])
}

const FOREIGN_VOLUME = 'trireme-other-0-data'

function plain(name: string, image: string): ContainerConfig {
  return containerConfig({ name, image, labels: { 'io.kubernetes.pod.name': 'w0' } })
}
