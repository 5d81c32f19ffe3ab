/** A repository whose remote may be away, hang, or have another history. */
import { type Poll, type Revision, type Source, SourceError, type Tree } from '../../src/git/source.ts'
import { treeHash } from '../../src/git/treehash.ts'
import type { Timers } from '../../src/runtime/timers.ts'

/** Text by path. */
export type Files = Readonly<Record<string, string>>

export interface Commit {
  readonly sha: string
  readonly parent: string
  readonly message: string
  readonly files: Files
  readonly committedAt: number
}

/** How the remote is at the moment. */
export type Remote = 'up' | 'unreachable' | 'hanging'

export interface Repository {
  readonly head: () => Commit
  commit(files: Files, message: string, options?: { readonly rewrite?: boolean }): Commit
  at(sha: string): Commit | undefined
  remote: Remote
  /** A source as one daemon has it: its mirror keeps what it has fetched, also over restarts. */
  source(mirror: Map<string, Commit>): Source
}

/** How long git waits for a remote that does not answer: ms. */
const TIMEOUT_MS = 60_000

export function repository(world: {
  readonly timers: Timers
  readonly now: () => number
  readonly latency: () => number
}): Repository {
  const commits = new Map<string, Commit>()
  let head: Commit | undefined
  let serial = 0

  const wait = (ms: number): Promise<void> => new Promise((resolve) => void world.timers.setTimeout(resolve, ms))
  const made = (): Commit => {
    if (head === undefined) throw new Error('the repository has no commit yet')
    return head
  }

  const self: Repository = {
    remote: 'up',
    head: made,
    at: (sha) => commits.get(sha),
    commit(files, message, options = {}) {
      const sha = (++serial).toString(16).padStart(8, '0').padEnd(40, '0')
      head = { sha, parent: options.rewrite ? '' : (head?.sha ?? ''), message, files, committedAt: world.now() }
      commits.set(sha, head)
      return head
    },
    source: (mirror) => sourceOf(mirror),
  }

  function descends(from: Commit, ancestor: string): boolean {
    for (let at: Commit | undefined = from; at !== undefined; at = commits.get(at.parent)) if (at.sha === ancestor) return true
    return false
  }

  function sourceOf(mirror: Map<string, Commit>): Source {
    async function fetch(): Promise<Commit> {
      await wait(self.remote === 'hanging' ? TIMEOUT_MS : world.latency())
      if (self.remote === 'hanging') throw new SourceError('timeout', 'fetch: the remote did not answer within 60 s')
      if (self.remote === 'unreachable') throw new SourceError('unreachable', 'fetch: could not resolve host')
      return made()
    }
    return {
      name: 'world',
      async poll(): Promise<Poll> {
        const before = [...mirror.values()].at(-1)
        const found = await fetch()
        mirror.delete(found.sha)
        mirror.set(found.sha, found)
        return { revision: revisionOf(found), forced: before !== undefined && !descends(found, before.sha) }
      },
      async tree(sha): Promise<Tree> {
        await wait(world.latency())
        const commit = mirror.get(sha)
        if (commit === undefined) throw new SourceError('failed', `revision ${sha} is not in the mirror`)
        const files = Object.entries(commit.files)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([path, text]) => ({ path, bytes: Buffer.from(text) }))
        return { revision: revisionOf(commit), hash: treeHash(files), files, refused: [] }
      },
      watch: () => () => undefined,
      close: async () => undefined,
    }
  }
  return self
}

function revisionOf({ sha, message, committedAt }: Commit): Revision {
  return { sha, author: 'rower', message, committedAt }
}
