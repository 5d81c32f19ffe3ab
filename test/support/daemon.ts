/** A daemon of its own on the real engine: own cluster, data directory and source, run as users run it, and removed at the end. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { ClusterStatus, EventRecord, PodStatus, ServiceStatus, WorkloadStatus } from '../../src/reconcilers/status.ts'

const run = promisify(execFile)
const launcher = fileURLToPath(new URL('../../bin/trireme', import.meta.url))
/** Longest wait for a condition: ms. */
const patienceMs = 30_000

/** File contents by path in the source; `null` removes. Values that are no text are written as a list of YAML documents. */
export type Files = Readonly<Record<string, string | Uint8Array | readonly object[] | null>>

export interface Ended {
  readonly code: number
  /** standard output and error, interleaved */
  readonly output: string
}

export interface LabOptions {
  /** `folder` reacts to a save; `git` to a push */
  readonly source?: 'folder' | 'git'
  readonly docker?: string
  /** the address the daemon is given for that engine, when it is another one */
  readonly through?: string
  /** put before every program of this lab: another network namespace */
  readonly enter?: readonly string[]
  /** address that the daemon listens on */
  readonly listen?: string
  /** where the daemon finds the bare repository of a git source, when not by its path */
  readonly repo?: string
  /** of the daemon, beside that of this process */
  readonly env?: Readonly<Record<string, string>>
  /** told of every line that a daemon writes */
  readonly onLine?: (line: string) => void
}

export class DaemonLab {
  readonly cluster: string
  readonly folder: string
  readonly data: string
  /** the working tree, and the folder that a folder source reads */
  readonly tree: string
  /** the bare repository of a git source */
  readonly bare: string
  readonly #source: 'folder' | 'git'
  readonly #docker: string
  readonly #through: string
  readonly #enter: readonly string[]
  readonly #listen: string
  readonly #repo: string
  readonly #env: Readonly<Record<string, string>>
  readonly #onLine: (line: string) => void
  readonly #children = new Set<ChildProcess>()
  #child: ChildProcess | undefined
  #gone = Promise.resolve('none')
  #url = ''
  #log: string[] = []

  constructor(topic: string, options: LabOptions = {}) {
    this.cluster = `e2e-${topic}-${process.pid}`
    this.folder = mkdtempSync(join(tmpdir(), `trireme-${this.cluster}-`))
    this.data = join(this.folder, 'data')
    this.tree = join(this.folder, 'tree')
    this.bare = join(this.folder, 'app.git')
    this.#source = options.source ?? 'folder'
    this.#docker = options.docker ?? 'unix:///var/run/docker.sock'
    this.#through = options.through ?? this.#docker
    this.#enter = options.enter ?? []
    this.#listen = options.listen ?? '127.0.0.1'
    this.#repo = options.repo ?? this.bare
    this.#env = options.env ?? {}
    this.#onLine = options.onLine ?? (() => undefined)
    mkdirSync(this.tree)
  }

