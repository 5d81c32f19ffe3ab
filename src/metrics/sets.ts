/** StatefulSets, DaemonSets and ReplicationControllers under the names of kube-state-metrics. */
import type { ClusterStatus, WorkloadStatus } from '../reconcilers/status.ts'
import { type Families, gauge, type Sample, sample } from './family.ts'
import { labelNames, labelsOf } from './labels.ts'

const stateful = ['namespace', 'statefulset']
const daemon = ['namespace', 'daemonset']
const controller = ['namespace', 'replicationcontroller']

export const setFamilies: Families = {
  kube_daemonset_created: gauge('Unix creation timestamp of the DaemonSet.', daemon),
  kube_daemonset_labels: gauge('Well-known labels of the DaemonSet.', [...daemon, ...labelNames]),
  kube_daemonset_metadata_generation: gauge('Sequence number of the desired state.', daemon),
  kube_daemonset_status_current_number_scheduled: gauge('Number of pods on the nodes of the DaemonSet.', daemon),
  kube_daemonset_status_desired_number_scheduled: gauge('Number of nodes that should have a pod.', daemon),
  kube_daemonset_status_number_available: gauge('Number of available pods.', daemon),
  kube_daemonset_status_number_ready: gauge('Number of ready pods.', daemon),
  kube_daemonset_status_number_unavailable: gauge('Number of nodes without an available pod.', daemon),
  kube_daemonset_status_observed_generation: gauge('Generation that the last pass has seen.', daemon),
  kube_daemonset_status_updated_number_scheduled: gauge('Number of pods made from the current template.', daemon),
  kube_replicationcontroller_created: gauge('Unix creation timestamp of the ReplicationController.', controller),
  kube_replicationcontroller_metadata_generation: gauge('Sequence number of the desired state.', controller),
  kube_replicationcontroller_spec_replicas: gauge('Number of desired pods.', controller),
  kube_replicationcontroller_status_available_replicas: gauge('Number of available pods.', controller),
  kube_replicationcontroller_status_fully_labeled_replicas: gauge('Number of pods with all labels of the template.', controller),
  kube_replicationcontroller_status_observed_generation: gauge('Generation that the last pass has seen.', controller),
  kube_replicationcontroller_status_ready_replicas: gauge('Number of ready pods.', controller),
  kube_replicationcontroller_status_replicas: gauge('Number of pods.', controller),
  kube_statefulset_created: gauge('Unix creation timestamp of the StatefulSet.', stateful),
  kube_statefulset_labels: gauge('Well-known labels of the StatefulSet.', [...stateful, ...labelNames]),
  kube_statefulset_metadata_generation: gauge('Sequence number of the desired state.', stateful),
  kube_statefulset_replicas: gauge('Number of desired pods.', stateful),
  kube_statefulset_status_current_revision: gauge('Revision that was last rolled out whole.', [...stateful, 'revision']),
  kube_statefulset_status_observed_generation: gauge('Generation that the last pass has seen.', stateful),
  kube_statefulset_status_replicas: gauge('Number of pods.', stateful),
  kube_statefulset_status_replicas_available: gauge('Number of available pods.', stateful),
  kube_statefulset_status_replicas_current: gauge('Number of pods on the revision that was last rolled out whole.', stateful),
  kube_statefulset_status_replicas_ready: gauge('Number of ready pods.', stateful),
  kube_statefulset_status_replicas_updated: gauge('Number of pods made from the current template.', stateful),
  kube_statefulset_status_update_revision: gauge('Revision that carries the current template.', [...stateful, 'revision']),
}

export function collectSets({ workloads }: ClusterStatus): Sample[] {
  return workloads.flatMap((workload) => {
    if (workload.kind === 'StatefulSet') return collectStatefulSet(workload)
    if (workload.kind === 'DaemonSet') return collectDaemonSet(workload)
    return workload.kind === 'ReplicationController' ? collectController(workload) : []
  })
}

function collectStatefulSet(workload: WorkloadStatus): Sample[] {
  const labels = { namespace: workload.namespace, statefulset: workload.name }
  const of = (name: string, value: number) => sample(`kube_statefulset_${name}`, labels, value)
  const revision = (name: string, set: string) => sample(`kube_statefulset_status_${name}`, { ...labels, revision: set }, 1)
  return [
    of('created', workload.createdAt / 1_000),
    sample('kube_statefulset_labels', { ...labels, ...labelsOf(workload.labels) }, 1),
    of('metadata_generation', workload.generation),
    of('replicas', workload.desired),
    revision('current_revision', workload.currentSet),
    of('status_observed_generation', workload.generation),
    of('status_replicas', workload.current),
    of('status_replicas_available', workload.available),
    of('status_replicas_current', workload.sets.find(({ name }) => name === workload.currentSet)?.current ?? 0),
    of('status_replicas_ready', workload.ready),
    of('status_replicas_updated', workload.updated),
    revision('update_revision', workload.updateSet),
  ]
}

function collectDaemonSet(workload: WorkloadStatus): Sample[] {
  const labels = { namespace: workload.namespace, daemonset: workload.name }
  const of = (name: string, value: number) => sample(`kube_daemonset_${name}`, labels, value)
  return [
    of('created', workload.createdAt / 1_000),
    sample('kube_daemonset_labels', { ...labels, ...labelsOf(workload.labels) }, 1),
    of('metadata_generation', workload.generation),
    of('status_current_number_scheduled', workload.current),
    of('status_desired_number_scheduled', workload.desired),
    of('status_number_available', workload.available),
    of('status_number_ready', workload.ready),
    of('status_number_unavailable', Math.max(0, workload.desired - workload.available)),
    of('status_observed_generation', workload.generation),
    of('status_updated_number_scheduled', workload.updated),
  ]
}

function collectController(workload: WorkloadStatus): Sample[] {
  const labels = { namespace: workload.namespace, replicationcontroller: workload.name }
  const of = (name: string, value: number) => sample(`kube_replicationcontroller_${name}`, labels, value)
  return [
    of('created', workload.createdAt / 1_000),
    of('metadata_generation', workload.generation),
    of('spec_replicas', workload.desired),
    of('status_available_replicas', workload.available),
    of('status_fully_labeled_replicas', workload.current),
    of('status_observed_generation', workload.generation),
    of('status_ready_replicas', workload.ready),
    of('status_replicas', workload.current),
  ]
}
