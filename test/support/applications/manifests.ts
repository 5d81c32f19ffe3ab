/** Documents as plain data: what is inside is checked where it is read. */

/** One document as plain data; what is inside is checked where it is read. */
export type Document = Readonly<Record<string, unknown>>

/** Namespace of documents that name none. */
export const defaultNamespace = 'default'

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
