/** The source that a configuration names. */
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { folderSource } from '../git/folder.ts'
import { gitSource } from '../git/repository.ts'
import type { Source } from '../git/source.ts'

/** Errors: `SourceError` `refused` for an address, branch or path that is not accepted. */
export function makeSource(
  config: Config,
  edges: { readonly now: () => number; readonly environment: Readonly<Record<string, string | undefined>> },
): Source {
  const { source, git } = config
  if (source === null) throw new Error('no source is configured: give --repo or --dir')
  if (source.kind === 'folder') return folderSource({ name: source.name, dir: join(source.dir, source.path), now: edges.now })
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
