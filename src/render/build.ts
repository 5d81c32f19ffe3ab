/** Runs kustomize or helm over a private copy of the tree, with nothing of this process's environment and no network. */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, normalize } from 'node:path'
import type { TreeFile } from '../git/source.ts'
import type { Command } from './tools.ts'

export interface Build {
  readonly command: Command
  /** after the command's own; `root` is where the copy is */
  readonly args: (root: string) => readonly string[]
  readonly files: readonly TreeFile[]
  /** what of the copy outlives a kill is found here; `undefined` for the system's temporary folder */
  readonly workDir: string | undefined
  readonly network: boolean
  readonly timeoutMs: number
  /** of the output */
  readonly maxBytes: number
}

/** The tool said no, took too long, or said too much. The message is the tool's own, without the copy's path. */
export class BuildError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'BuildError'
  }
}

/** The output of the tool. Errors: `BuildError`. */
export async function runBuild(build: Build): Promise<string> {
  const folder = await workFolder(build)
  const root = join(folder, 'tree')
  try {
    await writeTree(root, build.files)
    return await run(build, root, folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function workFolder({ workDir = tmpdir() }: Build): Promise<string> {
  await mkdir(workDir, { recursive: true, mode: 0o700 })
  return mkdtemp(join(workDir, 'trireme-render-'))
}

/** Regular files only, and none outside of `root`, whatever their paths say. */
async function writeTree(root: string, files: readonly TreeFile[]): Promise<void> {
  await mkdir(root, { recursive: true, mode: 0o700 })
  const folders = new Set<string>([root])
  for (const { path, bytes } of files) {
    const file = join(root, path)
    if (path.startsWith('/') || normalize(path).startsWith('..')) throw new BuildError(`${path} is outside of the tree`)
    if (!folders.has(dirname(file))) await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    folders.add(dirname(file))
    await writeFile(file, bytes, { mode: 0o600, flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
      throw new BuildError(`${path} cannot be copied: ${error.code}`)
    })
  }
}

/** Address space of the tool, in KiB: what a template of thirty characters can use up is without bound. */
const maxMemoryKiB = 4 * 1024 * 1024
const bounded = `ulimit -v ${maxMemoryKiB} 2>/dev/null; exec "$0" "$@"`

function run(build: Build, root: string, home: string): Promise<string> {
  const [file, ...first] = build.command
  const options = {
    cwd: root,
    env: environment(home, build.network),
    timeout: build.timeoutMs,
    killSignal: 'SIGKILL' as const,
    maxBuffer: build.maxBytes,
  }
  return new Promise((resolve, reject) => {
    execFile('/bin/sh', ['-c', bounded, file, ...first, ...build.args(root)], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new BuildError(reasonOf(error, stderr, build).replaceAll(`${root}/`, '').replaceAll(root, '.')))
    })
  })
}

/** Without PATH no git is found, and a proxy that nobody serves stops every request that is tried regardless. */
function environment(home: string, network: boolean): Record<string, string> {
  const own = {
    HOME: home,
    TMPDIR: home,
    XDG_CONFIG_HOME: home,
    XDG_CACHE_HOME: home,
    XDG_DATA_HOME: home,
    KUBECONFIG: '/dev/null',
  }
  if (network) return { ...own, PATH: '/usr/local/bin:/usr/bin:/bin', GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1' }
  const nowhere = 'http://127.0.0.1:1'
  return { ...own, PATH: '', HTTP_PROXY: nowhere, HTTPS_PROXY: nowhere, http_proxy: nowhere, https_proxy: nowhere }
}

function reasonOf(error: Error & { code?: unknown; killed?: boolean }, stderr: string, build: Build): string {
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return `the output is more than ${build.maxBytes} bytes`
  if (error.killed === true) return `it took more than ${build.timeoutMs} ms`
  if (/out of memory|cannot allocate/.test(stderr)) return `it takes more than ${maxMemoryKiB} KiB of memory`
  const lines = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^(W\d{4}|# Warning|WARNING|level=WARN)/.test(line))
  return lines.join(' ').slice(0, 2000) || error.message
}
