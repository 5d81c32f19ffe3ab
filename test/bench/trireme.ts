/** The daemon under measurement: its repository, its process, and what it says of itself. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ClusterStatus, PodStatus, WorkloadStatus } from '../../src/reconcilers/status.ts'
import { until } from './wait.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
export const LAUNCHER = join(ROOT, 'bin/trireme')
const DEFAULT_PORT = 9440
/** Something always stays: an empty tree would prune nothing. */
const BASE = { 'base.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: base }\n' }

export interface Trireme {
  readonly process: ChildProcess
  /** the folder that is the source, or the work tree of the repository that is */
  readonly folder: string
  readonly logFile: string
  /** Writes files (`null` removes one); a repository is committed and pushed. Returns once that has happened. */
  write(files: Readonly<Record<string, string | null>>): void
  /** What a webhook does: have the source polled at once. */
  hint(): Promise<void>
  /** `write`, then `hint`. */
  push(files: Readonly<Record<string, string | null>>): Promise<void>
  status(): Promise<ClusterStatus>
  stop(): Promise<void>
}

export interface DaemonOptions {
  readonly host: string
  /** holds data, repository and log */
  readonly dir: string
  readonly cluster: string
  readonly source: 'repository' | 'folder'
  readonly port?: number
}

/** Starts a daemon on an empty source and waits until its router serves. */
export async function startTrireme(options: DaemonOptions): Promise<Trireme> {
  const dir = join(options.dir, options.cluster)
  const folder = join(dir, 'work')
  mkdirSync(folder, { recursive: true })
  if (options.source === 'folder') writeTree(folder, BASE)
  const repository = options.source === 'repository' ? createRepository(dir, folder) : undefined
  const logFile = join(dir, 'daemon.log')
  const port = options.port ?? DEFAULT_PORT
  const url = `http://127.0.0.1:${port}`
  const child = launch({ ...options, port }, dir, repository === undefined ? ['--dir', folder] : ['--repo', repository], logFile)
  const trireme: Trireme = {
    process: child,
    folder,
    logFile,
    write(files) {
      writeTree(folder, files)
      if (repository !== undefined) commit(folder)
    },
    async hint() {
      await fetch(`${url}/api/v1/sync`, { method: 'POST' })
    },
    async push(files) {
      trireme.write(files)
      await trireme.hint()
    },
    status: async () => (await (await fetch(`${url}/api/v1/status`)).json()) as ClusterStatus,
    async stop() {
      if (child.exitCode !== null) return
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
    },
  }
  await until('the router serves', async () => {
    if (child.exitCode !== null) throw new Error(`the daemon ended:\n${readFileSync(logFile, 'utf8')}`)
    return (await trireme.status().catch(() => undefined))?.nodes.some(({ router }) => router.connected)
  })
  return trireme
}

function launch(options: DaemonOptions, dir: string, source: readonly string[], logFile: string): ChildProcess {
  const log = openSync(logFile, 'a')
  const flags = [
    ...['--docker', options.host, '--cluster', options.cluster, '--data-dir', join(dir, 'data')],
    ...['--listen', `127.0.0.1:${options.port}`, '--interval', '1h', '--prune-max-share', '1', ...source],
  ]
  // The launcher would do the same; the process that is measured is then our own child.
  return spawn(LAUNCHER, ['run', ...flags], { stdio: ['ignore', log, log] })
}

function createRepository(dir: string, folder: string): string {
  const bare = join(dir, 'repository.git')
  git(dir, ['init', '--quiet', '--bare', '--initial-branch=main', bare])
  git(folder, ['init', '--quiet', '--initial-branch=main'])
  git(folder, ['remote', 'add', 'origin', bare])
  writeTree(folder, BASE)
  commit(folder)
  return bare
}

function writeTree(folder: string, files: Readonly<Record<string, string | null>>): void {
  for (const [path, text] of Object.entries(files)) {
    if (text === null) rmSync(join(folder, path), { force: true })
    else writeFileSync(join(folder, path), text)
  }
}

function commit(folder: string): void {
  git(folder, ['add', '--all'])
  git(folder, ['-c', 'user.name=bench', '-c', 'user.email=bench@example.org', 'commit', '--quiet', '--message=change'])
  git(folder, ['push', '--quiet', 'origin', 'main'])
}

function git(folder: string, args: readonly string[]): void {
  execFileSync('git', ['-C', folder, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
}

/** One workload, `undefined` while nothing is known of it. */
export function workload(status: ClusterStatus, key: string): WorkloadStatus | undefined {
  return status.workloads.find((one) => one.key === key)
}

/** Pods that serve: ready and in the data plane. */
export function servingPods(status: ClusterStatus, key: string): readonly PodStatus[] {
  return workload(status, key)?.pods.filter(({ ready, routed, terminating }) => ready && routed && !terminating) ?? []
}
