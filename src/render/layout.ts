/** Which files of a tree belong to which renderer: kustomizations, Helm charts, and plain YAML for the rest. */
import { posix } from 'node:path'
import type { TreeFile } from '../git/source.ts'
import { isMap, textAt, textsAt } from '../model/raw.ts'
import { isManifestFile, textOf } from './plain.ts'
import type { Limits } from './types.ts'
import { parseYaml } from './yaml.ts'

export interface Kustomization {
  /** relative to the tree, `.` for its root */
  readonly folder: string
  readonly file: string
  /** what it takes in, as written */
  readonly references: readonly string[]
  /** a Component is only ever taken in by another */
  readonly isComponent: boolean
}

export interface Layout {
  readonly kustomizations: readonly Kustomization[]
  /** the ones to build: no other takes them in */
  readonly builds: readonly Kustomization[]
  readonly charts: readonly string[]
  readonly plain: readonly TreeFile[]
}

const kustomizationNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization']

/** Files and folders whose name begins with a dot are never read. */
export function layoutOf(files: readonly TreeFile[], limits: Limits): Layout {
  const visible = files.filter(({ path }) => !path.split('/').some((part) => part.startsWith('.')))
  const kustomizations = visible
    .filter(({ path }) => kustomizationNames.includes(posix.basename(path)))
    .map((file) => read(file, limits))
  const charts = outermost(
    visible.filter(({ path }) => posix.basename(path) === 'Chart.yaml').map(({ path }) => posix.dirname(path)),
  )
  const root = kustomizations.find(({ folder }) => folder === '.')
  if (root !== undefined) return { kustomizations, builds: [root], charts: [], plain: [] }
  if (charts.includes('.')) return { kustomizations, builds: [], charts, plain: [] }
  const outside = kustomizations.filter(({ folder }) => !charts.some((chart) => isWithin(folder, chart)))
  const taken = new Set(outside.flatMap((from) => from.references.map((reference) => posix.join(from.folder, reference))))
  const builds = outside.filter(({ folder, isComponent }) => !isComponent && !taken.has(folder))
  const claimed = outside.map(({ folder }) => folder)
  return {
    kustomizations,
    builds,
    charts: charts.filter((chart) => !claimed.some((folder) => isWithin(chart, folder))),
    plain: visible.filter(
      ({ path }) => isManifestFile(path) && ![...claimed, ...charts].some((folder) => isWithin(path, folder)),
    ),
  }
}

export function isWithin(path: string, folder: string): boolean {
  return folder === '.' || path === folder || path.startsWith(`${folder}/`)
}

/** Charts inside a chart are its dependencies. */
function outermost(folders: readonly string[]): readonly string[] {
  return folders.filter((folder) => !folders.some((other) => other !== folder && isWithin(folder, other)))
}

/** A kustomization that cannot be read takes in nothing here; its build says why. */
function read(file: TreeFile, limits: Limits): Kustomization {
  const folder = posix.dirname(file.path)
  const text = textOf(file, limits)
  const body = typeof text === 'string' ? parseYaml(text, limits).documents[0]?.body : undefined
  if (!isMap(body)) return { folder, file: file.path, references: [], isComponent: false }
  return {
    folder,
    file: file.path,
    references: ['resources', 'bases', 'components'].flatMap((key) => textsAt(body, key)),
    isComponent: textAt(body, 'kind') === 'Component',
  }
}
