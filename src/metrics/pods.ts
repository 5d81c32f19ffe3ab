/** Pods and their containers under the names of kube-state-metrics. */
import { splitKey } from '../model/types/meta.ts'
import type { Amounts, ClusterStatus, ContainerStatus, PodStatus } from '../reconcilers/status.ts'
import { extendedAmounts } from './extended.ts'
import { counter, type Families, gauge, oneOf, type Sample, sample } from './family.ts'
import { labelNames, labelsOf } from './labels.ts'

const pod = ['namespace', 'pod', 'uid']
const container = [...pod, 'container']
const resource = [...container, 'node', 'resource', 'unit']

const phases = ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown']
const podReasons = ['Evicted', 'NodeAffinity', 'NodeLost', 'Shutdown', 'UnexpectedAdmissionError']

/** What kube-state-metrics tells of every container, by the end of its name. */
const everyContainer: Families = {
  info: gauge('What the container is.', [...container, 'image', 'image_spec', 'image_id', 'container_id']),
  resource_limits: gauge('What the container may use at most.', resource),
  resource_requests: gauge('What the container asks for.', resource),
  status_last_terminated_reason: gauge('Why the last run ended.', [...container, 'reason']),
  status_ready: gauge('Whether the container is ready.', container),
  status_restarts_total: counter('Restarts of the container.', container),
  status_running: gauge('Whether the container runs.', container),
  status_terminated: gauge('Whether the container has ended.', container),
  status_terminated_reason: gauge('Why the container has ended.', [...container, 'reason']),
  status_waiting: gauge('Whether the container waits to start.', container),
  status_waiting_reason: gauge('Why the container waits.', [...container, 'reason']),
}

const containerFamilies: Families = {
  ...named('kube_pod_container_', everyContainer),
  kube_pod_container_state_started: gauge('Start time of the container as a unix timestamp.', container),
  kube_pod_container_status_last_terminated_exitcode: gauge('Exit code of the last run that ended.', container),
}

/** Init containers and sidecars are kept apart. */
const initFamilies: Families = named('kube_pod_init_container_', everyContainer)

function named(prefix: string, families: Families): Families {
  return Object.fromEntries(Object.entries(families).map(([name, family]) => [prefix + name, family]))
}

export const podFamilies: Families = {
  kube_pod_created: gauge('Unix creation timestamp of the pod.', pod),
  kube_pod_info: gauge('What the pod is and where it runs.', [
    ...pod,
    'host_ip',
    'pod_ip',
    'node',
    'created_by_kind',
    'created_by_name',
    'priority_class',
    'host_network',
  ]),
  kube_pod_labels: gauge('Well-known labels of the pod.', [...pod, ...labelNames]),
  kube_pod_owner: gauge('Who owns the pod.', [...pod, 'owner_kind', 'owner_name', 'owner_is_controller']),
  kube_pod_start_time: gauge('Start time of the pod as a unix timestamp.', pod),
  kube_pod_status_phase: gauge('Phase of the pod.', [...pod, 'phase']),
  kube_pod_status_ready: gauge('Whether the pod is ready to serve.', [...pod, 'condition']),
  kube_pod_status_reason: gauge('Why the pod is in its phase.', [...pod, 'reason']),
  ...containerFamilies,
  ...initFamilies,
}

export function* collectPods(status: ClusterStatus): Generator<Sample> {
  for (const { pods } of status.workloads) for (const pod of pods) yield* collectPod(pod)
}

