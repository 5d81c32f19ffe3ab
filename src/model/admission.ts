/**
 * What a namespace makes of the pods in it before anybody wants them: the pull secrets of their ServiceAccount, the
 * defaults and bounds of its LimitRanges, and the restricted Pod Security Standard where its label asks for it; and
 * where its Services without a selector lead.
 * @see Kubernetes plugin/pkg/admission/{serviceaccount,limitranger} and pod-security-admission
 */
import { deepFreeze } from './canonical.ts'
import { givenEndpoints } from './endpoints.ts'
import { boundsBroken, type LimitItem, limitItems, withDefaults } from './limitrange.ts'
import { field, mapAt, mapsAt, type Raw, textAt } from './raw.ts'
import type { Report } from './report.ts'
import { checkRestricted } from './restricted.ts'
import type { FieldPath, KubeObject } from './types/meta.ts'
import type { ModelObject, OtherObject } from './types/object.ts'
import type { PodSpec } from './types/pod.ts'
import type { GivenEndpoint, Service } from './types/service.ts'

/** What one namespace asks of its pods. */
export interface NamespaceRules {
  readonly limits: readonly { readonly name: string; readonly items: readonly LimitItem[] }[]
  /** names of pull secrets by ServiceAccount */
  readonly pullSecrets: ReadonlyMap<string, readonly string[]>
  readonly restricted: boolean
  /** by the name of the Service they are for */
  readonly endpoints: ReadonlyMap<string, readonly GivenEndpoint[]>
}

const NO_RULES: NamespaceRules = { limits: [], pullSecrets: new Map(), restricted: false, endpoints: new Map() }

/** The label that asks for a standard; `privileged` never lowers what the operator has set. */
const ENFORCE = 'pod-security.kubernetes.io/enforce'

/** Rules by namespace, from the objects of one revision; namespaces without any are left out. */
export function namespaceRules(objects: Iterable<KubeObject>): ReadonlyMap<string, NamespaceRules> {
  const rules = new Map<string, NamespaceRules>()
  const change = (namespace: string, of: (before: NamespaceRules) => Partial<NamespaceRules>): void => {
    const before = rules.get(namespace) ?? NO_RULES
    rules.set(namespace, { ...before, ...of(before) })
  }
  for (const object of objects) {
    const { name, namespace, labels } = object.metadata
    const { body } = object as OtherObject
    if (object.kind === 'LimitRange')
      change(namespace, ({ limits }) => ({ limits: [...limits, { name, items: limitItems(body) }] }))
    else if (object.kind === 'ServiceAccount') {
      const secrets = mapsAt(body, 'imagePullSecrets').flatMap((one) => textAt(one, 'name') ?? [])
      if (secrets.length > 0)
        change(namespace, ({ pullSecrets }) => ({ pullSecrets: new Map([...pullSecrets, [name, secrets]]) }))
    } else if (object.kind === 'Endpoints' || object.kind === 'EndpointSlice') {
      const given = givenEndpoints(object as OtherObject)
      if (given !== undefined)
        change(namespace, ({ endpoints }) => ({
          endpoints: new Map([...endpoints, [given.service, [...(endpoints.get(given.service) ?? []), ...given.endpoints]]]),
        }))
    } else if (object.kind === 'Namespace' && labels[ENFORCE] === 'restricted') change(name, () => ({ restricted: true }))
  }
  return rules
}

/**
 * The object as its namespace lets it in, the same one where nothing changes. What is not let in is reported, with
 * the place in the document.
 */
export function admit(object: ModelObject, rules: NamespaceRules, report: Report): ModelObject {
  if (object.kind === 'Service') return withEndpoints(object as Service, rules)
  const found = podSpecIn(object)
  if (found === undefined) return object
  const { spec, at } = found
  const admitted = withPullSecrets(
    rules.limits.reduce((last, { items }) => withDefaults(last, items), spec),
    rules,
  )
  for (const { name, items } of rules.limits)
    for (const { container, message } of boundsBroken(admitted, items))
      report([...at, ...container], 'LimitRange', `LimitRange ${object.metadata.namespace}/${name}: ${message}`)
  if (rules.restricted) checkRestricted(admitted, at, report)
  return admitted === spec ? object : deepFreeze(withPodSpec(object, at, admitted))
}

/** A selector finds its own endpoints, and counts alone. */
function withEndpoints(service: Service, { endpoints }: NamespaceRules): Service {
  const given = endpoints.get(service.metadata.name)
  if (given === undefined || service.spec.selector !== null) return service
  return deepFreeze({ ...service, spec: { ...service.spec, endpoints: given } })
}

/** A pod that names pull secrets itself gets no others. */
function withPullSecrets(spec: PodSpec, { pullSecrets }: NamespaceRules): PodSpec {
  const names = pullSecrets.get(spec.serviceAccountName) ?? []
  if (names.length === 0 || spec.imagePullSecrets.length > 0) return spec
  return { ...spec, imagePullSecrets: [...new Set(names)].sort().map((name) => ({ name })) }
}

const TEMPLATE_PATHS: readonly (readonly string[])[] = [
  ['spec', 'template', 'spec'],
  ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
]

/** The pod spec of a workload, whatever its kind, and where it is. */
function podSpecIn(object: ModelObject): { readonly spec: PodSpec; readonly at: FieldPath } | undefined {
  if ('body' in object) return undefined
  if (object.kind === 'Pod') return { spec: object.spec, at: ['spec'] }
  for (const path of TEMPLATE_PATHS) {
    const spec = mapAt(object as unknown as Raw, ...path)
    if (field(spec, 'containers') !== undefined) return { spec: spec as unknown as PodSpec, at: path }
  }
  return undefined
}

function withPodSpec<T extends object>(object: T, [key, ...rest]: FieldPath, spec: PodSpec): T {
  if (key === undefined) return spec as unknown as T
  const inner = (object as Readonly<Record<string | number, object>>)[key] ?? {}
  return { ...object, [key]: withPodSpec(inner, rest, spec) }
}
