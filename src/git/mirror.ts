import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Git } from './command.ts'
import { GitExit } from './command.ts'
import type { Revision } from './source.ts'

/** The newest revision a poll has returned. */
const headRef = 'refs/trireme/head'
/** What the last fetch brought; only a pinned revision counts. */
const incomingRef = 'refs/trireme/incoming'
/** `<8-digit sequence>-<sha>`: keeps revisions readable over force-pushes and garbage collection. */
const pinsRef = 'refs/trireme/revisions/'
const pinsKept = 20

/**
 * Makes the bare mirror when there is none yet, and clears the locks and half packs that a killed Git left behind.
 *
 * One daemon owns a data directory, so at the time a source opens no other Git can hold these.
 */
export async function openMirror(git: Git, dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  if (existsSync(join(dir, 'HEAD'))) await removeLeftovers(dir)
  else await git.text(['init', '--quiet', '--bare', '--template='])
}

async function removeLeftovers(dir: string): Promise<void> {
  const names = await readdir(dir, { recursive: true })
  const locks = names.filter((name) => name.endsWith('.lock') && !name.startsWith('objects/pack/'))
  const halves = names.filter((name) => /^objects\/(.*\/)?tmp_[^/]*$/.test(name))
  await Promise.all([...locks, ...halves].map((name) => rm(join(dir, name), { recursive: true, force: true })))
}

/** Moves a mirror that Git cannot read any more aside, replacing an earlier one, so that the next open makes a new one. */
export async function setMirrorAside(dir: string): Promise<string> {
  const aside = `${dir}.corrupt`
  await rm(aside, { recursive: true, force: true })
  await rename(dir, aside)
  return aside
}

/**
 * Whether an error comes from the mirror's own content being damaged.
 *
 * A broken remote complains in the same words, so the mirror is checked before it is blamed: its revisions must survive that.
 */
export async function isMirrorDamaged(git: Git, error: unknown): Promise<boolean> {
  if (!(error instanceof GitExit) || !damageWords.test(error.stderr)) return false
  try {
    await git.text(['fsck', '--connectivity-only', '--no-dangling', '--no-progress'])
    return false
  } catch (found) {
    return found instanceof GitExit
  }
}

const damageWords =
  /bad object|error in object|object file .* is empty|corrupt|packfile .* (is|cannot|far too short)|unable to (read|unpack|parse)|missing (blob|tree|commit)|invalid sha1 pointer|bad config line|broken (ref|pack)|not a git repository: |shallow file/i

/** The newest revision's sha, also after a restart; `undefined` before the first successful poll. */
export async function readHead(git: Git): Promise<string | undefined> {
  const refs = await git.text(['for-each-ref', '--format=%(objectname)', headRef])
  return refs.trim() === '' ? undefined : refs.trim()
}

/** The sha a branch has at the remote now; `undefined` when the remote answers and has no such branch. */
export async function remoteHead(git: Git, address: string, branch: string): Promise<string | undefined> {
  const wanted = `refs/heads/${branch}`
  const lines = await git.text(['ls-remote', '--quiet', '--refs', '--', address, wanted])
  for (const line of lines.split('\n')) {
    const [sha, ref] = line.split('\t')
    // ls-remote matches the tail of a name: `x/refs/heads/main` would match too.
    if (ref === wanted && sha !== undefined && isSha(sha)) return sha
  }
  return undefined
}

/** Names of the remote's branches, sorted, for the error about one that is not there. */
export async function remoteBranches(git: Git, address: string): Promise<string[]> {
  const lines = await git.text(['ls-remote', '--quiet', '--refs', '--heads', '--', address])
  return lines
    .split('\n')
    .map((line) => line.split('\t')[1]?.replace('refs/heads/', ''))
    .filter((name) => name !== undefined)
    .sort()
}

/**
 * Fetches the branch with `depth` commits and returns its sha. The mirror's head and pins stay as they are.
 *
 * Servers that cannot cut history (dumb http) are asked for all of it.
 */
export async function fetchBranch(git: Git, address: string, branch: string, depth: number): Promise<string> {
  const fetch = (cut: readonly string[]) =>
    git.text([
      'fetch',
      '--no-tags',
      '--no-auto-maintenance',
      '--no-recurse-submodules',
      '--no-write-fetch-head',
      '--update-shallow',
      ...cut,
      '--',
      address,
      `+refs/heads/${branch}:${incomingRef}`,
    ])
  try {
    await fetch([`--depth=${depth}`])
  } catch (error) {
    if (!(error instanceof GitExit) || !/does not support shallow/i.test(error.stderr)) throw error
    await fetch([])
  }
  return (await git.text(['rev-parse', '--verify', '--end-of-options', `${incomingRef}^{commit}`])).trim()
}

