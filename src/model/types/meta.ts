/** What every object has, what it is known by, and what many speak of. */

/** Where a manifest came from. `file` is relative to the source's path; `line` is 1-based. */
export interface Origin {
  readonly file: string
  readonly line: number
  readonly revision: string
}

/** Keys and indices from the document's root, such as `['spec', 'ports', 0, 'name']`. */
export type FieldPath = readonly (string | number)[]

export type Labels = Readonly<Record<string, string>>

export interface ObjectMeta {
  readonly name: string
  /** `''` for cluster-scoped kinds. */
  readonly namespace: string
  readonly labels: Labels
  readonly annotations: Labels
}

export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
}

export interface SelectorRequirement {
  readonly key: string
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
  readonly values: readonly string[]
}

/** A LabelSelector; empty selects everything, `null` elsewhere selects nothing. */
export interface LabelSelector {
  readonly matchLabels: Labels
  readonly matchExpressions: readonly SelectorRequirement[]
}

export type Protocol = 'TCP' | 'UDP' | 'SCTP'

/** A count or a percentage such as `25%`. */
export type IntOrPercent = number | string

/** `Kind/namespace/name`; the namespace is empty for cluster-scoped kinds. */
export type ObjectKey = string

export function keyOf(object: KubeObject): ObjectKey {
  return objectKey(object.kind, object.metadata.namespace, object.metadata.name)
}

export function objectKey(kind: string, namespace: string, name: string): ObjectKey {
  return `${kind}/${namespace}/${name}`
}

/** Splits a key into its parts; the name may itself hold no slash, as Kubernetes names never do. */
export function splitKey(key: ObjectKey): { readonly kind: string; readonly namespace: string; readonly name: string } {
  const first = key.indexOf('/')
  const second = first < 0 ? -1 : key.indexOf('/', first + 1)
  if (second < 0) return { kind: key, namespace: '', name: '' }
  return { kind: key.slice(0, first), namespace: key.slice(first + 1, second), name: key.slice(second + 1) }
}
