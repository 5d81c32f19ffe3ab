/**
 * An engine of the benchmark's own: a second dockerd in a network namespace of its own, so that the engine of this
 * machine, its networks and its swarm state stay as they are. Needs root on Linux; everything goes when it closes.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { engineOf } from './bench.ts'

/** A documentation range (RFC 5737), for the address that a swarm advertises inside of the namespace. */
export const OWN_ADDRESS = '192.0.2.1'
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const START_LIMIT_MS = 30_000
const STOP_LIMIT_MS = 30_000

export interface Lab {
  /** `unix://…` of the engine */
  readonly host: string
  /** scratch folder, removed with the lab */
  readonly dir: string
  /** how a program is started inside of the network namespace: put before its own words */
  readonly enter: readonly string[]
  close(): Promise<void>
}

/** Why there can be no engine of our own on this machine; `''` when there can. */
export function labObstacle(): string {
  if (process.platform !== 'linux') return 'an engine of its own needs Linux'
  if (process.getuid?.() !== 0) return 'an engine of its own needs root'
  const missing = ['dockerd', 'ip', 'nsenter'].filter((command) => !onPath(command))
  return missing.length === 0 ? '' : `missing on PATH: ${missing.join(', ')}`
}

function onPath(command: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, command)))
}

/** Starts the engine and waits until its socket is there. Errors: what the engine's log says last. */
export async function openLab(): Promise<Lab> {
  const dir = mkdtempSync(join(tmpdir(), 'trireme-bench-'))
  const namespace = `trireme-bench-${process.pid}`
  addNamespace(namespace)
  const enter = ['nsenter', `--net=/run/netns/${namespace}`]
  const engine = startEngine(dir, namespace, enter)
  const lab: Lab = {
    host: `unix://${join(dir, 'docker.sock')}`,
    dir,
    enter,
    async close() {
      for (const pid of programsIn(namespace)) process.kill(pid, 'SIGTERM')
      await emptyEngine(lab).catch(() => undefined)
      await stopEngine(engine)
      unmountBelow(dir)
      run('ip', ['netns', 'delete', namespace])
      rmSync(dir, { recursive: true, force: true })
    },
  }
  try {
    await started(engine, dir)
  } catch (error) {
    await lab.close()
    throw error
  }
  return lab
}

/** The pair of links gives the namespace an address that a swarm can advertise; nothing leaves it. */
function addNamespace(name: string): void {
  run('ip', ['netns', 'add', name])
  for (const words of [
    'link set lo up',
    'link add bench0 type veth peer name bench1',
    `address add ${OWN_ADDRESS}/24 dev bench0`,
    'link set bench0 up',
    'link set bench1 up',
  ])
    run('ip', ['-n', name, ...words.split(' ')])
}

function startEngine(dir: string, namespace: string, enter: readonly string[]): ChildProcess {
  const log = openSync(join(dir, 'dockerd.log'), 'a')
  const [command = '', ...words] = [
    ...enter,
    'dockerd',
    ...['--data-root', join(dir, 'data'), '--exec-root', join(dir, 'exec'), '--pidfile', join(dir, 'docker.pid')],
    ...['--host', `unix://${join(dir, 'docker.sock')}`],
    // A containerd that this machine already runs would otherwise be shared with its own engine, names and all.
    ...['--containerd-namespace', namespace, '--containerd-plugins-namespace', `${namespace}-plugins`],
  ]
  return spawn(command, words, { stdio: ['ignore', log, log], detached: true })
}

async function started(engine: ChildProcess, dir: string): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS
  while (!existsSync(join(dir, 'docker.sock'))) {
    if (engine.exitCode === null && performance.now() < deadline) await delay(50)
    else throw new Error(`the engine of the benchmark did not start:\n${lastLines(join(dir, 'dockerd.log'))}`)
  }
}

function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-8).join('\n')
}

async function stopEngine(engine: ChildProcess): Promise<void> {
  if (engine.exitCode !== null || engine.signalCode !== null) return
  const ended = new Promise<void>((resolve) => engine.once('exit', () => resolve()))
  engine.kill('SIGTERM')
  await Promise.race([ended, delay(STOP_LIMIT_MS, undefined, { ref: false })])
  if (engine.exitCode === null && engine.signalCode === null) engine.kill('SIGKILL')
}

/** What a killed engine leaves mounted would keep its folder from going. */
function unmountBelow(dir: string): void {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${dir}/`))
  for (const path of mounts.reverse()) run('umount', ['-l', path])
}

/** Measured programs that an error has left running in the namespace. */
function programsIn(namespace: string): number[] {
  const pids = execFileSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8' }).split('\n').filter(Boolean)
  return pids.filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(ROOT)).map(Number)
}

/** Containers go before their engine does: those of an engine that is killed would live on. */
async function emptyEngine({ host }: Pick<Lab, 'host'>): Promise<void> {
  const docker = engineOf({ host })
  await docker.swarmLeave({ force: true }).catch(() => undefined)
  const all = await docker.listContainers({ all: true })
  await Promise.all(all.map(({ Id }) => docker.getContainer(Id).remove({ force: true })))
}

function run(command: string, args: readonly string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
