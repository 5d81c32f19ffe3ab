/**
 * An engine of its own for tests and measurements: a second dockerd in a network namespace of its own, which may be
 * stopped, killed and rebooted while the engine of this machine stays as it is. Needs root on Linux.
 *
 * Its pods and Services are reached from inside of the namespace (`enter`); what it publishes, also from here (`address`).
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

/** A documentation range (RFC 5737): the address inside of the namespace that a swarm may advertise. */
export const OWN_ADDRESS = '192.0.2.1'
const START_LIMIT_MS = 30_000
const STOP_LIMIT_MS = 30_000
const END_LIMIT_MS = 10_000

const run = promisify(execFile)

/** Why there can be no engine of our own on this machine; `''` when there can. */
export function ownEngineObstacle(): string {
  if (process.platform !== 'linux') return 'an engine of its own needs Linux'
  if (process.getuid?.() !== 0) return 'an engine of its own needs root'
  const missing = ['dockerd', 'docker', 'ip', 'nsenter', 'umount'].filter((command) => !onPath(command))
  return missing.length === 0 ? '' : `missing on PATH: ${missing.join(', ')}`
}

function onPath(command: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, command)))
}

export class OwnEngine {
  /** of the network namespace, and part of every name outside of `dir` */
  readonly name: string
  /** scratch folder, removed with the engine */
  readonly dir: string
  /** `unix://…` of the engine */
  readonly host: string
  /** how a program is started inside of the network namespace: put before its own words */
  readonly enter: readonly string[]
  /** of the namespace, as seen from this machine: published ports, and a daemon that listens on it */
  readonly address: string
  /** of this machine, as seen from inside of the namespace */
  readonly hostAddress: string
  #child: ChildProcess | undefined

  constructor(topic: string) {
    this.name = `trireme-${topic}-${process.pid}`
    this.dir = mkdtempSync(join(tmpdir(), `${this.name}-`))
    this.host = `unix://${join(this.dir, 'docker.sock')}`
    this.enter = ['nsenter', `--net=/run/netns/${this.name}`]
    // A /30 of the range for benchmarks (RFC 2544); no two processes of this machine get the same one.
    const [third, fourth] = [(process.pid >> 6) & 255, (process.pid & 63) << 2]
    this.hostAddress = `198.18.${third}.${fourth + 1}`
    this.address = `198.18.${third}.${fourth + 2}`
  }

