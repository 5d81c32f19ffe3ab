/** Files of plain YAML and JSON to manifests. */
import type { TreeFile } from '../git/source.ts'
import { canonicalText } from '../model/canonical.ts'
import { isMap, mapsAt, type Raw, textAt } from '../model/raw.ts'
import type { Manifest, Problem } from '../model/types/loaded.ts'
import { failed, type Limits, type Rendered, together } from './types.ts'
import { parseYaml, type YamlDocument } from './yaml.ts'

/** Documents of tools that look like Kubernetes objects and are not. */
const toolGroups = /^(?:skaffold|kustomize\.config\.k8s\.io)\//

/** Problems of all files together, after which a file is read up to its first one only. */
const maxProblems = 10_000

/** What files rendered to, by path; only where the content and the limits are the same. */
export type FileMemory = Map<string, { readonly bytes: Uint8Array; readonly limits: string; readonly rendered: Rendered }>

/**
 * One problem never stops the rest: not of a document, and not of a file. With a `memory`, files that stay the same
 * are not read again, and keep the very bodies of their documents.
 */
export function renderPlain(files: readonly TreeFile[], revision: string, limits: Limits, memory?: FileMemory): Rendered {
  let room = limits.totalBytes
  let problems = maxProblems
  const rest = new Set(memory?.keys())
  const [usual, brief] = [bounded(limits), bounded({ ...limits, problems: 1 })]
  const parts = files.map((file) => {
    room -= file.bytes.byteLength
    rest.delete(file.path)
    if (room >= 0) {
      const bounds = problems > 0 ? usual : brief
      const rendered =
        memory === undefined ? renderFile(file, revision, bounds.limits) : remembered(file, revision, bounds, memory)
      problems -= rendered.problems.length
      return rendered
    }
    return failed(file.path, 'TooLarge', `the files together are larger than ${limits.totalBytes} bytes; this one was not read`, [
      file.path,
    ])
  })
  for (const path of rest) memory?.delete(path)
  return together(parts)
}

/** Limits with their text, by which they are compared. */
interface Bounds {
  readonly limits: Limits
  readonly text: string
}

function bounded(limits: Limits): Bounds {
  return { limits, text: canonicalText(limits) }
}

function remembered(file: TreeFile, revision: string, { limits, text }: Bounds, memory: FileMemory): Rendered {
  const earlier = memory.get(file.path)
  if (earlier === undefined || earlier.limits !== text || Buffer.compare(earlier.bytes, file.bytes) !== 0) {
    const rendered = renderFile(file, revision, limits)
    memory.set(file.path, { bytes: file.bytes, limits: text, rendered })
    return rendered
  }
  const { manifests, problems, brokenFiles } = earlier.rendered
  return { manifests: manifests.map((manifest) => inRevision(manifest, revision)), problems, brokenFiles }
}

function inRevision({ origin, body, lineOf }: Manifest, revision: string): Manifest {
  const moved = { file: origin.file, line: origin.line, revision }
  return lineOf === undefined ? { origin: moved, body } : { origin: moved, body, lineOf }
}

export function isManifestFile(path: string): boolean {
  return /\.(ya?ml|json)$/i.test(path)
}

function renderFile(file: TreeFile, revision: string, limits: Limits): Rendered {
  const text = textOf(file, limits)
  if (typeof text !== 'string') return failed(file.path, text.code, text.message, [file.path])
  // JSON of other tools may even hold comments; only what calls itself a Kubernetes object is read.
  if (isJson(file.path) && !text.includes('"apiVersion"')) return { manifests: [], problems: [], brokenFiles: [] }
  const { documents, problems } = parseYaml(text, limits)
  const objects = documents.filter(({ body }) => !isToolDocument(body))
  const reported = problems.map((problem): Problem => ({ file: file.path, field: '', ...problem }))
  const brokenFiles = problems.length > 0 ? [file.path] : []
  if (!documents.some(({ body }) => claimsKind(body))) {
    const notice = documents.length > 0 && problems.length === 0 && !isJson(file.path) ? [notKubernetes(file.path)] : []
    return { manifests: [], problems: [...reported, ...notice], brokenFiles }
  }
  return { manifests: objects.flatMap((document) => manifestsOf(document, file.path, revision)), problems: reported, brokenFiles }
}

function isJson(path: string): boolean {
  return /\.json$/i.test(path)
}

/** The text of a file, or why it has none. */
export function textOf(file: TreeFile, limits: Limits): string | { readonly code: string; readonly message: string } {
  if (file.bytes.byteLength > limits.fileBytes) {
    return { code: 'TooLarge', message: `the file is ${file.bytes.byteLength} bytes, more than ${limits.fileBytes}` }
  }
  if (file.bytes.includes(0)) return { code: 'BinaryFile', message: 'the file is binary; expected YAML or JSON in UTF-8' }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(file.bytes)
  } catch {
    return { code: 'BinaryFile', message: 'the file is not UTF-8' }
  }
}

function claimsKind(body: unknown): boolean {
  return isMap(body) && !isToolDocument(body) && (Object.hasOwn(body, 'apiVersion') || Object.hasOwn(body, 'kind'))
}

function isToolDocument(body: unknown): boolean {
  return isMap(body) && toolGroups.test(textAt(body, 'apiVersion') ?? '')
}

function notKubernetes(file: string): Problem {
  const message = 'no document has apiVersion and kind, so the file is left out'
  return { file, line: 1, field: '', code: 'NotKubernetes', message, severity: 'notice' }
}

/** The document itself, or the items of a List, each with its own line. */
export function manifestsOf(document: YamlDocument, file: string, revision: string): readonly Manifest[] {
  const { body, line, lineOf } = document
  if (!isMap(body) || !isList(body)) return [{ origin: { file, line, revision }, body, lineOf }]
  return mapsAt(body, 'items').map((item, index) => ({
    origin: { file, line: lineOf(['items', index]), revision },
    body: item,
    lineOf: (path) => lineOf(['items', index, ...path]),
  }))
}

function isList(body: Raw): boolean {
  return /List$/.test(textAt(body, 'kind') ?? '') && Array.isArray(body.items) && !Object.hasOwn(body, 'spec')
}
