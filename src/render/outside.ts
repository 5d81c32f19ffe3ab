/** References of a kustomization that lead out of the tree: to the network, or to other folders of this machine. */
import { posix } from 'node:path'
import type { TreeFile } from '../git/source.ts'
import { isMap } from '../model/raw.ts'
import { type Kustomization, referenceFields, takenBy } from './layout.ts'
import { textOf } from './plain.ts'
import type { Limits } from './types.ts'
import { parseYaml } from './yaml.ts'

/** Fields of a kustomization in which a text may be a path, and so an address. */
const pathFields = [
  ...referenceFields,
  'crds',
  'configurations',
  'patches',
  'patchesStrategicMerge',
  'patchesJson6902',
  'replacements',
  'openapi',
  'configMapGenerator',
  'secretGenerator',
  'helmCharts',
]

export interface OutsideReference {
  readonly kind: 'remote' | 'escape'
  readonly file: string
  readonly line: number
  readonly address: string
}

/** The references out of the tree of a kustomization and of everything it takes in, in the order they are met. */
export function outsideReferences(
  from: Kustomization,
  all: readonly Kustomization[],
  files: readonly TreeFile[],
  limits: Limits,
): readonly OutsideReference[] {
  const byFolder = new Map(all.map((kustomization) => [kustomization.folder, kustomization]))
  const byPath = new Map(files.map((file) => [file.path, file]))
  const seen = new Set<string>()
  const found: OutsideReference[] = []
  const visit = (kustomization: Kustomization) => {
    if (seen.has(kustomization.folder)) return
    seen.add(kustomization.folder)
    found.push(...ownReferences(kustomization, byPath.get(kustomization.file), limits))
    for (const folder of takenBy(kustomization)) {
      const next = byFolder.get(folder)
      if (next !== undefined) visit(next)
    }
  }
  visit(from)
  return found
}

function ownReferences(kustomization: Kustomization, file: TreeFile | undefined, limits: Limits): readonly OutsideReference[] {
  const text = file === undefined ? undefined : textOf(file, limits)
  const document = typeof text === 'string' ? parseYaml(text, limits).documents[0] : undefined
  if (document === undefined || !isMap(document.body)) return []
  const { body, lineOf } = document
  return pathFields.flatMap((field) =>
    texts(body[field], [field]).flatMap(({ value, path }) => {
      const kind = isRemote(value)
        ? 'remote'
        : referenceFields.includes(field) && escapes(kustomization.folder, value)
          ? 'escape'
          : undefined
      return kind === undefined ? [] : [{ kind, file: kustomization.file, line: lineOf(path), address: value } as const]
    }),
  )
}

/** kustomize itself keeps files inside of their folder, but takes in any folder that it can read. */
function escapes(folder: string, text: string): boolean {
  if (text.includes('\n')) return false
  return posix.isAbsolute(text) || posix.join(folder, text).split('/')[0] === '..'
}

function texts(
  value: unknown,
  path: readonly (string | number)[],
): readonly { value: string; path: readonly (string | number)[] }[] {
  if (typeof value === 'string') return [{ value, path }]
  if (Array.isArray(value)) return value.flatMap((item, index) => texts(item, [...path, index]))
  if (!isMap(value)) return []
  return Object.entries(value).flatMap(([key, item]) =>
    key === 'patch' || key === 'literals' ? [] : texts(item, [...path, key]),
  )
}

/** @see kustomize api/internal/git/repospec.go: what it takes for the address of a repository or a file */
export function isRemote(text: string): boolean {
  const address = text.trim()
  if (address.includes('\n')) return false
  return (
    /^[a-z][a-z0-9+.-]*:\/\//i.test(address) ||
    /^git::/i.test(address) ||
    /^[\w.-]+@[\w.-]+:/.test(address) ||
    /^(www\.)?(github\.com|gitlab\.com|bitbucket\.org)[/:]/i.test(address) ||
    /^gh:/i.test(address) ||
    /[?&](ref|version)=/.test(address)
  )
}
