/** An engine, a Git server, a small disk, a daemon that is kept up, an application, and load on it. */
import { execFileSync } from 'node:child_process'
import { appendFileSync, closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ClusterStatus, PodStatus } from '../../src/reconcilers/status.ts'
import { NODE_IMAGE } from '../../src/runtime/images.ts'
import type { Chance } from '../simulation/chance.ts'
import { STUB } from '../support/apps.ts'
import { DaemonLab } from '../support/daemon.ts'
import { type OwnEngine, openOwnEngine } from '../support/ownengine.ts'
import { Relay } from '../support/relay.ts'
import { release, SERVICE, SIDE, WEB, WEB_IMAGE } from './application.ts'
import type { Excuse } from './judge.ts'
import { Keeper } from './keeper.ts'
import { ChaosLoad } from './load.ts'
import { Remote } from './remote.ts'
import { WAYS, type Way } from './ways.ts'

/** Longest wait for anything: ms. */
const PATIENCE_MS = 90_000
/** Of the data directory. */
const DISK = '256m'
const SETTINGS = { 'live-restore': true }
/** In the rules of a router: `0 : 10.88.12.7 . 8080`, or `dnat to 10.88.12.7:8080`. */
const BACKEND = /([\d.]+)(?: \. |:)8080/g

export class Theatre {
  readonly engine: OwnEngine
  readonly lab: DaemonLab
  readonly relay: Relay
  readonly remote: Remote
  readonly keeper: Keeper
  readonly load = new ChaosLoad()
  readonly excuses: Excuse[] = []
  /** volumes in memory that Docker takes for mounted until it is restarted once more: they may be left over until then */
  keptByEngine: ReadonlySet<string> = new Set()
  /** holds what the daemons wrote */
  readonly logFile: string
  act = ''
  commits = 0
  #head = ''
  #open: Promise<void>[] = []

  private constructor(engine: OwnEngine, relay: Relay, remote: Remote, repo: string, logFile: string) {
    this.engine = engine
    this.relay = relay
    this.remote = remote
    this.logFile = logFile
    this.lab = new DaemonLab('chaos', {
      source: 'git',
      docker: engine.host,
      through: relay.host,
      enter: engine.enter,
      listen: engine.address,
      repo,
      env: { TMPDIR: join(engine.dir, 'tmp'), TRIREME_GIT_TIMEOUT: '4s' },
      onLine: (line) => appendFileSync(logFile, `${line}\n`),
    })
    this.keeper = new Keeper(this.lab)
  }

  /** Everything runs, is healthy, and is asked without end. */
  static async open(logFile: string): Promise<Theatre> {
    const engine = await openOwnEngine('chaos', [STUB, NODE_IMAGE, WEB_IMAGE])
    await engine.configure(SETTINGS)
    const relay = new Relay(engine.host.slice('unix://'.length))
    await relay.open()
    const remote = new Remote(engine.hostAddress)
    const theatre = new Theatre(engine, relay, remote, await remote.reserve(), logFile)
    try {
      await theatre.#begin()
      return theatre
    } catch (error) {
      await theatre.close()
      throw error
    }
  }

