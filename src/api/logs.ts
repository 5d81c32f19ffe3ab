/** Whose log lines a request asks for: a workload's or a pod's containers, found in the status by name. */
import type { ClusterStatus, ContainerStatus, PodStatus, WorkloadStatus } from '../reconcilers/status.ts'
import { ApiError } from './error.ts'

export interface LogQuery {
  /** `name`, `kind/name`, `namespace/name` or `Kind/namespace/name` of a workload or a pod */
  readonly target: string
  /** which of the two the target names; `any` tries workloads first */
  readonly as: 'workload' | 'pod' | 'any'
  /** `''` for every container */
  readonly container: string
  readonly follow: boolean
  /** lines from the end, for each container; `undefined` means all */
  readonly tail: number | undefined
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

/**
 * The containers a query means, in order of pod and container. Errors: `ApiError` 404 when nothing
 * matches, 400 when a name is found in more than one namespace.
 */
export function selectLogs(status: ClusterStatus, query: Pick<LogQuery, 'target' | 'as' | 'container'>): readonly LogTarget[] {
  const pods = matchWorkload(status, query) ?? matchPod(status, query)
  if (!pods)
    throw new ApiError(404, 'NotFound', `there is no ${query.as === 'any' ? 'workload or pod' : query.as} "${query.target}"`)
  const targets = pods.flatMap((pod) => pod.containers.map((container) => toTarget(pod, container)))
  const wanted = targets.filter(({ container }) => query.container === '' || container === query.container)
  if (wanted.length > 0) return wanted
  if (targets.length === 0) throw new ApiError(404, 'NotFound', `"${query.target}" has no containers at the moment`)
  const names = [...new Set(targets.map(({ container }) => container))].join(', ')
  throw new ApiError(404, 'NotFound', `"${query.target}" has no container "${query.container}"; it has ${names}`)
}

function matchWorkload(status: ClusterStatus, { target, as }: Pick<LogQuery, 'target' | 'as'>): readonly PodStatus[] | undefined {
  if (as === 'pod') return undefined
  const found = onlyOne(
    status.workloads.filter((workload) => isNamed(workload, workload.kind, target)),
    target,
  )
  return found && [...found.pods].sort((a, b) => (a.name < b.name ? -1 : 1))
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
