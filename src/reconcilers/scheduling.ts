/**
 * Whether a pod may be on a node: what its template asks of nodes, what nodes ask of pods, and what it asks of its
 * neighbours. Preferences never keep a pod away, so with one node they change nothing.
 * @see Kubernetes pkg/scheduler/framework/plugins: nodename, nodeaffinity, tainttoleration, interpodaffinity, podtopologyspread
 */
import { has, listAt, mapAt, mapsAt, type Raw, textAt, textsAt } from '../model/raw.ts'
import { matches, readSelector } from '../model/selector.ts'
import { type Labels, type ObjectKey, splitKey } from '../model/types/meta.ts'
import type { PodSpec, Taint } from '../model/types/pod.ts'
import type { Cluster } from './cluster.ts'
import { holdsPlace, type WorkloadMemory } from './memory.ts'
import type { NodeView } from './observed.ts'

/** What pods choose nodes by. */
export interface NodeTraits {
  readonly name: string
  readonly labels: Labels
  readonly taints: readonly Taint[]
}

/** A pod that has a node, or the one that asks for it. */
export interface Neighbour {
  readonly uid: string
  readonly name: string
  readonly namespace: string
  readonly labels: Labels
  readonly spec: PodSpec
  /** name of its node */
  readonly node: string
}

/** Every pod that has its place, but for `except`; one that is over takes no room. */
export function neighboursOf(
  workloads: Iterable<readonly [key: ObjectKey, memory: WorkloadMemory]>,
  except: string,
): readonly Neighbour[] {
  return [...workloads].flatMap(([key, { pods, sets }]) => {
    const { namespace } = splitKey(key)
    const templates = new Map(sets.map(({ name, template }) => [name, template]))
    return pods
      .filter((other) => other.uid !== except && holdsPlace(other))
      .flatMap(({ uid, name, set, node }): Neighbour[] => {
        const template = templates.get(set)
        if (template === undefined) return []
        return [{ uid, name, namespace, labels: template.metadata.labels, spec: template.spec, node }]
      })
  })
}

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  aarch64: 'arm64',
  armv7l: 'arm',
  i386: '386',
  i686: '386',
}

/** The labels every Kubernetes node has, those of the operator over them. A host alone is a zone and a region of its own. */
export function traitsOf({ nodeLabels, nodeTaints }: Cluster, { name, info }: NodeView): NodeTraits {
  const machine = info?.architecture ?? ''
  const arch = ARCHITECTURES[machine] ?? machine
  const own = {
    'beta.kubernetes.io/arch': arch,
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': arch,
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux',
    'topology.kubernetes.io/region': 'default',
    'topology.kubernetes.io/zone': 'default',
  }
  return { name, labels: { ...own, ...nodeLabels }, taints: nodeTaints }
}

/**
 * Why a new pod cannot be on `node`, in the words of the Kubernetes scheduler; `''` when it can.
 *
 * @param pod the new pod, as its neighbours would see it
 * @param others pods that are there already; asked for only by templates that choose by neighbours
 * @param alone there is no other node: pods that want to be apart have nowhere else to go, and run beside each other
 */
export function misfit(
  spec: PodSpec,
  pod: Pick<Neighbour, 'namespace' | 'labels'>,
  node: NodeTraits,
  others: () => readonly Neighbour[],
  alone: boolean,
): string {
  return misfitAlone(spec, node) || misfitOfNeighbours(spec, pod, node, others, alone)
}

/** Whether a node is one of those that a DaemonSet is for; its neighbours are not asked. */
export function runsOn(spec: PodSpec, node: NodeTraits): boolean {
  return misfitAlone(spec, node) === ''
}

function misfitAlone(spec: PodSpec, node: NodeTraits): string {
  if (spec.nodeName !== undefined && spec.nodeName !== node.name) return "node(s) didn't match the requested node name"
  if (!fitsSelector(spec, node)) return "node(s) didn't match Pod's node affinity/selector"
  const taint = node.taints.find((one) => one.effect !== 'PreferNoSchedule' && !isTolerated(one, spec.tolerations))
  if (taint !== undefined) return `node(s) had untolerated taint {${taint.key}: ${taint.value}}`
  if (lacksDomain(spec, node)) return "node(s) didn't match pod topology spread constraints (missing required label)"
  return ''
}

