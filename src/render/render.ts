/** A tree of files to manifests: kustomizations through kustomize, charts through helm, everything else as it is. */
import { posix } from 'node:path'
import type { Tree } from '../git/source.ts'
import { canonicalText } from '../model/canonical.ts'
import type { Problem } from '../model/types/loaded.ts'
import { tidyBuilds } from './builds.ts'
import { renderChart } from './helm.ts'
import { renderKustomization } from './kustomize.ts'
import { type Layout, layoutOf } from './layout.ts'
import { type FileMemory, isManifestFile, renderPlain } from './plain.ts'
import type { Tools } from './tools.ts'
import { defaultLimits, failed, type Limits, nothingRendered, type Rendered, type RenderOptions, together } from './types.ts'

/**
 * Renders a whole tree. What is wrong with a file or a build is in `problems`, and never stops another.
 *
 * A kustomization at the root is the tree; so is a chart. Otherwise each kustomization that no other takes in is
 * built, each chart is rendered, and all other YAML and JSON files are read.
 */
export async function renderTree(tree: Tree, options: RenderOptions, tools: Tools, memory?: FileMemory): Promise<Rendered> {
  const limits: Limits = { ...defaultLimits, ...options.limits }
  const layout = layoutOf(tree.files, limits, posix.normalize(options.path ?? '.').replace(/\/$/, ''))
  if (layout.builds.length + layout.charts.length > limits.builds) return tooManyBuilds(layout, tree, limits)
  const parts = [renderPlain(layout.plain, tree.revision.sha, limits, memory), refusedEntries(tree)]
  for (const build of layout.builds) parts.push(await renderKustomization(build, layout, tree, options, limits, tools))
  for (const chart of layout.charts) parts.push(await renderChart(chart, tree, options, limits, tools))
  // Those of this revision, and of the one before it: a restart renders both.
  if (options.cacheDir !== undefined) await tidyBuilds(options.cacheDir, 2 * (layout.builds.length + layout.charts.length))
  return capped(together(parts), tree, limits)
}

/** Only what could have held manifests is an error; a link elsewhere is worth a word. */
function refusedEntries(tree: Tree): Rendered {
  const problems = tree.refused.map(({ path, reason }): Problem => {
    const problem: Problem = { file: path, line: 1, field: '', code: 'RefusedFile', message: reason }
    return isManifestFile(path) ? problem : { ...problem, severity: 'notice' }
  })
  return { ...nothingRendered, problems, brokenFiles: tree.refused.map(({ path }) => path) }
}

function tooManyBuilds({ builds, charts }: Layout, tree: Tree, limits: Limits): Rendered {
  const file = builds[0]?.file ?? `${charts[0]}/Chart.yaml`
  const count = builds.length + charts.length
  const message = `the tree has ${count} kustomizations and charts to build, more than ${limits.builds}; give a narrower --path`
  const everything = tree.files.map(({ path }) => path)
  return failed(file, 'TooLarge', message, everything)
}

function capped(rendered: Rendered, tree: Tree, limits: Limits): Rendered {
  const { length } = rendered.manifests
  if (length <= limits.objects) return rendered
  const file = rendered.manifests[limits.objects]?.origin.file ?? ''
  const message = `the tree has ${length} objects, more than ${limits.objects}; nothing of it is applied`
  return together([
    { ...rendered, manifests: [] },
    failed(
      file,
      'TooLarge',
      message,
      tree.files.map(({ path }) => path),
    ),
  ])
}

/**
 * Renders like `renderTree`, and remembers the last few trees that rendered without an error, and of the last tree
 * every file of plain YAML, so that a commit costs what it has changed.
 */
export function createRenderer(tools: Tools, remembered = 4): (tree: Tree, options: RenderOptions) => Promise<Rendered> {
  const known = new Map<string, Rendered>()
  const memory: FileMemory = new Map()
  return async (tree, options) => {
    const key = canonicalText({ tree: tree.hash, revision: tree.revision.sha, options })
    const earlier = known.get(key)
    const rendered = earlier ?? (await renderTree(tree, options, tools, memory))
    known.delete(key)
    if (rendered.problems.every(({ severity }) => severity === 'notice')) known.set(key, rendered)
    for (const oldest of [...known.keys()].slice(0, Math.max(0, known.size - remembered))) known.delete(oldest)
    return rendered
  }
}
