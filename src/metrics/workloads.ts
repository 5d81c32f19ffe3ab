/** Deployments and ReplicaSets under the names of kube-state-metrics. */
import type { ClusterStatus, SetStatus, WorkloadStatus } from '../reconcilers/status.ts'
import { type Families, gauge, oneOf, type Sample, sample } from './family.ts'
import { labelNames, labelsOf } from './labels.ts'

const deployment = ['namespace', 'deployment']
const replicaSet = ['namespace', 'replicaset']

export const workloadFamilies: Families = {
  kube_namespace_status_phase: gauge('Namespaces that hold an object, by phase.', ['namespace', 'phase']),
  kube_deployment_created: gauge('Unix creation timestamp of the Deployment.', deployment),
  kube_deployment_labels: gauge('Well-known labels of the Deployment.', [...deployment, ...labelNames]),
  kube_deployment_metadata_generation: gauge('Sequence number of the desired state.', deployment),
  kube_deployment_spec_paused: gauge('Whether the Deployment is paused.', deployment),
  kube_deployment_spec_replicas: gauge('Number of desired pods.', deployment),
  kube_deployment_spec_strategy_rollingupdate_max_surge: gauge(
    'Pods that a rolling update may have above the desired number.',
    deployment,
  ),
  kube_deployment_spec_strategy_rollingupdate_max_unavailable: gauge(
    'Pods that may be unavailable during a rolling update.',
    deployment,
  ),
  kube_deployment_status_condition: gauge('Conditions of the Deployment.', [...deployment, 'condition', 'reason', 'status']),
  kube_deployment_status_observed_generation: gauge('Generation that the last pass has seen.', deployment),
  kube_deployment_status_replicas: gauge('Number of pods.', deployment),
  kube_deployment_status_replicas_available: gauge('Number of available pods.', deployment),
  kube_deployment_status_replicas_ready: gauge('Number of ready pods.', deployment),
  kube_deployment_status_replicas_unavailable: gauge('Number of pods that are missing or not available.', deployment),
  kube_deployment_status_replicas_updated: gauge('Number of pods made from the current template.', deployment),
  kube_replicaset_created: gauge('Unix creation timestamp of the ReplicaSet.', replicaSet),
  kube_replicaset_owner: gauge('Who owns the ReplicaSet.', [...replicaSet, 'owner_kind', 'owner_name', 'owner_is_controller']),
  kube_replicaset_spec_replicas: gauge('Number of desired pods of the ReplicaSet.', replicaSet),
  kube_replicaset_status_fully_labeled_replicas: gauge('Number of pods with all labels of the template.', replicaSet),
  kube_replicaset_status_ready_replicas: gauge('Number of ready pods of the ReplicaSet.', replicaSet),
  kube_replicaset_status_replicas: gauge('Number of pods of the ReplicaSet.', replicaSet),
}

export function collectWorkloads(status: ClusterStatus): Sample[] {
  const deployments = status.workloads.filter(({ kind }) => kind === 'Deployment')
  const withSets = status.workloads.filter(({ kind }) => kind === 'Deployment' || kind === 'ReplicaSet')
  return [
    ...collectNamespaces(status),
    ...deployments.flatMap(collectDeployment),
    ...withSets.flatMap((workload) => workload.sets.flatMap((set) => collectSet(workload, set))),
  ]
}

function collectNamespaces({ workloads, services }: ClusterStatus): Sample[] {
  const names = new Set([...workloads, ...services].map(({ namespace }) => namespace))
  return [...names].flatMap((namespace) =>
    oneOf('kube_namespace_status_phase', { namespace }, 'phase', ['Active', 'Terminating'], 'Active'),
  )
}

function collectDeployment(workload: WorkloadStatus): Sample[] {
  const labels = { namespace: workload.namespace, deployment: workload.name }
  const of = (name: string, value: number | boolean) => sample(`kube_deployment_${name}`, labels, value)
  return [
    of('created', workload.createdAt / 1_000),
    sample('kube_deployment_labels', { ...labels, ...labelsOf(workload.labels) }, 1),
    of('metadata_generation', workload.generation),
    of('spec_paused', workload.paused),
    of('spec_replicas', workload.desired),
    of('spec_strategy_rollingupdate_max_surge', workload.maxSurge),
    of('spec_strategy_rollingupdate_max_unavailable', workload.maxUnavailable),
    of('status_observed_generation', workload.generation),
    of('status_replicas', workload.current),
    of('status_replicas_available', workload.available),
    of('status_replicas_ready', workload.ready),
    of('status_replicas_unavailable', Math.max(0, Math.max(workload.desired, workload.current) - workload.available)),
    of('status_replicas_updated', workload.updated),
    ...workload.conditions.flatMap(({ type, status, reason }) =>
      oneOf(
        'kube_deployment_status_condition',
        { ...labels, condition: type, reason },
        'status',
        ['true', 'false', 'unknown'],
        status.toLowerCase(),
      ),
    ),
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
