import { GitError, GitPluginError, type SimpleGit, simpleGit } from 'simple-git'

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

/** Runs Git in one hardened way. Every method throws `GitExit`, or what the signal was aborted with. */
export interface Git {
  text(args: readonly string[], input?: string): Promise<string>
  bytes(args: readonly string[], input: string): Promise<Buffer>
}

export function hardenedGit(settings: GitSettings, signal: AbortSignal): Git {
  const run = async <T>(work: (git: SimpleGit) => Promise<T>, input: string | undefined, waitForClose: boolean): Promise<T> => {
    signal.throwIfAborted()
    try {
      return await work(boundGit(settings, signal, input, waitForClose))
    } catch (error) {
      signal.throwIfAborted()
      throw error
    }
  }
  return {
    text: (args, input) => run((git) => git.raw([...args]) as Promise<string>, input, false),
    bytes: ([, ...args], input) => run((git) => git.binaryCatFile(args) as Promise<Buffer>, input, true),
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
