/** An application as somebody else wrote it: its documents after rendering, and what Trireme says to each. */
import { createHash } from 'node:crypto'
import { cp, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { folderSource } from '../../../src/git/folder.ts'
import { loadManifests } from '../../../src/model/load.ts'
import type { Allowance } from '../../../src/model/policy.ts'
import type { DocumentVerdict, Problem } from '../../../src/model/types.ts'
import { renderTree } from '../../../src/render/render.ts'
import { tools } from '../trees.ts'
import { readableSecrets } from './values.ts'

/** One document as plain data; what is inside is checked where it is read. */
export type Document = Readonly<Record<string, unknown>>

export interface Application {
  readonly name: string
  readonly documents: readonly Document[]
  /** of the documents as they are run */
  readonly verdicts: readonly DocumentVerdict[]
  /** Secret values that had to be made text */
  readonly replaced: readonly string[]
  readonly problems: readonly Problem[]
}

/** Namespace of documents that name none. */
export const defaultNamespace = 'default'

/** Renders a folder, or a file by itself, as a source of that content would be. */
export async function readApplication(path: string, allow: Allowance): Promise<Application> {
  const full = resolve(path)
  if ((await stat(full)).isDirectory()) return renderFolder(full, basename(full), allow)
  const alone = await mkdtemp(join(tmpdir(), 'trireme-application-'))
  try {
    await cp(full, join(alone, basename(full)))
    return await renderFolder(alone, /^rendered\./.test(basename(full)) ? basename(dirname(full)) : basename(full), allow)
  } finally {
    await rm(alone, { recursive: true })
  }
}

async function renderFolder(dir: string, name: string, allow: Allowance): Promise<Application> {
  const source = folderSource({ name, dir, now: () => 0 })
  const signal = AbortSignal.timeout(60_000)
  try {
    const { revision } = await source.poll(signal)
    const tree = await source.tree(revision.sha, signal)
    const rendered = await renderTree(tree, { name, namespace: defaultNamespace }, tools)
    const { documents, replaced } = readableSecrets(rendered.manifests.map(({ body }) => body as Document))
    const manifests = rendered.manifests.map((manifest, index) => ({ ...manifest, body: documents[index] }))
    const { verdicts, problems } = loadManifests(manifests, {
      revision: revision.sha,
      defaultNamespace,
      digest: (bytes) => createHash('sha256').update(bytes).digest('hex'),
      vault: () => undefined,
      allow,
      brokenFiles: rendered.brokenFiles,
      extraProblems: rendered.problems,
    })
    return { name, documents, verdicts, problems, replaced }
  } finally {
    await source.close()
  }
}

/** A list of maps, `[]` for anything else. */
export function listAt(value: unknown, ...path: readonly string[]): readonly Document[] {
  const found = valueAt(value, ...path)
  return Array.isArray(found) ? found.filter(isDocument) : []
}

/** A map, `{}` for anything else. */
export function mapAt(value: unknown, ...path: readonly string[]): Document {
  const found = valueAt(value, ...path)
  return isDocument(found) ? found : {}
}

export function textAt(value: unknown, ...path: readonly string[]): string {
  const found = valueAt(value, ...path)
  return typeof found === 'string' ? found : ''
}

export function valueAt(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, key) => (isDocument(inner) ? inner[key] : undefined), value)
}

function isDocument(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function namespaceOf(document: Document): string {
  return textAt(document, 'metadata', 'namespace') || defaultNamespace
}

export function nameOf(document: Document): string {
  return textAt(document, 'metadata', 'name')
}

export function keyOf(document: Document): string {
  return `${textAt(document, 'kind')}/${namespaceOf(document)}/${nameOf(document)}`
}

/** Where a kind keeps its pod template: the path to what has `metadata` and `spec`; `undefined` for kinds without pods. */
export function templatePath(kind: string): readonly string[] | undefined {
  if (kind === 'Pod') return []
  if (kind === 'CronJob') return ['spec', 'jobTemplate', 'spec', 'template']
  const withTemplate = ['Deployment', 'ReplicaSet', 'ReplicationController', 'StatefulSet', 'DaemonSet', 'Job']
  return withTemplate.includes(kind) ? ['spec', 'template'] : undefined
}

/** The pod template of a document, `undefined` when its kind has none. */
export function templateOf(document: Document): Document | undefined {
  const path = templatePath(textAt(document, 'kind'))
  return path === undefined ? undefined : mapAt(document, ...path)
}
