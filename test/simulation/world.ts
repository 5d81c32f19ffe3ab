/** A simulated world: one engine, its router, a repository and a daemon, and what befalls them, all from one seed. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StoreError } from '../../src/store/error.ts'
import type { Store } from '../../src/store/store.ts'
import { type Application, changeApplication, makeApplication } from './application.ts'
import { chance as chanceOf } from './chance.ts'
import { virtualClock } from './clock.ts'
import { type Daemon, startDaemon } from './daemon.ts'
import { filesOf } from './manifests.ts'
import type { Witness } from './mortal.ts'
import { openNode, type SimulatedNode } from './node.ts'
import { type Commit, type Files, repository } from './repository.ts'
import { createSafety, type Safety, Violation } from './safety.ts'
import { type Climate, calmFault, climate, type Fault, roughFault } from './storm.ts'

/** 2026-01-01T00:00:00Z */
const EPOCH_MS = 1_767_225_600_000

/** In memory where there is such a place: a simulated disk is as durable as it has to be. */
const scratch = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** What a commit does: it changes something, takes back everything since an earlier one, or breaks a file. */
const COMMITS = [
  [12, 'change'],
  [2, 'revert'],
  [1, 'mistake'],
] as const
const BROKEN: Files = { 'w0.yaml': 'kind: Deployment\n  metadata: [', 'more.yaml': 'apiVersion: v1\nkind: Konfigmap\n' }

export interface World {
  readonly seed: number
  readonly climate: Climate
  readonly trace: readonly string[]
  readonly tally: Tally
  elapsed(): number
  now(): number
  application(): Application
  head(): Commit
  daemon(): Daemon | undefined
  node: SimulatedNode
  /** Lets time pass. Throws the first `Violation`. */
  run(untilMs: number, done?: () => boolean): Promise<void>
  strike(fault: Fault): void
  commit(next: Application, message: string): void
  /** Commits and faults begin, and go on until `calm` is called. */
  storm(): void
  /** Whatever was in force is over: the remote answers, the disk is free, a daemon runs. */
  calm(): void
  /** Schedules are suspended: nothing is due any more. */
  suspend(): void
  /** Changes that the daemon has asked of the engine so far. */
  changes(): readonly string[]
  close(): void
}

export interface Tally {
  commits: number
  faults: Record<string, number>
  daemons: number
  operations: number
}