type Ancestry = 'ancestor' | 'rewritten' | 'unknown'

/**
 * Whether `before` is an ancestor of `after`, as far as the mirror's shallow history can tell.
 *
 * `unknown` means that history is cut before it reaches as far back as `before`. When every cut is more than a day older than
 * `before`, no deeper commit can be it (committer clocks are wrong by less), so it is `rewritten`.
 */
export async function ancestryOf(git: Git, dir: string, before: string, after: string): Promise<Ancestry> {
  if (await isAncestor(git, before, after)) return 'ancestor'
  const cuts = await shallowCommits(dir)
  const oldest = await commitTimes(git, ['--max-parents=0', after])
  const reached = await commitTimes(git, ['--max-count=1', before])
  const beforeTime = reached[0]?.seconds ?? 0
  const open = oldest.some(({ sha, seconds }) => cuts.has(sha) && seconds > beforeTime - 86_400)
  return open ? 'unknown' : 'rewritten'
}

async function isAncestor(git: Git, before: string, after: string): Promise<boolean> {
  try {
    return (await git.text(['merge-base', before, after])).trim() === before
  } catch (error) {
    // No common ancestor at all.
    if (error instanceof GitExit && error.code === 1) return false
    throw error
  }
}

async function shallowCommits(dir: string): Promise<ReadonlySet<string>> {
  const file = join(dir, 'shallow')
  return new Set(existsSync(file) ? (await readFile(file, 'utf8')).split('\n') : [])
}

async function commitTimes(git: Git, revisions: readonly string[]): Promise<{ sha: string; seconds: number }[]> {
  const lines = await git.text(['log', '--format=%H %ct', ...revisions])
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({ sha: line.split(' ')[0]!, seconds: Number(line.split(' ')[1]) }))
}

/** Makes `sha` the head and pins it, in one transaction; pins beyond the newest twenty are let go. Returns the pin's sequence. */
export async function recordRevision(git: Git, sha: string): Promise<number> {
  const pins = await readPins(git)
  const next = (pins.at(-1)?.sequence ?? 0) + 1
  const kept = pins.filter((pin) => pin.sha !== sha)
  const dropped = [...pins.filter((pin) => pin.sha === sha), ...kept.slice(0, Math.max(0, kept.length + 1 - pinsKept))]
  const lines = [
    'start',
    `update ${headRef} ${sha}`,
    `update ${pinsRef}${String(next).padStart(8, '0')}-${sha} ${sha}`,
    ...dropped.map((pin) => `delete ${pin.ref}`),
    'commit',
  ]
  await git.text(['update-ref', '--stdin'], `${lines.join('\n')}\n`)
  return next
}

async function readPins(git: Git): Promise<{ ref: string; sequence: number; sha: string }[]> {
  const refs = await git.text(['for-each-ref', '--sort=refname', '--format=%(refname)', pinsRef])
  return refs
    .split('\n')
    .filter((ref) => ref !== '')
    .map((ref) => {
      const [sequence = '', sha = ''] = ref.slice(pinsRef.length).split('-')
      return { ref, sequence: Number(sequence), sha }
    })
}

/** Who, when and why of one commit that the mirror holds. */
export async function readRevision(git: Git, sha: string): Promise<Revision> {
  const text = await git.text(['log', '--max-count=1', '--format=%H%x00%an <%ae>%x00%ct%x00%B', '--end-of-options', sha])
  const [id = sha, author = '', seconds = '0', message = ''] = text.split('\0')
  return {
    sha: id,
    author: printable(author),
    message: printable(message).trim().slice(0, 10_000),
    committedAt: Number(seconds) * 1000,
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: a commit's text must not steer the terminal that shows it
const printable = (text: string) => text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')

/** Packs what small fetches left, once it is much. A mirror that cannot be packed still serves, so failing is not a failed poll. */
export async function tidyMirror(git: Git): Promise<void> {
  try {
    await git.text(['-c', 'gc.auto=2000', 'gc', '--auto', '--quiet'])
  } catch (error) {
    if (!(error instanceof GitExit)) throw error
  }
}

export const isSha = (text: string) => /^[0-9a-f]{40}$|^[0-9a-f]{64}$/.test(text)