  async #begin(): Promise<void> {
    const { lab, engine } = this
    this.remote.serve(lab.bare)
    mkdirSync(join(engine.dir, 'tmp'))
    mkdirSync(lab.data)
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'tmpfs', lab.data])
    await lab.init()
    await lab.write({ 'README.md': 'a history that can be rewritten' })
    this.#head = await lab.write(release(0))
    await this.keeper.open()
    await this.healthy()
    const { clusterIP, ports } = await lab.service(SERVICE)
    const dns = await lab.docker('exec', await lab.router(), 'sed', '-n', 's/^ *interface: //p', '/run/trireme/front.conf')
    this.load.add(engine.enter, [
      { way: 'new', target: `http://${clusterIP}/version`, workers: 3, pauseMs: 20 },
      { way: 'held', target: `http://${clusterIP}/version`, workers: 4, pauseMs: 40 },
      { way: 'names', target: dns, workers: 1, pauseMs: 50 },
    ])
    const published = `http://${engine.address}:${ports[0]?.nodePort}/version`
    this.load.add([], [{ way: 'published', target: published, workers: 2, pauseMs: 40 }])
    await this.answering(Date.now())
  }

  /** Rolls the application. */
  async commit(): Promise<void> {
    this.commits += 1
    this.#head = await this.lab.write(release(this.commits))
  }

  /** The same over another history. */
  async rewrite(): Promise<void> {
    this.commits += 1
    await this.lab.git('reset', '--quiet', '--soft', 'HEAD~1')
    this.#head = await this.lab.write(release(this.commits), 'Another history', '--force')
  }

  /** Waits until the newest commit is healthy as a whole, and the daemon says that all is well. */
  async healthy(): Promise<void> {
    await this.lab.until('healthy again', (status) => this.#isHealthy(status), PATIENCE_MS)
    await this.lab.untilTrue('ready', async () => (await this.lab.get('/readyz')).status === 200, PATIENCE_MS)
  }

  #isHealthy({ sources, workloads, services, nodes }: ClusterStatus): boolean {
    const [source] = sources
    return (
      source?.healthy === this.#head &&
      source.error === '' &&
      workloads.length === 2 &&
      services.length === 1 &&
      [...workloads, ...services].every(({ healthy }) => healthy) &&
      nodes.every(({ reachable, router }) => reachable && router.connected)
    )
  }

  /** Waits until something that was asked after `since` has been answered on every way. */
  async answering(since: number): Promise<void> {
    for (const way of WAYS)
      await this.lab.untilTrue(`${way} is answered`, async () => this.load.answersSince(way, since), PATIENCE_MS)
  }

  /**
   * What is lost from now on is explained, until `over`. Given before the deed.
   * @param over is asked again and again, and may fail
   */
  excuse(why: string, ways: readonly Way[], over: () => Promise<boolean>, pods?: readonly string[]): void {
    const [act, from] = [this.act, Date.now()]
    const open = { act, why, ways, from, to: Number.POSITIVE_INFINITY, ...(pods === undefined ? {} : { pods }) }
    const index = this.excuses.push(open) - 1
    const closed = this.lab.untilTrue(`${act}: ${why}`, over, PATIENCE_MS).then(() => {
      this.excuses[index] = { ...open, to: Date.now() }
    })
    // Whoever waits for it is told; until then nobody needs to be.
    closed.catch(() => undefined)
    this.#open.push(closed)
  }

  async excusesOver(): Promise<void> {
    await Promise.all(this.#open.splice(0))
  }

  /** A serving pod, by chance. */
  async pod(chance: Chance, key = WEB): Promise<PodStatus> {
    const serving = await this.lab.until(`a pod of ${key} serves`, ({ workloads }) => {
      const pods = workloads.find((workload) => workload.key === key)?.pods ?? []
      const found = pods.filter(({ ready, routed, terminating }) => ready && (routed || key === SIDE) && !terminating)
      return found.length > 0 ? found : undefined
    })
    return chance.pick(serving)
  }

  /**
   * Whether nothing is sent any more to what was there before `since`: of each pod concerned the containers are new and
   * ready, or the rules of the router do not name it. Some pod is served, whoever is concerned.
   * @param concerned uid and address of the one pod that is looked at; absent for all
   */
  async unrouted(since: number, concerned?: Pick<PodStatus, 'uid' | 'ip'>): Promise<boolean> {
    const { workloads, nodes } = await this.lab.status()
    if (!nodes.every(({ reachable, router }) => reachable && router.connected)) return false
    const pods = workloads.find(({ key }) => key === WEB)?.pods ?? []
    const served = await this.served()
    const isBack = ({ ready, containers }: PodStatus) => ready && containers.every(({ startedAt }) => startedAt >= since)
    const back = new Set(pods.filter(isBack).map(({ ip }) => ip))
    const asked = concerned === undefined ? [...served] : [concerned.ip]
    return pods.some(({ ip }) => served.has(ip)) && asked.every((ip) => back.has(ip) || !served.has(ip))
  }

  /** Addresses that the router sends to at this moment. */
  async served(): Promise<ReadonlySet<string>> {
    const rules = await this.lab.docker('exec', await this.lab.router(), 'nft', 'list', 'table', 'ip', 'trireme')
    return new Set([...rules.matchAll(BACKEND)].map(([, ip]) => ip as string))
  }

  /** Ends dockerd under live-restore, and starts it again after some time. */
  async restartEngine(how: 'stop' | 'kill9', pauseMs: number): Promise<void> {
    await this.engine[how]()
    await delay(pauseMs)
    await this.engine.start()
    const sandboxes = ['--filter', `label=trireme.owner=${SIDE}`, '--filter', 'label=io.kubernetes.container.name=POD']
    const uids = await this.engine.docker('ps', ...sandboxes, '--format', '{{.Label "io.kubernetes.pod.uid"}}')
    this.keptByEngine = new Set(uids.split('\n').map((uid) => `trireme-${this.lab.cluster}-${uid}-keys`))
  }

  /** Leaves no byte in the data directory. */
  fillDisk(): void {
    const file = openSync(join(this.lab.data, 'ballast'), 'w')
    for (let size = 1 << 20; size >= 1; )
      try {
        writeSync(file, Buffer.alloc(size))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        size >>= 1
      }
    closeSync(file)
  }

  freeDisk(): void {
    rmSync(join(this.lab.data, 'ballast'))
  }

  async close(): Promise<void> {
    await this.load.stop()
    await this.keeper.close()
    await this.remote.close()
    await this.relay.remove()
    await this.engine.close()
    execFileSync('umount', [this.lab.data])
    rmSync(this.lab.folder, { recursive: true, force: true })
  }
}