  /** Starts it for the first time, with these images of this machine's engine. Errors: what the engine's log says last. */
  async open(images: readonly string[] = []): Promise<this> {
    try {
      this.#addNamespace()
      await this.start()
      if (images.length > 0) await this.#load(images)
      return this
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /** Changes its daemon.json; what Docker reloads (live-restore among it) counts at once, the rest from the next start. */
  async configure(settings: object): Promise<void> {
    writeFileSync(join(this.dir, 'daemon.json'), JSON.stringify(settings))
    if (!this.#runs()) return
    const before = this.log().split('Reloaded configuration').length
    process.kill(this.#pid(), 'SIGHUP')
    await this.#until('reload its configuration', () => this.log().split('Reloaded configuration').length > before, STOP_LIMIT_MS)
  }

  /** Starts dockerd and waits until it answers: its containers are then as Docker alone brings them back. */
  async start(): Promise<void> {
    this.#forgetDead()
    const log = openSync(join(this.dir, 'dockerd.log'), 'a')
    const [command = '', ...words] = [
      ...this.enter,
      'dockerd',
      ...['--config-file', join(this.dir, 'daemon.json'), '--host', this.host, '--pidfile', join(this.dir, 'docker.pid')],
      ...['--data-root', join(this.dir, 'data'), '--exec-root', join(this.dir, 'exec')],
      // A containerd that this machine already runs would otherwise be shared with its own engine, names and all.
      ...['--containerd-namespace', this.name, '--containerd-plugins-namespace', `${this.name}-plugins`],
    ]
    if (!existsSync(join(this.dir, 'daemon.json'))) writeFileSync(join(this.dir, 'daemon.json'), '{}')
    rmSync(join(this.dir, 'docker.sock'), { force: true })
    this.#child = spawn(command, words, { stdio: ['ignore', log, log], detached: true })
    await this.#until('start', () => this.docker('version').then(Boolean, () => false), START_LIMIT_MS)
  }

  /** Ends dockerd as the system would: containers are stopped first, unless live-restore is on. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** Ends dockerd at once; what it ran goes on without it. */
  async kill9(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** As after a power cut, before Docker starts again: nothing runs, nothing is mounted, no network is left. */
  async powerOff(): Promise<void> {
    await endAll(this.name, this.dir, process.pid)
    rmSync(join(this.dir, 'exec'), { recursive: true, force: true })
    rmSync(join(this.dir, 'docker.pid'), { force: true })
  }

  /** The power is back, Docker is not yet. */
  powerOn(): void {
    this.#addNamespace()
  }

  /** The docker command line on this engine. Errors: those of the command, with what it said. */
  async docker(...args: readonly string[]): Promise<string> {
    return (await run('docker', ['--host', this.host, ...args], { maxBuffer: 1 << 26 })).stdout.trim()
  }

  /** What a program inside of the network namespace writes. */
  async inside(...command: readonly string[]): Promise<string> {
    const [first = '', ...rest] = [...this.enter, ...command]
    return (await run(first, rest)).stdout.trim()
  }

  log(): string {
    return readFileSync(join(this.dir, 'dockerd.log'), 'utf8')
  }

  /** Ends everything and removes every trace. */
  async close(): Promise<void> {
    await this.powerOff()
    rmSync(this.dir, { recursive: true, force: true })
  }

  /** A link to this machine, and an address that a swarm can advertise; nothing of it leads further. */
  #addNamespace(): void {
    const outer = `tr${process.pid}`
    execFileSync('ip', ['netns', 'add', this.name])
    for (const words of [
      `link add ${outer} type veth peer name own0 netns ${this.name}`,
      `address add ${this.hostAddress}/30 dev ${outer}`,
      `link set ${outer} up`,
      `-n ${this.name} address add ${this.address}/30 dev own0`,
      `-n ${this.name} address add ${OWN_ADDRESS}/24 dev own0`,
      `-n ${this.name} link set own0 up`,
      `-n ${this.name} link set lo up`,
    ])
      execFileSync('ip', words.split(' '), { stdio: ['ignore', 'ignore', 'pipe'] })
  }

  async #load(images: readonly string[]): Promise<void> {
    const archive = join(this.dir, 'images.tar')
    await run('docker', ['save', '--output', archive, ...images])
    await this.docker('load', '--input', archive)
    rmSync(archive)
  }

  #runs(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** dockerd's own: nsenter becomes the program that it starts. */
  #pid(): number {
    return this.#child?.pid ?? 0
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (!this.#runs()) return
    process.kill(this.#pid(), signal)
    await this.#until(`end by ${signal}`, () => !this.#runs(), STOP_LIMIT_MS)
  }

  /** Where nobody collects dead processes, dockerd takes a pid file of one for an engine that runs. */
  #forgetDead(): void {
    for (const file of [join(this.dir, 'docker.pid'), join(this.dir, 'exec', 'containerd', 'containerd.pid')])
      if (existsSync(file) && !isAlive(Number(readFileSync(file, 'utf8')))) rmSync(file)
  }

  async #until(what: string, ask: () => boolean | Promise<boolean>, limitMs: number): Promise<void> {
    const deadline = performance.now() + limitMs
    while (!(await ask())) {
      const ended = what === 'start' && !this.#runs()
      if (ended || performance.now() > deadline)
        throw new Error(`the engine did not ${what}:\n${this.log().trimEnd().split('\n').slice(-8).join('\n')}`)
      await delay(20)
    }
  }
}

/** An engine that has started, with these images of this machine's engine. Errors: why there can be none here, or what its log says last. */
export async function openOwnEngine(topic: string, images: readonly string[] = []): Promise<OwnEngine> {
  const obstacle = ownEngineObstacle()
  if (obstacle !== '') throw new Error(obstacle)
  await removeLeftovers()
  return new OwnEngine(topic).open(images)
}

/** Engines whose test or measurement was killed. */
async function removeLeftovers(): Promise<void> {
  const names = existsSync('/run/netns') ? readdirSync('/run/netns') : []
  for (const name of names) {
    const pid = Number(/^trireme-.+-(\d+)$/.exec(name)?.[1] ?? process.pid)
    if (isAlive(pid)) continue
    const folders = readdirSync(tmpdir()).filter((folder) => folder.startsWith(`${name}-`))
    for (const folder of [...folders.map((one) => join(tmpdir(), one)), '']) {
      await endAll(name, folder, pid)
      if (folder !== '') rmSync(folder, { recursive: true, force: true })
    }
  }
}

/** Ends what runs there, and removes mounts, link and network namespace. */
async function endAll(name: string, dir: string, pid: number): Promise<void> {
  const marks = [name, dir].filter((mark) => mark !== '')
  const deadline = performance.now() + END_LIMIT_MS
  for (let left = processesOf(marks); left.length > 0; left = processesOf(marks)) {
    if (performance.now() > deadline) throw new Error(`processes ${left.join(', ')} of ${name} do not end`)
    execQuietly('kill', ['-9', ...left.map(String)])
    await delay(20)
  }
  if (dir !== '') unmountBelow(dir)
  // A namespace goes by and by; its link would be in the way of the next one.
  execQuietly('ip', ['link', 'delete', `tr${pid}`])
  execQuietly('ip', ['netns', 'delete', name])
}

/** Programs that carry one of these words on their command line, and all that they have started. */
function processesOf(marks: readonly string[]): number[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isAlive(Number(name)))
  const found = new Set(
    all.filter((pid) => Number(pid) !== process.pid && marks.some((mark) => read(pid, 'cmdline').includes(mark))),
  )
  for (let before = -1; before < found.size; ) {
    before = found.size
    for (const pid of all) if (found.has(parentOf(pid))) found.add(pid)
  }
  return [...found].map(Number)
}

/** Not gone, and not dead and waiting to be collected. */
function isAlive(pid: number): boolean {
  return /^State:\s+[^ZX]/m.test(read(String(pid), 'status'))
}

function parentOf(pid: string): string {
  return /^PPid:\s+(\d+)/m.exec(read(pid, 'status'))?.[1] ?? ''
}

function read(pid: string, file: string): string {
  try {
    return readFileSync(join('/proc', pid, file), 'utf8')
  } catch {
    return ''
  }
}

/** What a killed engine leaves mounted would keep its folder from going, and is not there after a reboot. */
function unmountBelow(dir: string): void {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${dir}/`))
  for (const path of mounts.reverse()) execQuietly('umount', ['-l', path])
}

/** For work that may have been done already. */
function execQuietly(command: string, args: readonly string[]): void {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
  } catch {}
}
