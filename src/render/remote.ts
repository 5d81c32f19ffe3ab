/** References of a kustomization that would be fetched from elsewhere. */
import { posix } from 'node:path'
import type { TreeFile } from '../git/source.ts'
import { isMap } from '../model/raw.ts'
import type { Kustomization } from './layout.ts'
import { textOf } from './plain.ts'
import type { Limits } from './types.ts'
import { parseYaml } from './yaml.ts'

/** Fields of a kustomization in which a text may be a path, and so an address. */
const pathFields = [
  'resources',
  'bases',
  'components',
  'crds',
  'configurations',
  'generators',
  'transformers',
  'validators',
  'patches',
  'patchesStrategicMerge',
  'patchesJson6902',
  'replacements',
  'openapi',
  'configMapGenerator',
  'secretGenerator',
  'helmCharts',
]

export interface RemoteReference {
  readonly file: string
  readonly line: number
  readonly address: string
}

/** The remote references of a kustomization and of everything it takes in, in the order they are met. */
export function remoteReferences(
  from: Kustomization,
  all: readonly Kustomization[],
  files: readonly TreeFile[],
  limits: Limits,
): readonly RemoteReference[] {
  const byFolder = new Map(all.map((kustomization) => [kustomization.folder, kustomization]))
  const byPath = new Map(files.map((file) => [file.path, file]))
  const seen = new Set<string>()
  const found: RemoteReference[] = []
  const visit = (kustomization: Kustomization) => {
    if (seen.has(kustomization.folder)) return
    seen.add(kustomization.folder)
    found.push(...ownReferences(kustomization, byPath.get(kustomization.file), limits))
    for (const reference of kustomization.references) {
      const next = byFolder.get(posix.join(kustomization.folder, reference))
      if (next !== undefined) visit(next)
    }
  }
  visit(from)
  return found
}

function ownReferences(kustomization: Kustomization, file: TreeFile | undefined, limits: Limits): readonly RemoteReference[] {
  const text = file === undefined ? undefined : textOf(file, limits)
  const document = typeof text === 'string' ? parseYaml(text, limits).documents[0] : undefined
  if (document === undefined || !isMap(document.body)) return []
  const { body, lineOf } = document
  return pathFields.flatMap((field) =>
    texts(body[field], [field])
      .filter(({ value }) => isRemote(value))
      .map(({ value, path }) => ({ file: kustomization.file, line: lineOf(path), address: value })),
  )
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
