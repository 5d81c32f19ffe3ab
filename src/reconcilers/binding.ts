/**
 * Binding a pod template to the ConfigMaps and Secrets it refers to: which values it gets, what is
 * missing, and the hash that names the two together. A changed value is a changed template, so it rolls.
 */
import { ROLL_ON_CONFIG } from '../model/annotations.ts'
import { canonicalText, sha256 } from '../model/canonical.ts'
import { ownOf } from '../model/raw.ts'
import type { ConfigMap, Secret } from '../model/types/object.ts'
import type { EnvSource, PodTemplate } from '../model/types/pod.ts'
import type { BoundConfig } from './memory.ts'

/** Bumped when the meaning of a canonical template changes; never by an ordinary upgrade. */
const HASH_SCHEMA = 1

export interface ConfigLookup {
  configMap(namespace: string, name: string): ConfigMap | undefined
  secret(namespace: string, name: string): Secret | undefined
}

interface Reference {
  readonly kind: 'ConfigMap' | 'Secret'
  readonly name: string
  /** `undefined` for the whole object */
  readonly key: string | undefined
  readonly optional: boolean
  readonly where: string
}

export interface Binding {
  readonly config: BoundConfig
  /** non-optional references to what does not exist, each as a sentence */
  readonly missing: readonly string[]
}

/** The last binding of a template; good as long as it finds the same objects. Templates and objects are frozen. */
const bindings = new WeakMap<
  PodTemplate,
  { readonly namespace: string; readonly found: readonly Found[]; readonly binding: Binding }
>()

type Found = ConfigMap | Secret | undefined

/** Looks up everything `template` refers to. Objects are bound whole, so that envFrom and volumes see all keys. */
export function bindTemplate(template: PodTemplate, namespace: string, lookup: ConfigLookup): Binding {
  const found = references(template).map(({ kind, name }) =>
    kind === 'ConfigMap' ? lookup.configMap(namespace, name) : lookup.secret(namespace, name),
  )
  const known = bindings.get(template)
  if (known?.namespace === namespace && found.every((object, index) => object === known.found[index])) return known.binding
  const binding = bindFound(template, namespace, found)
  bindings.set(template, { namespace, found, binding })
  return binding
}

function bindFound(template: PodTemplate, namespace: string, objects: readonly Found[]): Binding {
  const configMaps: Record<string, BoundConfig['configMaps'][string]> = {}
  const secrets: Record<string, BoundConfig['secrets'][string]> = {}
  for (const [index, reference] of references(template).entries()) {
    const found = objects[index]
    if (found === undefined) continue
    if (found.kind === 'ConfigMap') configMaps[reference.name] = { data: found.data, binaryData: found.binaryData }
    else secrets[reference.name] = { type: found.type, data: found.data }
  }
  const config = { configMaps, secrets }
  return { config, missing: missingIn(template, namespace, config) }
}

/** Non-optional references of a template that a binding does not have, each as a sentence. */
export function missingIn(template: PodTemplate, namespace: string, { configMaps, secrets }: BoundConfig): readonly string[] {
  const sentences = references(template).flatMap(({ kind, name, key, optional, where }): string[] => {
    if (optional) return []
    const keys = kind === 'ConfigMap' ? keysOf(ownOf(configMaps, name)) : ownOf(secrets, name)?.data
    if (keys === undefined) return [`${kind} ${namespace}/${name} does not exist (${where})`]
    return key === undefined || Object.hasOwn(keys, key) ? [] : [`${kind} ${namespace}/${name} has no key "${key}" (${where})`]
  })
  return [...new Set(sentences)]
}

function keysOf(configMap: BoundConfig['configMaps'][string] | undefined): object | undefined {
  return configMap === undefined ? undefined : { ...configMap.data, ...configMap.binaryData }
}

/**
 * SHA-256 of the canonical template and of what it is bound to, its first ten hex digits.
 * Pull credentials are left out: a rotated registry password changes no pod.
 */
export function templateHash(template: PodTemplate, config: BoundConfig): string {
  const known = hashes.get(config)
  if (known?.template === template) return known.hash
  const hash = computeHash(template, config)
  hashes.set(config, { template, hash })
  return hash
}

/** Whether a hash tells what the template was bound to. */
export function provesConfig(template: PodTemplate): boolean {
  return template.metadata.annotations[ROLL_ON_CONFIG] !== 'false'
}

/** Secrets that `template` needs for nothing but its images. */
export function pullSecretNames(template: PodTemplate): ReadonlySet<string> {
  const names = new Set(template.spec.imagePullSecrets.map((secret) => secret.name))
  for (const { where, name } of references(template)) if (where !== PULL_SECRETS) names.delete(name)
  return names
}

const PULL_SECRETS = 'imagePullSecrets'

/** A binding is made anew when anything in it changes, so its hash lives as long as it does. */
const hashes = new WeakMap<BoundConfig, { readonly template: PodTemplate; readonly hash: string }>()

function computeHash(template: PodTemplate, config: BoundConfig): string {
  const pullOnly = pullSecretNames(template)
  const secrets = Object.fromEntries(Object.entries(config.secrets).filter(([name]) => !pullOnly.has(name)))
  return sha256(
    canonicalText({ schema: HASH_SCHEMA, template, config: provesConfig(template) ? { ...config, secrets } : null }),
  ).slice(0, 10)
}

/** What a template refers to never changes. */
const referenced = new WeakMap<PodTemplate, readonly Reference[]>()

function references(template: PodTemplate): readonly Reference[] {
  const known = referenced.get(template)
  if (known !== undefined) return known
  const found = findReferences(template)
  referenced.set(template, found)
  return found
}

function findReferences(template: PodTemplate): Reference[] {
  const spec = template.spec
  const found: Reference[] = []
  for (const container of [...spec.initContainers, ...spec.containers]) {
    for (const source of container.envFrom) {
      const where = `envFrom of container ${container.name}`
      if (source.configMapRef) found.push({ kind: 'ConfigMap', key: undefined, where, ...source.configMapRef })
      if (source.secretRef) found.push({ kind: 'Secret', key: undefined, where, ...source.secretRef })
    }
    for (const variable of container.env)
      if ('valueFrom' in variable)
        found.push(...envReference(variable.valueFrom, `env ${variable.name} of container ${container.name}`))
  }
  for (const volume of spec.volumes) {
    const where = `volume ${volume.name}`
    for (const { configMap, secret } of [volume, ...(volume.projected?.sources ?? [])]) {
      if (configMap) found.push(...volumeReferences('ConfigMap', configMap.name, configMap, where))
      if (secret) found.push(...volumeReferences('Secret', secret.secretName, secret, where))
    }
  }
  // Kubernetes pulls anonymously when a pull secret is missing, so these never make a pod wait.
  for (const { name } of spec.imagePullSecrets)
    found.push({ kind: 'Secret', name, key: undefined, optional: true, where: PULL_SECRETS })
  return found
}

function envReference(source: EnvSource, where: string): Reference[] {
  if (source.configMapKeyRef) return [{ kind: 'ConfigMap', where, ...source.configMapKeyRef }]
  if (source.secretKeyRef) return [{ kind: 'Secret', where, ...source.secretKeyRef }]
  return []
}

function volumeReferences(
  kind: 'ConfigMap' | 'Secret',
  name: string,
  volume: { readonly items?: readonly { readonly key: string }[]; readonly optional: boolean },
  where: string,
): Reference[] {
  const whole: Reference = { kind, name, key: undefined, optional: volume.optional, where }
  return [whole, ...(volume.items ?? []).map((item) => ({ ...whole, key: item.key }))]
}
