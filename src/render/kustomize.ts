/** A kustomization, built by the real kustomize, to manifests that remember the files they came from. */
import { posix } from 'node:path'
import type { Tree, TreeFile } from '../git/source.ts'
import { canonicalText } from '../model/canonical.ts'
import { isMap, mapAt, type Raw, textAt } from '../model/raw.ts'
import type { Manifest } from '../model/types/loaded.ts'
import { BuildError, runBuild } from './build.ts'
import { keptBuild } from './builds.ts'
import type { Kustomization, Layout } from './layout.ts'
import { type OutsideReference, outsideReferences } from './outside.ts'
import { manifestsOf, textOf } from './plain.ts'
import { ToolMissing, type Tools } from './tools.ts'
import { failed, type Limits, type Rendered, type RenderOptions } from './types.ts'
import { unfinishedIn } from './unfinished.ts'
import { parseYaml, type YamlDocument } from './yaml.ts'

const originAnnotation = 'config.kubernetes.io/origin'

export async function renderKustomization(
  build: Kustomization,
  layout: Layout,
  tree: Tree,
  options: RenderOptions,
  limits: Limits,
  tools: Tools,
): Promise<Rendered> {
  const everything = tree.files.map(({ path }) => path)
  const outside = outsideReferences(build, layout.kustomizations, tree.files, limits)
  const refused = outside.find(({ kind }) => kind === 'escape' || options.allowRemote !== true)
  if (refused !== undefined) {
    const { code, message } = refusal(refused)
    return failed(refused.file, code, message, everything, refused.line)
  }
  try {
    const files = tree.files.map((file) => (file.path === build.file ? withOrigins(file, limits) : file))
    const key = { tool: 'kustomize', tree: tree.hash, folder: build.folder, remote: options.allowRemote === true }
    const text = await keptBuild(options.cacheDir, key, async () =>
      runBuild({
        command: await tools.kustomize(),
        args: (root) => [posix.join(root, build.folder), '--load-restrictor', 'LoadRestrictionsRootOnly'],
        files,
        workDir: options.cacheDir === undefined ? undefined : unfinishedIn(options.cacheDir),
        network: options.allowRemote === true,
        timeoutMs: options.timeoutMs ?? 60_000,
        maxBytes: limits.totalBytes,
      }),
    )
    return manifestsFrom(text, build, tree, limits)
  } catch (error) {
    if (!(error instanceof BuildError || error instanceof ToolMissing)) throw error
    return failed(build.file, 'KustomizeFailed', `kustomize: ${error.message}`, everything)
  }
}

function refusal({ kind, address }: OutsideReference): { readonly code: string; readonly message: string } {
  const what = JSON.stringify(address)
  if (kind === 'escape')
    return { code: 'PathEscape', message: `${what} is outside of the source: widen the path of the source, or copy it in` }
  const remedy = 'copy it into the repository, or have the operator allow remote bases'
  return { code: 'RemoteBase', message: `remote base ${what} is refused: ${remedy}` }
}

/**
 * Asks kustomize to say where each object comes from. Only where adding the line at the end of the text changes
 * nothing else; otherwise objects are said to come from the kustomization itself.
 */
function withOrigins(file: TreeFile, limits: Limits): TreeFile {
  const text = textOf(file, limits)
  if (typeof text !== 'string') return file
  const before = onlyBody(text, limits)
  if (before === undefined || Object.hasOwn(before, 'buildMetadata')) return file
  const asked = `${text}\nbuildMetadata: [originAnnotations]\n`
  const after = onlyBody(asked, limits)
  if (after === undefined || canonicalText(after) !== canonicalText({ ...before, buildMetadata: ['originAnnotations'] }))
    return file
  return { path: file.path, bytes: new TextEncoder().encode(asked) }
}

function onlyBody(text: string, limits: Limits): Raw | undefined {
  const { documents, problems } = parseYaml(text, limits)
  const body = documents[0]?.body
  return documents.length === 1 && problems.length === 0 && isMap(body) ? body : undefined
}

function manifestsFrom(text: string, build: Kustomization, tree: Tree, limits: Limits): Rendered {
  const { documents, problems } = parseYaml(text, limits)
  const places = originPlaces(tree, limits)
  const broken = problems.length > 0 ? tree.files.map(({ path }) => path) : []
  return {
    manifests: documents
      .flatMap((document) => manifestsOf(document, build.file, tree.revision.sha))
      .map((manifest) => traced(manifest, build, places)),
    problems: problems.map((problem) => ({ ...problem, file: build.file, line: 1, field: '' })),
    brokenFiles: broken,
  }
}

/** Documents of the tree's files by path, each file read once and only when asked for. */
type Places = (path: string) => readonly YamlDocument[]

function originPlaces(tree: Tree, limits: Limits): Places {
  const files = new Map(tree.files.map((file) => [file.path, file]))
  const read = new Map<string, readonly YamlDocument[]>()
  return (path) => {
    const known = read.get(path)
    if (known !== undefined) return known
    const file = files.get(path)
    const text = file === undefined ? undefined : textOf(file, limits)
    const documents = typeof text === 'string' ? parseYaml(text, limits).documents : []
    read.set(path, documents)
    return documents
  }
}

function traced(manifest: Manifest, build: Kustomization, places: Places): Manifest {
  const { body, origin } = manifest
  if (!isMap(body)) return { body, origin: { ...origin, line: 1 } }
  const file = originFile(body, build)
  const source = file === undefined ? undefined : originDocument(body, places(file))
  return {
    body: withoutOrigin(body),
    origin: { file: file ?? build.file, line: source?.line ?? 1, revision: origin.revision },
    ...(source === undefined ? {} : { lineOf: source.lineOf }),
  }
}

/** Objects that a generator has made come from the kustomization that holds the generator. */
function originFile(body: Raw, build: Kustomization): string | undefined {
  const text = textAt(mapAt(body, 'metadata', 'annotations'), originAnnotation)
  if (text === undefined) return undefined
  const path = /^(?:path|configuredIn): (.+)$/m.exec(text)?.[1]
  if (path === undefined || /^repo:/m.test(text)) return undefined
  return posix.join(build.folder, path.trim())
}

/** Prefixes and suffixes are added to names, so the original name is a part of the built one. */
function originDocument(body: Raw, documents: readonly YamlDocument[]): YamlDocument | undefined {
  const name = textAt(mapAt(body, 'metadata'), 'name') ?? ''
  const same = documents.filter((document) => isMap(document.body) && document.body.kind === body.kind)
  const nameOf = (document: YamlDocument) => textAt(mapAt(document.body as Raw, 'metadata'), 'name') ?? ''
  const exact = same.find((document) => nameOf(document) === name)
  return exact ?? same.find((document) => nameOf(document) !== '' && name.includes(nameOf(document)))
}

function withoutOrigin(body: Raw): Raw {
  const metadata = mapAt(body, 'metadata')
  const annotations = mapAt(metadata, 'annotations')
  if (!Object.hasOwn(annotations, originAnnotation)) return body
  const { [originAnnotation]: _, ...kept } = annotations
  const { annotations: __, ...bare } = metadata
  return { ...body, metadata: Object.keys(kept).length === 0 ? bare : { ...bare, annotations: kept } }
}
