/** What a container sees of the files in a volume, whether they are there plainly or through the links of `inplace.ts`. */
import type { Link } from './archive.ts'
import { DATA } from './inplace.ts'

export interface Visible<File> {
  /** by the path that it is read at; what no link of ours leads to is at the path where it is */
  readonly files: ReadonlyMap<string, File>
  /** paths of links that do not belong there, or lead to nothing */
  readonly astray: readonly string[]
}

/**
 * Links are only ever compared with those that are ours, and never followed: of `..data` the name of a folder beside it
 * counts, of all others that they lead to their own name in `..data`.
 */
export function visibleFiles<File extends { readonly path: string }>(
  files: readonly File[],
  links: readonly Link[],
): Visible<File> {
  const version = links.find(({ path, target }) => path === DATA && isVersion(target))?.target
  const held = new Set(version === undefined ? [] : files.flatMap(({ path }) => inside(version, path)?.split('/')[0] ?? []))
  const leading = links.filter(({ path, target }) => held.has(path) && target === `${DATA}/${path}`)
  const linked = new Set(leading.map(({ path }) => path))
  const seenAt = (path: string): string => {
    const within = version === undefined ? undefined : inside(version, path)
    return within !== undefined && linked.has(within.split('/')[0] ?? '') ? within : path
  }
  const ours = (path: string): boolean => linked.has(path) || (path === DATA && version !== undefined)
  return {
    files: new Map(files.map((file) => [seenAt(file.path), file])),
    astray: links.map(({ path }) => path).filter((path) => !ours(path)),
  }
}

function isVersion(target: string): boolean {
  return target.startsWith('..') && target.length > 2 && !target.includes('/') && target !== DATA
}

function inside(folder: string, path: string): string | undefined {
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : undefined
}