  /** Flags that name this lab's engine, cluster, memory and source. */
  flags(data = this.data): string[] {
    const source = this.#source === 'git' ? ['--repo', this.#repo, '--interval', '2s'] : ['--dir', this.tree, '--interval', '2s']
    return [...source, '--docker', this.#through, '--cluster', this.cluster, '--data-dir', data]
  }

  /** Starts the daemon and waits until its API answers. */
  async start(...more: readonly string[]): Promise<void> {
    const child = this.#spawn(['run', ...this.flags(), '--listen', `${this.#listen}:0`, ...more])
    this.#child = child
    this.#gone = new Promise((resolve) => child.once('close', (code, signal) => resolve(String(code ?? signal))))
    this.#log = []
    const hear = (line: string): void => {
      this.#log.push(line)
      this.#onLine(line)
    }
    const listening = new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout! }).on('line', (line) => {
        hear(readable(line))
        const url = /"url":"([^"]+)"/.exec(line)?.[1]
        if (url !== undefined) resolve(url)
      })
      createInterface({ input: child.stderr! }).on('line', hear)
      child.once('exit', (code) => reject(new Error(`the daemon ended with ${code}\n${this.log(20)}`)))
    })
    this.#url = await listening
  }

  /** Ends the daemon, by default as a power cut would, and waits until it is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (child !== undefined) await ended(child, signal)
  }

  /** Waits until the daemon that was started last has ended, by itself or not, and all it wrote is read; its exit code or signal. */
  gone(): Promise<string> {
    return this.#gone
  }

  /** Process id of the daemon that was started last. */
  get pid(): number {
    return this.#child?.pid ?? 0
  }

  /** Runs a verb to its end. */
  async trireme(...args: readonly string[]): Promise<Ended> {
    const child = this.#spawn(args)
    let output = ''
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (chunk) => {
        output += chunk
      })
    const code = await new Promise<number>((resolve) => child.once('close', (status) => resolve(status ?? -1)))
    return { code, output }
  }

  /** `run --once` with this lab's flags. */
  once(...more: readonly string[]): Promise<Ended> {
    return this.trireme('run', ...this.flags(), '--listen', '127.0.0.1:0', '--once', ...more)
  }

  #spawn(args: readonly string[]): ChildProcess {
    const env = { ...process.env, TZ: 'UTC', NO_COLOR: '1', ...this.#env }
    const [command = '', ...words] = [...this.#enter, launcher, ...args]
    const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'], env })
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    return child
  }

  /** Writes files; with a git source also commits, pushes and asks for a poll. Returns the commit id, `''` for a folder. */
  async write(files: Files, message = 'Change', ...push: readonly string[]): Promise<string> {
    for (const [path, content] of Object.entries(files)) {
      const full = join(this.tree, path)
      if (content === null) rmSync(full, { recursive: true })
      else {
        mkdirSync(dirname(full), { recursive: true })
        writeFileSync(full, typeof content === 'string' || content instanceof Uint8Array ? content : documents(content))
      }
    }
    return this.#source === 'git' ? this.commit(message, ...push) : ''
  }

  /** Commits the tree as it is, pushes it, and asks for a poll. */
  async commit(message: string, ...push: readonly string[]): Promise<string> {
    await this.git('add', '-A')
    await this.git('commit', '-q', '--allow-empty', '-m', message)
    await this.git('push', '-q', ...push, 'origin', 'main')
    if (this.#child !== undefined) await this.sync()
    return this.git('rev-parse', 'HEAD')
  }

  /** Makes the bare repository and its working tree. */
  async init(): Promise<void> {
    await run('git', ['init', '-q', '--bare', '-b', 'main', this.bare])
    await run('git', ['init', '-q', '-b', 'main', this.tree])
    await this.git('remote', 'add', 'origin', this.bare)
  }

  async git(...args: readonly string[]): Promise<string> {
    const who = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', '-c', 'commit.gpgsign=false']
    return (await run('git', [...who, '-C', this.tree, ...args])).stdout.trim()
  }

  /** The same for the bare repository. */
  async gitBare(...args: readonly string[]): Promise<string> {
    return (await run('git', ['--git-dir', this.bare, ...args])).stdout.trim()
  }

  async sync(): Promise<void> {
    await fetch(`${this.#url}/api/v1/sync`, { method: 'POST' }).catch(() => undefined)
  }

  async get(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(`${this.#url}${path}`, { headers: { connection: 'close' } })
    return { status: response.status, text: await response.text() }
  }

  get url(): string {
    return this.#url
  }

  async status(): Promise<ClusterStatus> {
    return JSON.parse((await this.get('/api/v1/status')).text) as ClusterStatus
  }

  async events(): Promise<readonly EventRecord[]> {
    return (JSON.parse((await this.get('/api/v1/events?limit=1000')).text) as { events: EventRecord[] }).events
  }

  /** The value of one sample of `/metrics`, 0 when there is none. */
  async metric(sample: string): Promise<number> {
    const line = (await this.get('/metrics')).text.split('\n').find((text) => text.startsWith(`${sample} `))
    return Number(line?.slice(sample.length + 1) ?? 0)
  }

  drift(kind: string): Promise<number> {
    return this.metric(`trireme_drift_total{kind="${kind}"}`)
  }

  /** The last lines the daemon wrote. */
  log(lines = 1000): string {
    return this.#log.slice(-lines).join('\n')
  }

  /** Waits until `of` gives something of the status; says what was there instead. */
  async until<T>(what: string, of: (status: ClusterStatus) => T | Promise<T>, timeoutMs = patienceMs): Promise<NonNullable<T>> {
    const deadline = performance.now() + timeoutMs
    let seen: ClusterStatus | undefined
    for (;;) {
      seen = await this.status().catch(() => seen)
      const found = seen === undefined ? undefined : await of(seen)
      if (found) return found
      if (performance.now() > deadline)
        throw new Error(`${what}: not within ${timeoutMs} ms\n${seen === undefined ? '' : summary(seen)}\n${this.log(25)}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  /** Waits until something that is not in the status is true, daemon or not. */
  async untilTrue(what: string, ask: () => Promise<boolean>, timeoutMs = patienceMs): Promise<void> {
    const deadline = performance.now() + timeoutMs
    let last: unknown
    const asked = () =>
      ask().catch((error: unknown) => {
        last = error
        return false
      })
    while (!(await asked())) {
      if (performance.now() > deadline) throw new Error(`${what}: not within ${timeoutMs} ms\n${this.log(25)}`, { cause: last })
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  /** Waits for an event; returns it. */
  untilEvent(reason: string, message: RegExp, timeoutMs = patienceMs): Promise<EventRecord> {
    return this.until(
      `event ${reason} ${message}`,
      async () => (await this.events()).find((event) => event.reason === reason && message.test(event.message)),
      timeoutMs,
    )
  }

  /** Waits until the workload is healthy at its newest template. */
  untilHealthy(key: string, timeoutMs = patienceMs): Promise<WorkloadStatus> {
    return this.until(`${key} healthy`, (status) => workloadIn(status, key, ({ healthy }) => healthy), timeoutMs)
  }

  /** Waits until this commit is healthy as a whole. */
  untilRevision(sha: string, timeoutMs = patienceMs): Promise<ClusterStatus> {
    return this.until(`revision ${sha} healthy`, (status) => (status.sources[0]?.healthy === sha ? status : undefined), timeoutMs)
  }

  async workload(key: string): Promise<WorkloadStatus> {
    const found = workloadIn(await this.status(), key, () => true)
    if (found === undefined) throw new Error(`no ${key} in the status`)
    return found
  }

  async pods(key: string): Promise<readonly PodStatus[]> {
    return (await this.workload(key)).pods
  }

  async service(key: string): Promise<ServiceStatus> {
    const found = (await this.status()).services.find((service) => service.key === key)
    if (found === undefined) throw new Error(`no ${key} in the status`)
    return found
  }

  /** The docker command line: somebody else on the same engine. */
  async docker(...args: readonly string[]): Promise<string> {
    return (await run('docker', ['--host', this.#docker, ...args], { maxBuffer: 1 << 26 })).stdout.trim()
  }

  /** Ids of this cluster's containers with these labels, running or not, sorted. */
  async containers(...labels: readonly string[]): Promise<string[]> {
    const filters = [`trireme.cluster=${this.cluster}`, ...labels].flatMap((label) => ['--filter', `label=${label}`])
    return words(await this.docker('ps', '-aq', '--no-trunc', ...filters)).sort()
  }

  /** Id of the newest container `name` of a pod; `POD` is its sandbox. */
  async container(pod: { readonly uid: string }, name: string): Promise<string> {
    const [id] = words(
      await this.docker(
        ...['ps', '-aq', '--no-trunc', '--filter', `label=trireme.cluster=${this.cluster}`],
        ...['--filter', `label=io.kubernetes.pod.uid=${pod.uid}`, '--filter', `label=io.kubernetes.container.name=${name}`],
      ),
    )
    if (id === undefined) throw new Error(`pod ${pod.uid} has no container ${name}`)
    return id
  }

  async volumes(): Promise<string[]> {
    return words(await this.docker('volume', 'ls', '-q', '--filter', `label=trireme.cluster=${this.cluster}`)).sort()
  }

  async router(): Promise<string> {
    const [id] = await this.containers('trireme.role=router')
    if (id === undefined) throw new Error('no router')
    return id
  }

  /** What `script` says in a container of the pod. */
  async exec(pod: { readonly uid: string }, container: string, script: string): Promise<string> {
    return this.docker('exec', await this.container(pod, container), 'sh', '-c', script)
  }

  /** Ends the daemon and removes everything of this cluster, and nothing else. */
  async remove(): Promise<void> {
    await Promise.all([...this.#children].map((child) => ended(child, 'SIGKILL')))
    // What the engine was just making for the daemon may come to be after it: then it is there the next time.
    await this.untilTrue('nothing of this cluster is left', async () => {
      const containers = await this.containers()
      if (containers.length > 0) await this.docker('rm', '-f', '-v', ...containers)
      const volumes = await this.volumes()
      if (volumes.length > 0) await this.docker('volume', 'rm', '-f', ...volumes)
      const networks = words(await this.docker('network', 'ls', '-q', '--filter', `label=trireme.cluster=${this.cluster}`))
      for (const network of networks) await this.docker('network', 'rm', network)
      return true
    })
    rmSync(this.folder, { recursive: true, force: true })
  }
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  await gone
}

export function workloadIn(
  status: ClusterStatus,
  key: string,
  fits: (workload: WorkloadStatus) => boolean,
): WorkloadStatus | undefined {
  return status.workloads.find((workload) => workload.key === key && fits(workload))
}

/** YAML documents: JSON is YAML. */
export function documents(objects: readonly object[]): string {
  return objects.map((object) => `${JSON.stringify(object, null, 1)}\n`).join('---\n')
}

/** Time, level and message of a log line. */
function readable(line: string): string {
  try {
    const { time, level, msg, err } = JSON.parse(line) as Record<string, unknown>
    const stack = (err as { stack?: string } | undefined)?.stack
    return `${String(time).slice(11)} ${level} ${msg}${stack === undefined ? '' : `: ${stack}`}`
  } catch {
    return line
  }
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}

function summary(status: ClusterStatus): string {
  const sources = status.sources.map(({ attempted, applied, healthy, error, problems, pruneHeld }) =>
    JSON.stringify({ attempted, applied, healthy, error, problems, pruneHeld }),
  )
  const workloads = status.workloads.flatMap(({ key, condition, message, pods }) => [
    `${key} ${condition} ${message}`,
    ...pods.map(({ name, reason, message: why, ready, routed }) => `  ${name} ${reason} ready=${ready} routed=${routed} ${why}`),
  ])
  const services = status.services.map(({ key, condition, message }) => `${key} ${condition} ${message}`)
  const nodes = status.nodes.map(
    ({ reachable, message, router }) => `node reachable=${reachable} ${message} ${JSON.stringify(router)}`,
  )
  return [...sources, ...workloads, ...services, ...nodes].join('\n')
}