/** @param given a climate, and an application to begin with, instead of those that chance chooses */
export function createWorld(seed: number, given: { readonly climate?: Climate; readonly application?: Application } = {}): World {
  const chance = chanceOf(seed)
  const weather = given.climate ?? climate(chance)
  const clock = virtualClock(EPOCH_MS)
  const folder = mkdtempSync(join(scratch, 'trireme-sim-'))
  const trace: string[] = []
  const tally: Tally = { commits: 0, faults: {}, daemons: 0, operations: 0 }
  const mirror = new Map<string, Commit>()
  const wishes = chance.fork()
  let application = given.application ?? makeApplication(wishes, weather.size)
  const past = [application]
  let storming = false
  let daemon: Daemon | undefined
  let second: Daemon | undefined
  let stores = 0
  let rivals = 0
  let fullUntil = 0
  let fuse: { left: number; readonly done: boolean; readonly downMs: number } | undefined
  let violation: Violation | undefined
  let changes: string[] = []

  const tell = (text: string): void => {
    trace.push(`${(clock.elapsed() / 1000).toFixed(3).padStart(9)} ${text}`)
  }
  const guard = (work: () => void): void => {
    try {
      work()
    } catch (error) {
      if (!(error instanceof Violation)) throw error
      violation ??= error
    }
  }
  const later = (ms: number, what: () => void): void => void clock.timers.setTimeout(what, ms)

  let looking: Safety | undefined
  const node = openNode({
    clock,
    chance: chance.fork(),
    tell,
    changed: () => guard(() => looking?.look()),
    served: (before, after) => guard(() => looking?.served(before, after)),
    signalled: (view, signal) => guard(() => looking?.signalled(view, signal)),
  })
  const safety = createSafety({
    ranMs: (view) => node.ranMs(view),
    elapsed: () => clock.elapsed(),
    containers: () => node.containers(),
    volumes: () => [...node.volumes()],
    daemon: () => daemon,
    serving: () => node.serving(),
    isForeign: (target) => node.isForeign(target),
    calm: weather.calm,
  })
  looking = safety
  const repo = repository({ timers: clock.timers, now: clock.now, latency: () => chance.int(20, 300) })
  const witness: Witness = {
    before(op, args) {
      tally.operations += 1
      guard(() => safety.asked(op, args))
      if (/^(create|start|stop|kill|remove|rename|update|unpause|connect|put|pull)/.test(op))
        changes.push(`${op} ${nameOf(args[0])}`)
      burn(false)
    },
    after: () => burn(true),
  }

  /** The fuse of a daemon that is to die in the middle of an operation: before it is done, or before its answer comes. */
  function burn(done: boolean): void {
    if (fuse === undefined || fuse.done !== done || --fuse.left > 0) return
    const { downMs } = fuse
    fuse = undefined
    kill(downMs)
  }

  /** Another daemon of the same cluster, with a memory of its own: for as long as the first one lives it is to keep out. */
  function rival(): void {
    if (second?.isAlive() === true || !leads()) return
    const own = launch(join(folder, `rival-${++rivals}`), 's')
    second = own
    const until = clock.elapsed() + 20_000
    const watchRival = (): void => {
      if (!own.isAlive()) return
      if (leads() && clock.elapsed() < until) later(50, watchRival)
      else own.kill()
    }
    watchRival()
  }

  /** The daemon is in charge: it holds the router. */
  function leads(): boolean {
    const nodes = daemon?.isAlive() === true ? daemon.life.running()?.nodes : undefined
    return nodes?.every((one) => one.view().router.connected) === true
  }

  function kill(downMs: number): void {
    if (daemon?.isAlive() !== true) return
    if (second?.isAlive()) second.kill()
    tell(`world: the daemon is killed; back in ${downMs} ms`)
    daemon.kill()
    revive(downMs)
  }

  function revive(downMs: number): void {
    later(Math.max(10, downMs), () => {
      if (daemon?.isAlive() !== true) start()
    })
  }

  function start(): void {
    tally.daemons += 1
    tell('world: a daemon starts')
    daemon = launch(join(folder, `data-${stores}`), 'd')
    const own = daemon
    watch(own)
  }

  /** A daemon that ended by itself is started again by its supervisor. */
  function watch(own: Daemon): void {
    later(1_000, () => {
      if (own !== daemon) return
      if (own.isAlive()) return watch(own)
      if (own.exitCode() !== undefined) revive(500)
    })
  }

  function launch(dataDir: string, mark: string): Daemon {
    return startDaemon({
      clock,
      chance,
      engine: node.connect(),
      source: repo.source(mirror),
      dataDir,
      probeRunner: node.probeRunner,
      witness,
      wrapStore: (store) =>
        storeOnDisk(
          store,
          () => clock.elapsed() < fullUntil,
          mark === 'd' ? { ...safety, recorded: (record) => guard(() => safety.recorded(record)) } : undefined,
        ),
      log: (line) => {
        guard(() => safety.said(line))
        tell(`${mark}: ${brief(line)}`)
      },
    })
  }

  function commit(): void {
    const kind = wishes.weighted(COMMITS)
    const next =
      kind === 'change'
        ? changeApplication(wishes, application, weather.sound)
        : { application: kind === 'revert' ? wishes.pick(past) : application, message: kind }
    past.push(application)
    application = next.application
    publish(next.message, wishes.oneIn(15), kind === 'mistake' ? BROKEN : {})
  }

  function publish(message: string, rewrite: boolean, more: Files = {}): void {
    tally.commits += 1
    const { sha } = repo.commit({ ...filesOf(application, message), ...more }, message, { rewrite })
    tell(`world: commit ${sha.slice(0, 8)} ${message}${rewrite ? ' (history rewritten)' : ''}`)
  }

  function strike(fault: Fault): void {
    const name = fault.kind === 'meddle' ? `meddle ${fault.how}` : fault.kind
    tally.faults[name] = (tally.faults[name] ?? 0) + 1
    if (fault.kind !== 'killDaemon') tell(`world: ${JSON.stringify(fault)}`)
    switch (fault.kind) {
      case 'killDaemon':
        kill(fault.downMs)
        break
      case 'killDaemonInOperation':
        fuse = { left: fault.operations, done: fault.done, downMs: fault.downMs }
        break
      case 'terminateDaemon':
        if (second?.isAlive()) second.kill()
        daemon?.terminate()
        break
      case 'secondDaemon':
        rival()
        break
      case 'loseStore':
        kill(1_000)
        stores += 1
        safety.memoryLost()
        break
      case 'fullDisk':
        fullUntil = clock.elapsed() + fault.forMs
        break
      case 'jumpClock':
        clock.jump(fault.ms)
        if (fault.ms < 0) safety.clockSetBack()
        break
      case 'remote':
        repo.remote = fault.state
        later(fault.forMs, () => {
          repo.remote = 'up'
        })
        break
      default:
        node.strike(fault)
    }
  }

  function everySo(ms: number, what: () => void): void {
    later(Math.ceil(-Math.log(1 - chance.next()) * ms), () => {
      if (!storming) return
      what()
      everySo(ms, what)
    })
  }

  publish('begin', false)
  start()

  return {
    seed,
    climate: weather,
    trace,
    tally,
    node,
    elapsed: clock.elapsed,
    now: clock.now,
    application: () => application,
    head: repo.head,
    daemon: () => daemon,
    async run(untilMs, done = () => false) {
      await clock.run(untilMs, () => violation !== undefined || done())
      if (violation !== undefined) throw violation
    },
    strike,
    commit(next, message) {
      application = next
      publish(message, false)
    },
    storm() {
      storming = true
      everySo(weather.commitEveryMs, commit)
      everySo(weather.faultEveryMs, () => strike(weather.calm ? calmFault(chance) : roughFault(chance)))
    },
    calm() {
      storming = false
      fuse = undefined
      fullUntil = 0
      repo.remote = 'up'
      second?.kill()
      node.calm()
      if (daemon?.isAlive() !== true) revive(0)
      if (application.components.length === 0) application = makeApplication(wishes, 1)
      application = { ...application, components: application.components.map((each) => ({ ...each, paused: false })) }
      publish('the last word', false)
      tell('world: calm')
    },
    suspend() {
      const components = application.components.map((each) => ({ ...each, paused: each.schedule !== null }))
      application = { ...application, components }
      publish('suspend', false)
    },
    changes: () => changes,
    close() {
      if (daemon?.isAlive()) daemon.kill()
      second?.kill()
      rmSync(folder, { recursive: true, force: true })
      changes = []
    },
  }
}

