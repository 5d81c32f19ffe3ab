/** The Kubernetes schema: which kinds exist, which fields they have, and by what their lists are keyed. */
import schema from './schema/kubernetes.json' with { type: 'json' }

/** A field's type, read from the schema's short notation. */
export type FieldType =
  | { readonly shape: 'scalar'; readonly name: ScalarName }
  | { readonly shape: 'object'; readonly type: ObjectType }
  | { readonly shape: 'map'; readonly values: FieldType }
  /** `keys` identify an item; empty when the list is replaced as a whole. */
  | { readonly shape: 'list'; readonly items: FieldType; readonly keys: readonly string[] }

export type ScalarName = 'string' | 'int32' | 'int64' | 'number' | 'bool' | 'quantity' | 'intOrString' | 'time' | 'bytes' | 'any'

export interface ObjectType {
  readonly name: string
  readonly fields: ReadonlyMap<string, FieldType>
  readonly required: readonly string[]
}

export interface BuiltinKind {
  readonly apiVersion: string
  readonly kind: string
  readonly namespaced: boolean
  readonly typeName: string
}

const kinds: ReadonlyMap<string, BuiltinKind> = new Map(
  Object.entries(schema.kinds).map(([key, { type, namespaced }]) => {
    const slash = key.lastIndexOf('/')
    return [key, { apiVersion: key.slice(0, slash), kind: key.slice(slash + 1), namespaced, typeName: type }]
  }),
)
const entries: Readonly<
  Record<string, { readonly fields: Readonly<Record<string, string>>; readonly required: readonly string[] }>
> = schema.types
const types = new Map<string, ObjectType>()
const scalarNames: ReadonlySet<string> = new Set<ScalarName>([
  'string',
  'int32',
  'int64',
  'number',
  'bool',
  'quantity',
  'intOrString',
  'time',
  'bytes',
  'any',
])

export function builtinKind(apiVersion: string, kind: string): BuiltinKind | undefined {
  return kinds.get(`${apiVersion}/${kind}`)
}

export function builtinKinds(): readonly BuiltinKind[] {
  return [...kinds.values()]
}

/** The type of a name that the schema holds; types are read once, on first use. */
export function objectType(name: string): ObjectType {
  const known = types.get(name)
  if (known !== undefined) return known
  const entry = entries[name]
  if (entry === undefined) throw new Error(`the schema has no type ${name}`)
  const fields = new Map<string, FieldType>()
  const type: ObjectType = { name, fields, required: entry.required }
  types.set(name, type)
  for (const [field, notation] of Object.entries(entry.fields)) fields.set(field, fieldType(notation))
  return type
}

function fieldType(notation: string): FieldType {
  if (notation.startsWith('{}')) return { shape: 'map', values: fieldType(notation.slice(2)) }
  if (notation.startsWith('[')) {
    const end = notation.indexOf(']')
    const keys = notation.slice(1, end)
    return { shape: 'list', items: fieldType(notation.slice(end + 1)), keys: keys === '' ? [] : keys.split(',') }
  }
  if (isScalar(notation)) return { shape: 'scalar', name: notation }
  return { shape: 'object', type: objectType(notation) }
}

function isScalar(name: string): name is ScalarName {
  return scalarNames.has(name)
}

const preferred = new Map<string, BuiltinKind>()
for (const kind of kinds.values()) {
  const earlier = preferred.get(kind.kind)
  if (earlier === undefined || rank(kind) > rank(earlier)) preferred.set(kind.kind, kind)
}

/** Stable before beta before alpha, newer before older, and `v1` of the core before any group. */
function rank(kind: BuiltinKind): number {
  const [, major = '0', stage, minor = '0'] = /v(\d+)(?:(alpha|beta)(\d+))?$/.exec(kind.apiVersion) ?? []
  const stages = stage === undefined ? 2 : stage === 'beta' ? 1 : 0
  const core = kind.apiVersion.includes('/') ? 0 : 1
  return stages * 10_000 + core * 1_000 + Number(major) * 100 + Number(minor)
}

/** The kind under its preferred version, whatever group it is in; core before other groups. */
export function preferredKind(kind: string): BuiltinKind | undefined {
  return preferred.get(kind)
}

/**
 * The keys that identify an item of the list at `path` of a built-in kind, `[]` when such a list is replaced as a
 * whole, `undefined` when there is no list of objects there.
 *
 * `path` is written with or without indices: `spec.template.spec.containers[0].env`, or `….containers[].env`.
 * @see Kubernetes `x-kubernetes-list-map-keys` and `x-kubernetes-patch-merge-key`
 */
export function mergeKeyFor(kind: string, path: string): readonly string[] | undefined {
  const builtin = preferred.get(kind)
  if (builtin === undefined) return undefined
  let at: FieldType = { shape: 'object', type: objectType(builtin.typeName) }
  for (const part of path.replace(/\[[^\]]*\]/g, '').split('.')) {
    const next = step(at, part)
    if (next === undefined) return undefined
    at = next
  }
  return at.shape === 'list' && at.items.shape === 'object' ? at.keys : undefined
}

function step(from: FieldType, key: string): FieldType | undefined {
  if (from.shape === 'list') return step(from.items, key)
  if (from.shape === 'map') return from.values
  return from.shape === 'object' ? from.type.fields.get(key) : undefined
}