function fitsSelector({ nodeSelector, affinity }: PodSpec, node: NodeTraits): boolean {
  const pairs = Object.entries(nodeSelector).every(([key, value]) => node.labels[key] === value)
  const required = mapAt(asMap(affinity), 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution')
  // One of the terms is enough, and a list of none matches no node.
  return (
    pairs && (!has(required, 'nodeSelectorTerms') || mapsAt(required, 'nodeSelectorTerms').some((term) => fitsTerm(term, node)))
  )
}

/** All parts of a term must hold; a term without any matches nothing. */
function fitsTerm(term: Raw, node: NodeTraits): boolean {
  const labels = mapsAt(term, 'matchExpressions')
  const fields = mapsAt(term, 'matchFields')
  if (labels.length + fields.length === 0) return false
  const names: Labels = { 'metadata.name': node.name }
  return labels.every((part) => meets(part, node.labels)) && fields.every((part) => meets(part, names))
}

function meets(part: Raw, labels: Labels): boolean {
  const key = textAt(part, 'key') ?? ''
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  const values = textsAt(part, 'values')
  switch (textAt(part, 'operator')) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return isWhole(value) && Number(value) > Number(values[0])
    case 'Lt':
      return isWhole(value) && Number(value) < Number(values[0])
    default:
      return false
  }
}

function isWhole(value: string | undefined): value is string {
  return value !== undefined && /^-?\d+$/.test(value)
}

/** @see Kubernetes core/v1 Toleration.ToleratesTaint: what is left out matches all */
function isTolerated(taint: Taint, tolerations: readonly unknown[]): boolean {
  return tolerations.map(asMap).some((toleration) => {
    const key = textAt(toleration, 'key') || undefined
    const effect = textAt(toleration, 'effect') || undefined
    if (effect !== undefined && effect !== taint.effect) return false
    if (key !== undefined && key !== taint.key) return false
    if (textAt(toleration, 'operator') === 'Exists') return true
    return key !== undefined && (textAt(toleration, 'value') ?? '') === taint.value
  })
}

/** How pods spread over one node is always even; only a node that is in no domain at all is out of the question. */
function lacksDomain({ topologySpreadConstraints }: PodSpec, node: NodeTraits): boolean {
  return topologySpreadConstraints
    .map(asMap)
    .some(
      (constraint) =>
        textAt(constraint, 'whenUnsatisfiable') !== 'ScheduleAnyway' &&
        !Object.hasOwn(node.labels, textAt(constraint, 'topologyKey') ?? ''),
    )
}

function misfitOfNeighbours(
  { affinity }: PodSpec,
  pod: Pick<Neighbour, 'namespace' | 'labels'>,
  node: NodeTraits,
  others: () => readonly Neighbour[],
  alone: boolean,
): string {
  const near = requiredTerms(affinity, 'podAffinity')
  const apart = alone ? [] : requiredTerms(affinity, 'podAntiAffinity')
  if (near.length + apart.length === 0) return ''
  const there = others().filter((other) => other.node === node.name)
  const selects = (term: Raw, other: Pick<Neighbour, 'namespace' | 'labels'>): boolean => isSelected(term, other, pod.namespace)
  const hasDomain = (term: Raw): boolean => Object.hasOwn(node.labels, textAt(term, 'topologyKey') ?? '')
  // The first of a group that wants to be together has nobody to join.
  const joins = (term: Raw): boolean =>
    hasDomain(term) &&
    (there.some((other) => selects(term, other)) || (selects(term, pod) && !others().some((other) => selects(term, other))))
  if (!near.every(joins)) return "node(s) didn't match pod affinity rules"
  if (apart.some((term) => hasDomain(term) && there.some((other) => selects(term, other))))
    return "node(s) didn't match pod anti-affinity rules"
  return ''
}

function requiredTerms(affinity: unknown, kind: 'podAffinity' | 'podAntiAffinity'): readonly Raw[] {
  return mapsAt(mapAt(asMap(affinity), kind), 'requiredDuringSchedulingIgnoredDuringExecution')
}

/** Without `namespaces` a term looks at the pod's own; an empty `namespaceSelector` is every namespace. */
function isSelected(term: Raw, other: Pick<Neighbour, 'namespace' | 'labels'>, namespace: string): boolean {
  const named = textsAt(term, 'namespaces')
  const everywhere = has(term, 'namespaceSelector') && isEmptySelector(mapAt(term, 'namespaceSelector'))
  const inReach = everywhere || (named.length === 0 ? other.namespace === namespace : named.includes(other.namespace))
  return inReach && has(term, 'labelSelector') && matches(readSelector(mapAt(term, 'labelSelector')), other.labels)
}

function isEmptySelector(selector: Raw): boolean {
  return Object.keys(mapAt(selector, 'matchLabels')).length === 0 && listAt(selector, 'matchExpressions').length === 0
}

function asMap(value: unknown): Raw {
  return mapAt({ value }, 'value')
}
