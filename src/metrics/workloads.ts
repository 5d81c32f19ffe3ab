/** Workloads that keep pods running, their sets and their namespaces, under the names of kube-state-metrics. */
import type { ClusterStatus, SetStatus, WorkloadStatus } from '../reconcilers/status.ts'
import { type Families, gauge, oneOf, type Sample, sample } from './family.ts'
import { labelNames, labelsOf } from './labels.ts'

type Row = readonly [name: string, help: string, value: (workload: WorkloadStatus) => number | boolean]

const created: Row = ['created', 'Unix creation timestamp.', ({ createdAt }) => createdAt / 1_000]
const generation: readonly Row[] = [
  ['metadata_generation', 'Sequence number of the desired state.', (workload) => workload.generation],
  ['status_observed_generation', 'Generation that the last pass has seen.', (workload) => workload.generation],
]

/** What is one number of a workload, by kind; each name follows `kube_` and the kind. */
const rowsOf: Readonly<Record<string, readonly Row[]>> = {
  Deployment: [
    created,
    ...generation,
    ['spec_paused', 'Whether it is paused.', ({ paused }) => paused],
    ['spec_replicas', 'Number of desired pods.', ({ desired }) => desired],
    [
      'spec_strategy_rollingupdate_max_surge',
      'Pods that a rolling update may have above the desired number.',
      ({ maxSurge }) => maxSurge,
    ],
    [
      'spec_strategy_rollingupdate_max_unavailable',
      'Pods that may be unavailable during a rolling update.',
      ({ maxUnavailable }) => maxUnavailable,
    ],
    ['status_replicas', 'Number of pods.', ({ current }) => current],
    ['status_replicas_available', 'Number of available pods.', ({ available }) => available],
    ['status_replicas_ready', 'Number of ready pods.', ({ ready }) => ready],
    [
      'status_replicas_unavailable',
      'Number of pods that are missing or not available.',
      ({ desired, current, available }) => Math.max(0, Math.max(desired, current) - available),
    ],
    ['status_replicas_updated', 'Number of pods made from the current template.', ({ updated }) => updated],
  ],
  StatefulSet: [
    created,
    ...generation,
    ['replicas', 'Number of desired pods.', ({ desired }) => desired],
    ['status_replicas', 'Number of pods.', ({ current }) => current],
    ['status_replicas_available', 'Number of available pods.', ({ available }) => available],
    [
      'status_replicas_current',
      'Number of pods on the revision that was last rolled out whole.',
      ({ sets, currentSet }) => sets.find(({ name }) => name === currentSet)?.current ?? 0,
    ],
    ['status_replicas_ready', 'Number of ready pods.', ({ ready }) => ready],
    ['status_replicas_updated', 'Number of pods made from the current template.', ({ updated }) => updated],
  ],
  DaemonSet: [
    created,
    ...generation,
    ['status_current_number_scheduled', 'Number of pods on the nodes it is for.', ({ current }) => current],
    ['status_desired_number_scheduled', 'Number of nodes that should have a pod.', ({ desired }) => desired],
    ['status_number_available', 'Number of available pods.', ({ available }) => available],
    ['status_number_ready', 'Number of ready pods.', ({ ready }) => ready],
    [
      'status_number_unavailable',
      'Number of nodes without an available pod.',
      ({ desired, available }) => Math.max(0, desired - available),
    ],
    ['status_updated_number_scheduled', 'Number of pods made from the current template.', ({ updated }) => updated],
  ],
  ReplicationController: [
    created,
    ...generation,
    ['spec_replicas', 'Number of desired pods.', ({ desired }) => desired],
    ['status_available_replicas', 'Number of available pods.', ({ available }) => available],
    ['status_fully_labeled_replicas', 'Number of pods with all labels of the template.', ({ current }) => current],
    ['status_ready_replicas', 'Number of ready pods.', ({ ready }) => ready],
    ['status_replicas', 'Number of pods.', ({ current }) => current],
  ],
}

const replicaSet = ['namespace', 'replicaset']
const deployment = ['namespace', 'deployment']
const statefulSet = ['namespace', 'statefulset']