function collectPod(status: PodStatus): Sample[] {
  const labels = { namespace: status.namespace, pod: status.name, uid: status.uid }
  const owner = ownerOf(status)
  const reason = status.phase === 'Unknown' ? 'NodeLost' : status.reason
  return [
    sample('kube_pod_created', labels, status.createdAt / 1_000),
    sample(
      'kube_pod_info',
      {
        ...labels,
        host_ip: '',
        pod_ip: status.ip,
        node: status.node,
        created_by_kind: owner.kind,
        created_by_name: owner.name,
        priority_class: '',
        host_network: String(status.hostNetwork),
      },
      1,
    ),
    sample('kube_pod_labels', { ...labels, ...labelsOf(status.labels) }, 1),
    sample(
      'kube_pod_owner',
      { ...labels, owner_kind: owner.kind, owner_name: owner.name, owner_is_controller: owner.isController },
      1,
    ),
    sample('kube_pod_start_time', labels, status.createdAt / 1_000),
    ...oneOf('kube_pod_status_phase', labels, 'phase', phases, status.phase),
    ...oneOf('kube_pod_status_ready', labels, 'condition', ['true', 'false', 'unknown'], String(status.ready)),
    ...oneOf('kube_pod_status_reason', labels, 'reason', podReasons, reason),
    ...status.containers.flatMap((each) => collectContainer('kube_pod_container_', status, each)),
    ...status.initContainers.flatMap((each) => collectContainer('kube_pod_init_container_', status, each)),
  ]
}

/** As Kubernetes has it: a pod belongs to its ReplicaSet, and that to the Deployment. */
function ownerOf({ owner, set }: PodStatus): { readonly kind: string; readonly name: string; readonly isController: string } {
  const { kind, name } = splitKey(owner)
  if (kind === 'Pod' || kind === '') return { kind: '<none>', name: '<none>', isController: '<none>' }
  if (kind === 'Deployment' && set !== '') return { kind: 'ReplicaSet', name: set, isController: 'true' }
  return { kind, name, isController: 'true' }
}

function collectContainer(prefix: string, status: PodStatus, each: ContainerStatus): Sample[] {
  const labels = { namespace: status.namespace, pod: status.name, uid: status.uid, container: each.name }
  const of = (name: string, value: number | boolean) => sample(prefix + name, labels, value)
  const because = (name: string, reason: string) => sample(prefix + name, { ...labels, reason }, 1)
  const last = each.lastTermination
  const all = [
    sample(
      `${prefix}info`,
      {
        ...labels,
        image: each.image,
        image_spec: each.image,
        image_id: '',
        container_id: each.containerId && `docker://${each.containerId}`,
      },
      1,
    ),
    ...collectResources(`${prefix}resource_limits`, { ...labels, node: status.node }, each.limits),
    ...collectResources(`${prefix}resource_requests`, { ...labels, node: status.node }, each.requests),
    of('status_ready', each.ready),
    of('status_restarts_total', each.restarts),
    of('status_running', each.state === 'running'),
    of('status_terminated', each.state === 'terminated'),
    of('status_waiting', each.state === 'waiting'),
    ...(each.startedAt > 0 && each.state === 'running' ? [of('state_started', each.startedAt / 1_000)] : []),
    ...(each.state === 'terminated' && each.reason ? [because('status_terminated_reason', each.reason)] : []),
    ...(each.state === 'waiting' && each.reason ? [because('status_waiting_reason', each.reason)] : []),
    ...(last
      ? [because('status_last_terminated_reason', last.reason), of('status_last_terminated_exitcode', last.exitCode)]
      : []),
  ]
  return all.filter(({ name }) => Object.hasOwn(podFamilies, name))
}

/** Zero means that none was asked for, and has no sample. */
function collectResources(
  name: string,
  labels: Readonly<Record<string, string>>,
  { cpuCores, memoryBytes, extended }: Amounts,
): Sample[] {
  return [
    ...(cpuCores > 0 ? [sample(name, { ...labels, resource: 'cpu', unit: 'core' }, cpuCores)] : []),
    ...(memoryBytes > 0 ? [sample(name, { ...labels, resource: 'memory', unit: 'byte' }, memoryBytes)] : []),
    ...extendedAmounts(extended).map(({ resource, unit, value }) => sample(name, { ...labels, resource, unit }, value)),
  ]
}
