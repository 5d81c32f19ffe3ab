import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach } from 'vitest'

const made: string[] = []
afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true })
})

/** A folder of this test, removed after it. */
export function scratch(): string {
  const dir = mkdtempSync(join(tmpdir(), 'trireme-git-'))
  made.push(dir)
  return dir
}

export function writeFiles(dir: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), content)
  }
}

/** A working copy with its bare remote, as a user has them. */
export interface Remote {
  readonly bare: string
  readonly work: string
  git(...args: string[]): string
  /** as `git`, with something to read */
  write(args: readonly string[], input: string): string
  /** as `git`, at another time */
  gitAt(date: string, ...args: string[]): string
  /** commits the files over what is there, pushes, and returns the sha */
  push(files: Readonly<Record<string, string | Uint8Array>>, message?: string): string
}

export function makeRemote(): Remote {
  const root = scratch()
  const bare = join(root, 'remote.git')
  const work = join(root, 'work')
  const env = {
    PATH: process.env.PATH,
    HOME: root,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@example.org',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@example.org',
  }
  const run = (cwd: string, args: readonly string[], more = {}, input = '') =>
    execFileSync('git', args, { cwd, env: { ...env, ...more }, encoding: 'utf8', stdio: 'pipe', input }).trim()
  run(root, ['init', '--quiet', '--bare', '--initial-branch=main', bare])
  run(root, ['init', '--quiet', '--initial-branch=main', work])
  run(bare, ['config', 'receive.denyDeleteCurrent', 'ignore'])
  const git = (...args: string[]) => run(work, args)
  return {
    bare,
    work,
    git,
    write: (args, input) => run(work, args, {}, input),
    gitAt: (date, ...args) => run(work, args, { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date }),
    push(files, message = 'change') {
      writeFiles(work, files)
      git('add', '--all', '--force')
      git('commit', '--quiet', '--allow-empty', '-m', message)
      git('push', '--quiet', '--force', bare, 'HEAD')
      return git('rev-parse', 'HEAD')
    },
  }
}