export const workloadFamilies: Families = {
  ...Object.fromEntries(
    Object.entries(rowsOf).flatMap(([kind, rows]) =>
      rows.map(([name, help]) => [`${prefixOf(kind)}_${name}`, gauge(help, ['namespace', kind.toLowerCase()])]),
    ),
  ),
  kube_namespace_status_phase: gauge('Namespaces that hold an object, by phase.', ['namespace', 'phase']),
  kube_daemonset_labels: gauge('Well-known labels of the DaemonSet.', ['namespace', 'daemonset', ...labelNames]),
  kube_deployment_labels: gauge('Well-known labels of the Deployment.', [...deployment, ...labelNames]),
  kube_deployment_status_condition: gauge('Conditions of the Deployment.', [...deployment, 'condition', 'reason', 'status']),
  kube_statefulset_labels: gauge('Well-known labels of the StatefulSet.', [...statefulSet, ...labelNames]),
  kube_statefulset_status_current_revision: gauge('Revision that was last rolled out whole.', [...statefulSet, 'revision']),
  kube_statefulset_status_update_revision: gauge('Revision that carries the current template.', [...statefulSet, 'revision']),
  kube_replicaset_created: gauge('Unix creation timestamp of the ReplicaSet.', replicaSet),
  kube_replicaset_owner: gauge('Who owns the ReplicaSet.', [...replicaSet, 'owner_kind', 'owner_name', 'owner_is_controller']),
  kube_replicaset_spec_replicas: gauge('Number of desired pods of the ReplicaSet.', replicaSet),
  kube_replicaset_status_fully_labeled_replicas: gauge('Number of pods with all labels of the template.', replicaSet),
  kube_replicaset_status_ready_replicas: gauge('Number of ready pods of the ReplicaSet.', replicaSet),
  kube_replicaset_status_replicas: gauge('Number of pods of the ReplicaSet.', replicaSet),
}

export function collectWorkloads(status: ClusterStatus): Sample[] {
  return [...collectNamespaces(status), ...status.workloads.flatMap(collectWorkload)]
}

function collectNamespaces({ workloads, services }: ClusterStatus): Sample[] {
  const names = new Set([...workloads, ...services].map(({ namespace }) => namespace))
  return [...names].flatMap((namespace) =>
    oneOf('kube_namespace_status_phase', { namespace }, 'phase', ['Active', 'Terminating'], 'Active'),
  )
}

function collectWorkload(workload: WorkloadStatus): Sample[] {
  const { kind } = workload
  const labels = { namespace: workload.namespace, [kind.toLowerCase()]: workload.name }
  const numbers = (rowsOf[kind] ?? []).map(([name, , value]) => sample(`${prefixOf(kind)}_${name}`, labels, value(workload)))
  const named = `${prefixOf(kind)}_labels`
  const wellKnown = named in workloadFamilies ? [sample(named, { ...labels, ...labelsOf(workload.labels) }, 1)] : []
  const sets = kind === 'Deployment' || kind === 'ReplicaSet' ? workload.sets.flatMap((set) => collectSet(workload, set)) : []
  return [...numbers, ...wellKnown, ...collectConditions(workload), ...collectRevisions(workload), ...sets]
}

function prefixOf(kind: string): string {
  return `kube_${kind.toLowerCase()}`
}

function collectConditions({ kind, namespace, name, conditions }: WorkloadStatus): Sample[] {
  if (kind !== 'Deployment') return []
  return conditions.flatMap(({ type, status, reason }) =>
    oneOf(
      'kube_deployment_status_condition',
      { namespace, deployment: name, condition: type, reason },
      'status',
      ['true', 'false', 'unknown'],
      status.toLowerCase(),
    ),
  )
}

function collectRevisions({ kind, namespace, name, currentSet, updateSet }: WorkloadStatus): Sample[] {
  if (kind !== 'StatefulSet') return []
  const labels = { namespace, statefulset: name }
  return [
    sample('kube_statefulset_status_current_revision', { ...labels, revision: currentSet }, 1),
    sample('kube_statefulset_status_update_revision', { ...labels, revision: updateSet }, 1),
  ]
}

function collectSet(workload: WorkloadStatus, set: SetStatus): Sample[] {
  const labels = { namespace: workload.namespace, replicaset: set.name }
  const owner =
    workload.kind === 'Deployment'
      ? { owner_kind: 'Deployment', owner_name: workload.name, owner_is_controller: 'true' }
      : { owner_kind: '<none>', owner_name: '<none>', owner_is_controller: '<none>' }
  return [
    sample('kube_replicaset_created', labels, set.createdAt / 1_000),
    sample('kube_replicaset_owner', { ...labels, ...owner }, 1),
    sample('kube_replicaset_spec_replicas', labels, set.replicas),
    sample('kube_replicaset_status_fully_labeled_replicas', labels, set.current),
    sample('kube_replicaset_status_ready_replicas', labels, set.ready),
    sample('kube_replicaset_status_replicas', labels, set.current),
  ]
}