/** A store whose disk may be full: nothing is written, and whoever writes is told. */
function storeOnDisk(
  store: Store,
  isFull: () => boolean,
  witness: Pick<Safety, 'recorded' | 'applied' | 'forgot'> | undefined,
): Store {
  const check = (): void => {
    if (isFull()) throw new StoreError('full', 'cannot write trireme.db: no space left')
  }
  const guarded = Object.entries(store).map(([name, member]) => {
    if (!/^(set|delete|add)/.test(name)) return [name, member]
    const write = member as (...given: unknown[]) => unknown
    return [
      name,
      (...args: unknown[]) => {
        check()
        return write(...args)
      },
    ]
  })
  const disk = Object.fromEntries(guarded) as unknown as Store
  return {
    ...disk,
    setSource(record) {
      disk.setSource(record)
      witness?.recorded(record)
    },
    setLastApplied(key, object) {
      disk.setLastApplied(key, object)
      witness?.applied(key, object)
    },
    deleteLastApplied(key) {
      disk.deleteLastApplied(key)
      witness?.forgot(key)
    },
  }
}

function nameOf(target: unknown): string {
  if (typeof target === 'string') return target.slice(0, 80)
  return String((target as { name?: unknown } | null)?.name ?? '')
}

/** A log line as somebody would read it. */
function brief(line: string): string {
  const { level, msg, key, error, err } = JSON.parse(line) as Record<string, unknown>
  const cause = error ?? (err as { message?: string; stack?: string } | undefined)?.stack
  return [level === 'info' ? '' : String(level), key, msg, cause].filter((part) => part !== undefined && part !== '').join(' ')
}
