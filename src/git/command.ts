import { GitError, GitPluginError, type SimpleGit, simpleGit } from 'simple-git'
import { SourceError } from './source.ts'

/** Git ended with a code other than 0. `stderr` is raw: it may hold what must not be shown. */
export class GitExit extends GitError {
  readonly code: number
  readonly stderr: string
  constructor(code: number, stderr: string) {
    super(undefined, `git exited with code ${code}`)
    this.code = code
    this.stderr = stderr
  }
}

interface GitSettings {
  readonly dir: string
  readonly environment: Readonly<Record<string, string>>
  readonly config: readonly string[]
}

/**
 * Runs Git in one hardened way. Every method throws `GitExit`, what the signal was aborted with, or `SourceError` of kind
 * `refused` when Git says more than is kept: a tree of trees that hold each other ten times over fits into a few kilobytes.
 */
export interface Git {
  text(args: readonly string[], input?: string): Promise<string>
  bytes(args: readonly string[], input: string): Promise<Buffer>
}

export function hardenedGit(settings: GitSettings, signal: AbortSignal): Git {
  const run = async <T>(work: (git: SimpleGit) => Promise<T>, input: string | undefined, waitForClose: boolean): Promise<T> => {
    signal.throwIfAborted()
    const flood = new AbortController()
    const git = boundGit(settings, AbortSignal.any([signal, flood.signal]), input, waitForClose)
    git.outputHandler((_command, stdout, stderr) => limitOutput([stdout, stderr], () => flood.abort(tooMuch())))
    try {
      return await work(git)
    } catch (error) {
      signal.throwIfAborted()
      flood.signal.throwIfAborted()
      throw error
    }
  }
  return {
    text: (args, input) => run((git) => git.raw([...args]) as Promise<string>, input, false),
    bytes: ([, ...args], input) => run((git) => git.binaryCatFile(args) as Promise<Buffer>, input, true),
  }
}

/** Above what a tree at its limits takes, content or listing, with what Git adds to it. */
const maxOutputBytes = 96 * 1024 * 1024

function tooMuch(): SourceError {
  const limit = `${maxOutputBytes} bytes`
  return new SourceError('refused', `the repository makes Git say more than ${limit}, so it is not read; give a narrower --path`)
}

/** Counts what comes on all streams together, and calls back once it is too much. */
function limitOutput(streams: readonly NodeJS.ReadableStream[], flooded: () => void): void {
  let size = 0
  for (const stream of streams) {
    stream.on('data', (chunk: Uint8Array) => {
      size += chunk.length
      if (size > maxOutputBytes) flooded()
    })
  }
}

function boundGit(settings: GitSettings, signal: AbortSignal, input: string | undefined, waitForClose: boolean): SimpleGit {
  return simpleGit({
    baseDir: settings.dir,
    abort: signal,
    config: [...settings.config],
    allowEnvironment: Object.keys(settings.environment),
    // These are ours to set: the values come from this folder, never from a repository or a caller.
    unsafe: {
      allowUnsafeAskPass: true,
      allowUnsafeConfigPaths: true,
      allowUnsafeFsMonitor: true,
      allowUnsafeHooksPath: true,
      allowUnsafeProtocolOverride: true,
      allowUnsafeSshCommand: true,
      allowUnsafeTemplateDir: true,
    },
    // A transport helper that outlives a killed Git holds its output open, so there the exit counts and not the close. A
    // command that streams content has no helper, and its last bytes may come after the exit.
    completion: waitForClose ? { onClose: true, onExit: false } : { onClose: true, onExit: 500 },
    // simple-git takes a failing exit without a message for success, and drops the code of any other.
    errors: (error, { exitCode, stdOut, stdErr }) => {
      if (error instanceof GitPluginError) return error
      return exitCode === 0 ? undefined : new GitExit(exitCode, Buffer.concat([...stdErr, ...stdOut]).toString('utf8'))
    },
    ...(input === undefined ? {} : { input: () => input }),
  }).env({ ...settings.environment })
}
