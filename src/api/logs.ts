/** Whose log lines a request asks for: a workload's or a pod's containers, found in the status by name. */
import { matches } from '../model/selector.ts'
import type { LabelSelector } from '../model/types/meta.ts'
import type { ClusterStatus, ContainerStatus, PodStatus, WorkloadStatus } from '../reconcilers/status.ts'
import { ApiError } from './error.ts'

export interface LogQuery {
  /** `''` with a selector, otherwise `name`, `kind/name`, `namespace/name` or `Kind/namespace/name` of a workload or a pod */
  readonly target: string
  /** which of the two the target names; `any` tries workloads first */
  readonly as: 'workload' | 'pod' | 'any'
  /** pods by their labels, wherever they belong; `undefined` where a target names them */
  readonly selector?: LabelSelector
  /** `''` for every container that runs on: all but init containers */
  readonly container: string
  /** init containers too */
  readonly allContainers: boolean
  readonly follow: boolean
  /** lines from the end, for each container; `undefined` means all */
  readonly tail: number | undefined
  /** lines no older than this; `undefined` means all */
  readonly sinceSeconds: number | undefined
  /** each line begins with its time, RFC 3339 */
  readonly timestamps: boolean
  /** the run before the current one */
  readonly previous: boolean
}

/** One container whose log is to be read. */
export interface LogTarget {
  readonly namespace: string
  readonly pod: string
  readonly uid: string
  readonly node: string
  readonly container: string
  /** of the current run; `''` when it has none yet */
  readonly containerId: string
}

/** Each is a connection to the engine for as long as it is read. */
const MAX_STREAMS = 100

type Selection = Pick<LogQuery, 'target' | 'as' | 'selector' | 'container' | 'allContainers'>

/**
 * The containers a query means, in order of pod and container. Errors: `ApiError` 404 when nothing
 * matches, 400 when a name is found in more than one namespace, or too much is asked for.
 */
export function selectLogs(status: ClusterStatus, query: Selection): readonly LogTarget[] {
  const targets = podsOf(status, query).flatMap((pod) =>
    [...pod.initContainers, ...pod.containers].map((container) => ({ role: container.role, ...toTarget(pod, container) })),
  )
  const isWanted = ({ role, container }: (typeof targets)[number]): boolean =>
    query.container === '' ? query.allContainers || role !== 'init' : container === query.container
  const wanted = targets.filter(isWanted).map(({ role: _, ...target }) => target)
  if (wanted.length > MAX_STREAMS)
    throw new ApiError(400, 'BadRequest', `${wanted.length} containers are more than ${MAX_STREAMS} at once: ask for fewer`)
  if (wanted.length > 0) return wanted
  const what = query.selector === undefined ? `"${query.target}" has` : 'what is selected has'
  if (targets.length === 0) throw new ApiError(404, 'NotFound', `${what} no containers at the moment`)
  const names = [...new Set(targets.map(({ container }) => container))].join(', ')
  throw new ApiError(404, 'NotFound', `${what} no container "${query.container}"; there are ${names}`)
}

function podsOf(status: ClusterStatus, query: Selection): readonly PodStatus[] {
  const { selector } = query
  if (selector !== undefined) {
    const found = status.workloads.flatMap(({ pods }) => pods).filter(({ labels }) => matches(selector, labels))
    if (found.length === 0) throw new ApiError(404, 'NotFound', 'no pod has labels like these')
    return found.sort((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1))
  }
  const found = matchWorkload(status, query) ?? matchPod(status, query)
  if (found !== undefined) return found
  throw new ApiError(404, 'NotFound', `there is no ${query.as === 'any' ? 'workload or pod' : query.as} "${query.target}"`)
}

function matchWorkload(status: ClusterStatus, { target, as }: Pick<LogQuery, 'target' | 'as'>): readonly PodStatus[] | undefined {
  if (as === 'pod') return undefined
  const found = onlyOne(
    status.workloads.filter((workload) => isNamed(workload, workload.kind, target)),
    target,
  )
  const runs = status.workloads.filter(({ job }) => found !== undefined && job?.owner === found.key)
  return found && [found, ...runs].flatMap(({ pods }) => pods).sort((a, b) => (a.name < b.name ? -1 : 1))
}

function matchPod(status: ClusterStatus, { target, as }: Pick<LogQuery, 'target' | 'as'>): readonly PodStatus[] | undefined {
  if (as === 'workload') return undefined
  const all = status.workloads.flatMap(({ pods }) => pods)
  const found = onlyOne(
    all.filter((pod) => isNamed(pod, 'Pod', target)),
    target,
  )
  return found && [found]
}

function isNamed({ namespace, name }: Pick<WorkloadStatus, 'namespace' | 'name'>, kind: string, target: string): boolean {
  const parts = target.split('/')
  const isKind = (word: string | undefined) => kindsOf(word ?? '').includes(kind)
  if (parts.length === 1) return parts[0] === name
  if (parts.length === 2) return parts[1] === name && (parts[0] === namespace || isKind(parts[0]))
  return parts.length === 3 && isKind(parts[0]) && parts[1] === namespace && parts[2] === name
}

/** The kind a word stands for, spelled as kubectl allows: `Deployment`, `deployments`, `deploy`. */
function kindsOf(word: string): readonly string[] {
  const spellings: Readonly<Record<string, readonly string[]>> = {
    Deployment: ['deployment', 'deployments', 'deploy'],
    ReplicaSet: ['replicaset', 'replicasets', 'rs'],
    ReplicationController: ['replicationcontroller', 'replicationcontrollers', 'rc'],
    StatefulSet: ['statefulset', 'statefulsets', 'sts'],
    DaemonSet: ['daemonset', 'daemonsets', 'ds'],
    Pod: ['pod', 'pods', 'po'],
    Job: ['job', 'jobs'],
    CronJob: ['cronjob', 'cronjobs', 'cj'],
  }
  return Object.keys(spellings).filter((kind) => spellings[kind]?.includes(word.toLowerCase()))
}

function onlyOne<T extends { readonly namespace: string; readonly name: string }>(
  found: readonly T[],
  target: string,
): T | undefined {
  if (found.length < 2) return found[0]
  const places = found.map(({ namespace, name }) => `${namespace}/${name}`).sort()
  throw new ApiError(400, 'Ambiguous', `"${target}" names more than one: ${places.join(', ')}`)
}

function toTarget(pod: PodStatus, container: ContainerStatus): LogTarget {
  return {
    namespace: pod.namespace,
    pod: pod.name,
    uid: pod.uid,
    node: pod.node,
    container: container.name,
    containerId: container.containerId,
  }
}
