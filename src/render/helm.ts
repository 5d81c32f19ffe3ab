/** A Helm chart, rendered by the real helm, to manifests that remember their templates. */
import { posix } from 'node:path'
import type { Tree } from '../git/source.ts'
import { isMap, textAt } from '../model/raw.ts'
import type { Manifest } from '../model/types/loaded.ts'
import { BuildError, runBuild } from './build.ts'
import { keptBuild } from './builds.ts'
import { isWithin } from './layout.ts'
import { manifestsOf, textOf } from './plain.ts'
import { ToolMissing, type Tools } from './tools.ts'
import { failed, type Limits, type Rendered, type RenderOptions } from './types.ts'
import { unfinishedIn } from './unfinished.ts'
import { parseYaml, type YamlDocument } from './yaml.ts'

/** Dependencies must be in the chart's own `charts/`; nothing is downloaded. */
export async function renderChart(
  folder: string,
  tree: Tree,
  options: RenderOptions,
  limits: Limits,
  tools: Tools,
): Promise<Rendered> {
  const file = posix.join(folder, 'Chart.yaml')
  const everything = tree.files.map(({ path }) => path)
  const missing = (options.valuesFiles ?? []).find(
    (path) => !tree.files.some((candidate) => candidate.path === posix.normalize(path)),
  )
  if (missing !== undefined) return failed(file, 'HelmFailed', `the values file ${missing} is not in the tree`, everything)
  const release = releaseName(
    folder === posix.normalize(options.path ?? '.') ? options.name : undefined,
    chartName(file, tree, limits),
  )
  const namespace = options.namespace ?? 'default'
  const values = options.valuesFiles ?? []
  try {
    const key = { tool: 'helm', tree: tree.hash, folder, release, namespace, values }
    const text = await keptBuild(options.cacheDir, key, async () =>
      runBuild({
        command: await tools.helm(),
        args: (root) => [
          'template',
          release,
          posix.join(root, folder),
          '--namespace',
          namespace,
          '--include-crds',
          '--skip-tests',
          ...values.flatMap((path) => ['--values', posix.join(root, posix.normalize(path))]),
        ],
        files: tree.files,
        workDir: options.cacheDir === undefined ? undefined : unfinishedIn(options.cacheDir),
        network: false,
        timeoutMs: options.timeoutMs ?? 60_000,
        maxBytes: limits.totalBytes,
      }),
    )
    return manifestsFrom(text, folder, file, tree, limits)
  } catch (error) {
    if (!(error instanceof BuildError || error instanceof ToolMissing)) throw error
    return failed(file, 'HelmFailed', `helm: ${error.message}`, everything)
  }
}

function chartName(path: string, tree: Tree, limits: Limits): string {
  const file = tree.files.find((candidate) => candidate.path === path)
  const text = file === undefined ? undefined : textOf(file, limits)
  const body = typeof text === 'string' ? parseYaml(text, limits).documents[0]?.body : undefined
  return (isMap(body) ? textAt(body, 'name') : undefined) ?? 'chart'
}

/** At most 53 characters of a DNS name, which is what helm takes. */
function releaseName(source: string | undefined, chart: string): string {
  const fit = (source ?? chart)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .slice(0, 53)
    .replace(/^-+|-+$/g, '')
  return fit === '' ? 'release' : fit
}

function manifestsFrom(text: string, folder: string, file: string, tree: Tree, limits: Limits): Rendered {
  const { documents, problems } = parseYaml(text, limits)
  return {
    manifests: documents
      .flatMap((document) => manifestsOf(document, sourceOf(document, folder) ?? file, tree.revision.sha))
      .map(atTemplate),
    problems: problems.map((problem) => ({ ...problem, file, line: 1, field: '' })),
    brokenFiles: problems.length > 0 ? tree.files.map(({ path }) => path).filter((path) => isWithin(path, folder)) : [],
  }
}

/** Helm writes `# Source: <chart>/templates/web.yaml`, where the first part is the chart's name, not its folder. */
function sourceOf(document: YamlDocument, folder: string): string | undefined {
  const path = /^# Source: [^/\n]+\/(.+?)\r?$/m.exec(document.text)?.[1]
  return path === undefined ? undefined : posix.join(folder, path)
}

/** Lines of the output say nothing about a template, so the file alone is named. */
function atTemplate({ body, origin }: Manifest): Manifest {
  return { body, origin: { ...origin, line: 1 } }
}
