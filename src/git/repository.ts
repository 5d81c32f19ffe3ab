import { createHash } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { findTree, readBlobs, type TreeLimits } from './blobs.ts'
import { type Git, GitExit, hardenedGit } from './command.ts'
import { checkReadable, type GitCredentials, loginOf, secretsOf } from './credentials.ts'
import { gitConfig, gitEnvironment } from './environment.ts'
import { sourceErrorOf } from './failure.ts'
import {
  ancestryOf,
  fetchBranch,
  isMirrorDamaged,
  isSha,
  openMirror,
  readHead,
  readRevision,
  recordRevision,
  remoteBranches,
  remoteHead,
  setMirrorAside,
  tidyMirror,
} from './mirror.ts'
import { checkBranch, checkPath } from './names.ts'
import { redactor } from './redact.ts'
import { type Poll, type Revision, type Source, SourceError, type Tree, type TreeScope } from './source.ts'
import { treeHash } from './treehash.ts'
import { parseRemote } from './url.ts'

export interface GitSourceOptions extends Partial<TreeLimits> {
  readonly name: string
  /** https, http or ssh URL, `user@host:path`, or with `allowFile` a file URL or local path */
  readonly url: string
  readonly branch: string
  /** folder inside the repository; `.` is all of it */
  readonly path: string
  /** where the bare mirrors of all sources live; each gets its own folder, named after source, address and branch */
  readonly mirrorDir: string
  /** wall clock time of one poll or one tree, ms */
  readonly timeoutMs: number
  readonly credentials?: GitCredentials
  /** PEM file of the authority that signed the server's certificate */
  readonly caFile?: string
  /** whether `file://` and local paths are allowed; true by default, for addresses that the operator gave */
  readonly allowFile?: boolean
  /** the daemon's own environment, from which PATH, proxies and the ssh agent are taken */
  readonly environment?: Readonly<Record<string, string | undefined>>
}

const defaultLimits: TreeLimits = { maxFileBytes: 10 << 20, maxTotalBytes: 64 << 20, maxFiles: 20_000 }
/** Commits fetched to learn whether the previous revision is among the ancestors of the new one. */
const depths = [8, 64, 512, 4096]
/** Revisions after which the mirror is looked at for packing. */
const tidyEvery = 16

/**
 * A branch of a Git repository as a source, kept in a shallow bare mirror.
 *
 * Nothing the repository carries runs: no checkout, filter, hook, submodule or configuration. A poll that fails leaves head and
 * revisions as they were. Errors: `SourceError` of kind `refused` here for an address, branch or path that is not accepted;
 * by kind from `poll` and `tree`. No error holds a credential.
 */
