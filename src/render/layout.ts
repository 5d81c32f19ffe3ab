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

/** Fields of a kustomization that may name folders. */
export const referenceFields = ['resources', 'bases', 'components', 'generators', 'transformers', 'validators']

const kustomizationNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization']

/**
 * What to build and read of the folder `path` of a tree; the rest of the tree is only there to be taken in.
 * Files and folders whose name begins with a dot are never read.
 */
export function layoutOf(files: readonly TreeFile[], limits: Limits, path = '.'): Layout {
  const visible = files.filter(({ path }) => !path.split('/').some((part) => part.startsWith('.')))
  const kustomizations = visible
    .filter(({ path }) => kustomizationNames.includes(posix.basename(path)))
    .map((file) => read(file, limits))
  const charts = outermost(chartFolders(visible).filter((folder) => isWithin(folder, path)))
  const root = kustomizations.find(({ folder }) => folder === path)
  if (root !== undefined) return { kustomizations, builds: [root], charts: [], plain: [] }
  if (charts.includes(path)) return { kustomizations, builds: [], charts: [path], plain: [] }
  const isChart = new Set(charts)
  const inside = kustomizations.filter(
    ({ folder }) => isWithin(folder, path) && ![folder, ...parentsOf(folder)].some((parent) => isChart.has(parent)),
  )
  const taken = new Set(inside.flatMap(takenBy))
  const claimed = new Set(inside.map(({ folder }) => folder))
  const claimedOrCharts = new Set([...claimed, ...charts])
  return {
    kustomizations,
    builds: inside.filter(({ folder, isComponent }) => !isComponent && !taken.has(folder)),
    charts: charts.filter((chart) => ![chart, ...parentsOf(chart)].some((folder) => claimed.has(folder))),
    plain: visible.filter(
      (file) =>
        isManifestFile(file.path) &&
        isWithin(file.path, path) &&
        !parentsOf(file.path).some((folder) => claimedOrCharts.has(folder)),
    ),
  }
}

/** Where the references of a kustomization lead to in the tree. */
export function takenBy({ folder, references }: Kustomization): readonly string[] {
  return references.map((reference) => posix.join(folder, reference).replace(/\/$/, ''))
}

function chartFolders(files: readonly TreeFile[]): readonly string[] {
  return files.filter(({ path }) => posix.basename(path) === 'Chart.yaml').map(({ path }) => posix.dirname(path))
}

export function isWithin(path: string, folder: string): boolean {
  return folder === '.' || path === folder || path.startsWith(`${folder}/`)
}

/** Charts inside a chart are its dependencies. */
function outermost(folders: readonly string[]): readonly string[] {
  const all = new Set(folders)
  return folders.filter((folder) => !parentsOf(folder).some((parent) => all.has(parent)))
}

/** The folders above one, the nearest first, up to the tree itself. */
function parentsOf(path: string): readonly string[] {
  const parents: string[] = []
  for (let at = path; at !== '.' && at !== '/'; ) {
    at = posix.dirname(at)
    parents.push(at)
  }
  return parents
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
    references: referenceFields.flatMap((key) => textsAt(body, key)),
    isComponent: textAt(body, 'kind') === 'Component',
  }
}
