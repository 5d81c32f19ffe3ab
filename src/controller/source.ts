/** The source that a configuration names. */
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { folderSource } from '../git/folder.ts'
import { gitSource } from '../git/repository.ts'
import type { Source, Tree } from '../git/source.ts'
import type { PruneConfig } from '../reconcilers/prune.ts'
import type { Rendered, RenderOptions } from '../render/types.ts'

/** Errors: `SourceError` `refused` for an address, branch or path that is not accepted. */
export function makeSource(
  config: Config,
  edges: { readonly now: () => number; readonly environment: Readonly<Record<string, string | undefined>> },
): Source {
  const { source, git } = config
  if (source === null) throw new Error('no source is configured: give --repo or --dir')
  if (source.kind === 'folder') return folderSource({ name: source.name, dir: source.dir, now: edges.now })
  const { username, password, passwordFile, sshKeyFile, knownHostsFile } = git
  const credentials = Object.fromEntries(
    Object.entries({ username, password, passwordFile, sshKeyFile, knownHostsFile }).filter(([, value]) => value !== undefined),
  )
  return gitSource({
    name: source.name,
    url: source.url,
    branch: source.branch,
    path: source.path,
    mirrorDir: join(config.dataDir, 'mirrors'),
    timeoutMs: git.timeoutMs,
    credentials,
    ...(git.caFile === undefined ? {} : { caFile: git.caFile }),
    environment: edges.environment,
  })
}

/**
 * Renders a revision. A Git source is read below its path only, because a repository may hold much else; where that
 * is an overlay on a base beside it, the whole repository is read after all. A folder is always read whole.
 */
export async function renderRevision(
  config: Config,
  source: Source,
  sha: string,
  render: (tree: Tree, options: RenderOptions) => Promise<Rendered>,
  options: RenderOptions,
  signal: AbortSignal,
): Promise<{ readonly tree: Tree; readonly rendered: Rendered }> {
  const path = config.source?.path ?? '.'
  const within = { ...options, path }
  const tree = await source.tree(sha, signal)
  if (config.source?.kind !== 'git' || path === '.') return { tree, rendered: await render(tree, within) }
  const rendered = await render(tree, options)
  if (!rendered.problems.some(({ code }) => code === 'PathEscape')) return { tree, rendered }
  const whole = await source.tree(sha, signal, 'whole')
  return { tree: whole, rendered: await render(whole, within) }
}

/** Address, branch and path as a user gave them; logins in an address are never part of it. */
export function describeSource({ source }: Config): { readonly repo: string; readonly branch: string; readonly path: string } {
  if (source === null) return { repo: '', branch: '', path: '' }
  if (source.kind === 'folder') return { repo: source.dir, branch: '', path: source.path }
  return { repo: redactUrl(source.url), branch: source.branch, path: source.path }
}

function redactUrl(url: string): string {
  return url.replace(/^([a-z+]+:\/\/)[^/@]*@/i, '$1')
}

/** What may be pruned, as the operator has set it. */
export function pruneConfig({ prune }: Config): PruneConfig {
  return { prune: prune.enabled, maxShare: prune.maxShare, ...(prune.confirm === '' ? {} : { confirmedRevision: prune.confirm }) }
}