export function gitSource(options: GitSourceOptions): Source {
  const parsed = parseRemote(options.url, { allowFile: options.allowFile ?? true })
  const { remote } = parsed
  const branch = checkBranch(options.branch)
  const path = checkPath(options.path)
  const credentials = options.credentials ?? {}
  const login = loginOf(parsed, credentials)
  const limits = { ...defaultLimits, ...definedLimits(options) }
  const mirrorDir = resolve(options.mirrorDir)
  const dir = join(mirrorDir, mirrorName(options.name, remote.address, branch))
  const settings = {
    dir,
    environment: gitEnvironment({
      remote,
      login,
      credentials,
      homeDir: mirrorDir,
      gitDir: dir,
      knownHostsFile: join(mirrorDir, 'known_hosts'),
      inherited: options.environment ?? {},
    }),
    config: gitConfig({ remote, caFile: options.caFile, timeoutMs: options.timeoutMs }),
  }
  let opening: Promise<void> | undefined
  let latest: Revision | undefined

  /** Opens the mirror once, however many calls come first: opening clears locks, which a running Git may hold later on. */
  async function open(git: Git): Promise<void> {
    opening ??= openMirror(git, dir)
    try {
      await opening
    } catch (error) {
      opening = undefined
      throw error
    }
    if (existsSync(join(dir, 'HEAD'))) return
    // Removed while the daemon runs: made anew, and the next poll fetches again.
    latest = undefined
    opening = openMirror(git, dir)
    await opening
  }

  /** Runs one piece of work with the mirror open, within the time limit, and turns what fails into a `SourceError`. */
  async function withMirror<T>(doing: string, signal: AbortSignal, work: (git: Git) => Promise<T>): Promise<T> {
    const timeout = AbortSignal.timeout(options.timeoutMs)
    const within = AbortSignal.any([signal, timeout])
    let redact = redactor([], '')
    try {
      const secrets = secretsOf(login)
      redact = redactor([...secrets, ...(parsed.password === undefined ? [] : [parsed.password])], login?.username ?? '')
      checkReadable({ ...credentials, caFile: options.caFile })
      within.throwIfAborted()
      const git = hardenedGit(settings, within)
      await open(git)
      return await work(git)
    } catch (error) {
      if (signal.aborted) throw new SourceError('failed', `${doing}: stopped`)
      if (timeout.aborted) {
        throw new SourceError('timeout', `${doing}: no answer within ${options.timeoutMs / 1000} s; it is tried again`)
      }
      if (await isMirrorDamaged(hardenedGit(settings, within), error)) {
        opening = undefined
        latest = undefined
        const aside = await setMirrorAside(dir)
        throw new SourceError('failed', `${doing}: the mirror is damaged; it was moved to ${aside} and is made anew`)
      }
      throw sourceErrorOf(error, doing, redact)
    }
  }

  async function poll(git: Git): Promise<Poll> {
    if (remote.transport === 'file') checkLocal(remote.address)
    const previous = latest?.sha ?? (await readHead(git))
    const found = await remoteHead(git, remote.address, branch)
    if (found === undefined) throw await branchMissing(git)
    if (found === previous) {
      latest = latest?.sha === found ? latest : await readRevision(git, found)
      return { revision: latest, forced: false }
    }
    const { sha, forced } = previous === undefined ? await fetchFirst(git) : await fetchNext(git, previous)
    const revision = await readRevision(git, sha)
    const sequence = await recordRevision(git, sha)
    latest = revision
    if (sequence % tidyEvery === 0) await tidyMirror(git)
    return { revision, forced }
  }

  async function fetchFirst(git: Git): Promise<{ sha: string; forced: boolean }> {
    return { sha: await fetchBranch(git, remote.address, branch, 1), forced: false }
  }

  /**
   * Deepens until the previous revision is found or history is known to have been rewritten.
   *
   * Always a bounded depth: a plain fetch after a force-push would bring all of history. When even the deepest look does not
   * tell, the push counts as forced: that `previous` continues could not be shown.
   */
  async function fetchNext(git: Git, previous: string): Promise<{ sha: string; forced: boolean }> {
    let sha = ''
    for (const depth of depths) {
      sha = await fetchBranch(git, remote.address, branch, depth)
      const ancestry = await ancestryOf(git, dir, previous, sha)
      if (ancestry !== 'unknown') return { sha, forced: ancestry === 'rewritten' }
    }
    return { sha, forced: true }
  }

  async function branchMissing(git: Git): Promise<SourceError> {
    const branches = await remoteBranches(git, remote.address)
    const shown = branches.slice(0, 5).join(', ')
    const others = branches.length === 0 ? 'it has no branches yet' : `it has ${shown}${branches.length > 5 ? ', …' : ''}`
    return new SourceError(
      'branchNotFound',
      `${remote.address} has no branch ${branch}; ${others}; push it or give another --branch`,
    )
  }

  async function tree(git: Git, sha: string, scope: TreeScope): Promise<Tree> {
    const revision = await readRevision(git, sha).catch((error) => {
      if (!(error instanceof GitExit) || !/bad object|unknown revision|not a valid object/i.test(error.stderr)) throw error
      throw new SourceError('failed', `revision ${sha} is not in the mirror any more; poll for a newer one`)
    })
    const { files, refused } = await readBlobs(git, await findTree(git, sha, scope === 'whole' ? '' : path, branch), limits)
    return { revision, hash: treeHash(files), files, refused }
  }

  return {
    name: options.name,
    poll: (signal) => withMirror(`polling branch ${branch} of ${remote.address}`, signal, poll),
    tree: (sha, signal, scope = 'path') => {
      if (!isSha(sha)) return Promise.reject(new SourceError('refused', `${JSON.stringify(sha)} is not a full commit id`))
      return withMirror(`reading revision ${sha.slice(0, 12)} of ${remote.address}`, signal, (git) => tree(git, sha, scope))
    },
    // A remote tells nothing by itself; webhooks are hints to poll.
    watch: () => () => {},
    close: async () => {},
  }
}

function definedLimits(options: GitSourceOptions): Partial<TreeLimits> {
  const { maxFileBytes, maxTotalBytes, maxFiles } = options
  return {
    ...(maxFileBytes === undefined ? {} : { maxFileBytes }),
    ...(maxTotalBytes === undefined ? {} : { maxTotalBytes }),
    ...(maxFiles === undefined ? {} : { maxFiles }),
  }
}

/** A mirror belongs to one address and branch: pointing a source elsewhere never mixes histories. */
function mirrorName(name: string, address: string, branch: string): string {
  const id = createHash('sha256').update(`${name}\n${address}\n${branch}`).digest('hex').slice(0, 12)
  return `${name.replace(/[^A-Za-z0-9_-]/g, '-').slice(0, 40)}-${id}.git`
}

/** A local repository that is not there gets a clearer answer than Git's. */
function checkLocal(address: string): void {
  const entry = statSync(address, { throwIfNoEntry: false })
  if (entry === undefined) throw new SourceError('unreachable', `there is no repository at ${address}; check the path`)
  if (!entry.isDirectory()) throw new SourceError('refused', `${address} is not a folder; name a Git repository`)
}
