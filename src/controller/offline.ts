/** `trireme validate`: what Trireme makes of files and folders, without an engine, a daemon or a network. */
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { ValidateOptions, ValidationOutcome } from '../cli/deps.ts'
import { folderSource } from '../git/folder.ts'
import { SourceError, type Tree } from '../git/source.ts'
import { loadManifests } from '../model/load.ts'
import { renderTree } from '../render/render.ts'
import { findTools, type Tools } from '../render/tools.ts'

interface OfflineEdges {
  readonly now: () => number
  readonly path: string
  readonly signal: AbortSignal
}

/** Each path is validated by itself, as a source would be; its files are named as they were given. */
export async function validatePaths(
  paths: readonly string[],
  options: ValidateOptions,
  edges: OfflineEdges,
): Promise<ValidationOutcome> {
  const cacheDir = await mkdtemp(join(tmpdir(), 'trireme-tools-'))
  try {
    const tools = findTools({ path: edges.path, cacheDir })
    const outcomes: ValidationOutcome[] = []
    for (const path of paths) outcomes.push(await validatePath(path, options, edges, tools))
    return { verdicts: outcomes.flatMap(({ verdicts }) => verdicts), problems: outcomes.flatMap(({ problems }) => problems) }
  } finally {
    await rm(cacheDir, { recursive: true, force: true })
  }
}

async function validatePath(
  path: string,
  options: ValidateOptions,
  edges: OfflineEdges,
  tools: Tools,
): Promise<ValidationOutcome> {
  const isFolder = await isDirectory(path)
  const tree = isFolder ? await folderTree(path, edges) : await fileTree(path, edges)
  const rendered = await renderTree(
    tree,
    { name: basename(path), namespace: options.namespace, allowRemote: options.allowRemote },
    tools,
  )
  const { verdicts, problems } = loadManifests(rendered.manifests, {
    revision: tree.revision.sha,
    defaultNamespace: options.namespace,
    digest: (bytes) => createHash('sha256').update(bytes).digest('hex'),
    vault: () => undefined,
    allow: options.allow,
    brokenFiles: rendered.brokenFiles,
    extraProblems: rendered.problems,
  })
  const named = <T extends { readonly file: string }>(item: T): T => ({ ...item, file: isFolder ? join(path, item.file) : path })
  return { verdicts: verdicts.map(named), problems: problems.map(named) }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    throw new SourceError(
      'pathNotFound',
      `cannot read ${path}: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'it does not exist' : (error as Error).message}`,
      { cause: error },
    )
  }
}

async function folderTree(dir: string, { now, signal }: OfflineEdges): Promise<Tree> {
  const source = folderSource({ name: basename(dir), dir, now })
  try {
    const { revision } = await source.poll(signal)
    return await source.tree(revision.sha, signal)
  } finally {
    await source.close()
  }
}

async function fileTree(path: string, { now }: OfflineEdges): Promise<Tree> {
  const bytes = await readFile(path)
  const sha = `file-${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}`
  const revision = { sha, author: '', message: path, committedAt: now() }
  return { revision, hash: sha, files: [{ path: basename(path), bytes }], refused: [] }
}
