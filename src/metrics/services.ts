/** Services, their endpoints, and nodes under the names of kube-state-metrics. */
import { parseQuantity } from '../model/quantity.ts'
import type { ClusterStatus, NodeStatus, QuotaStatus, ServiceStatus } from '../reconcilers/status.ts'
import { extendedAmounts } from './extended.ts'
import { type Families, gauge, oneOf, type Sample, sample } from './family.ts'
import { labelNames, labelsOf } from './labels.ts'

const service = ['namespace', 'service']
const endpoint = ['namespace', 'endpoint']

export const serviceFamilies: Families = {
  kube_service_created: gauge('Unix creation timestamp of the Service.', service),
  kube_service_info: gauge('Addresses of the Service.', [...service, 'uid', 'cluster_ip', 'external_name', 'load_balancer_ip']),
  kube_service_labels: gauge('Well-known labels of the Service.', [...service, ...labelNames]),
  kube_service_spec_type: gauge('Type of the Service.', [...service, 'type']),
  kube_endpoint_address: gauge('Addresses behind a Service.', [...endpoint, 'ip', 'ready']),
  kube_endpoint_address_available: gauge('Number of addresses that serve.', endpoint),
  kube_endpoint_address_not_ready: gauge('Number of addresses that do not serve yet, or no more.', endpoint),
  kube_endpoint_created: gauge('Unix creation timestamp of the endpoints.', endpoint),
  kube_endpoint_info: gauge('Endpoints of a Service.', endpoint),
  kube_node_info: gauge('What the node is.', [
    'node',
    'kernel_version',
    'os_image',
    'container_runtime_version',
    'kubelet_version',
    'kubeproxy_version',
    'provider_id',
    'pod_cidr',
    'system_uuid',
    'internal_ip',
  ]),
  kube_node_spec_unschedulable: gauge('Whether the node takes no new pods.', ['node']),
  kube_node_status_allocatable: gauge('What pods may use of the node.', ['node', 'resource', 'unit']),
  kube_node_status_capacity: gauge('What the node has.', ['node', 'resource', 'unit']),
  kube_node_status_condition: gauge('Conditions of the node.', ['node', 'condition', 'status']),
  kube_resourcequota: gauge('What a ResourceQuota allows, and what is used of it.', [
    'resourcequota',
    'namespace',
    'resource',
    'type',
  ]),
}

export function collectServices(status: ClusterStatus): Sample[] {
  return [
    ...status.services.flatMap(collectService),
    ...status.nodes.flatMap(collectNode),
    ...status.quotas.flatMap(collectQuota),
  ]
}

function collectService(status: ServiceStatus): Sample[] {
  const labels = { namespace: status.namespace, service: status.name }
  const info = { uid: '', cluster_ip: status.clusterIP, external_name: status.externalName, load_balancer_ip: '' }
  return [
    sample('kube_service_created', labels, status.createdAt / 1_000),
    sample('kube_service_info', { ...labels, ...info }, 1),
    sample('kube_service_labels', { ...labels, ...labelsOf(status.labels) }, 1),
    sample('kube_service_spec_type', { ...labels, type: status.type }, 1),
    ...(status.type === 'ExternalName' ? [] : collectEndpoints(status)),
  ]
}

function collectEndpoints({ namespace, name, createdAt, endpoints }: ServiceStatus): Sample[] {
  const labels = { namespace, endpoint: name }
  const ready = endpoints.filter((each) => each.ready).length
  return [
    sample('kube_endpoint_info', labels, 1),
    sample('kube_endpoint_created', labels, createdAt / 1_000),
    sample('kube_endpoint_address_available', labels, ready),
    sample('kube_endpoint_address_not_ready', labels, endpoints.length - ready),
    ...endpoints.map((each) => sample('kube_endpoint_address', { ...labels, ip: each.ip, ready: String(each.ready) }, 1)),
  ]
}

function collectNode(status: NodeStatus): Sample[] {
  const node = status.name
  const info = {
    kernel_version: status.kernel,
    os_image: status.os,
    container_runtime_version: `docker://${status.engineVersion}`,
    kubelet_version: '',
    kubeproxy_version: '',
    provider_id: '',
    pod_cidr: '',
    system_uuid: '',
    internal_ip: '',
  }
  const amounts = (cores: number, bytes: number) => [
    { resource: 'cpu', unit: 'core', value: cores },
    { resource: 'memory', unit: 'byte', value: bytes },
    ...extendedAmounts(status.extended),
  ]
  const { cpuCores, memoryBytes } = status.allocatable
  const each = (name: string, of: ReturnType<typeof amounts>): Sample[] =>
    of.map(({ resource, unit, value }) => sample(name, { node, resource, unit }, value))
  return [
    sample('kube_node_info', { node, ...info }, 1),
    sample('kube_node_spec_unschedulable', { node }, 0),
    ...each('kube_node_status_allocatable', amounts(cpuCores, memoryBytes)),
    ...each('kube_node_status_capacity', amounts(status.cpus, status.memoryBytes)),
    ...oneOf(
      'kube_node_status_condition',
      { node, condition: 'Ready' },
      'status',
      ['true', 'false', 'unknown'],
      status.reachable ? 'true' : 'unknown',
    ),
  ]
}

function collectQuota({ namespace, name, resources }: QuotaStatus): Sample[] {
  const amount = (text: string): number => Number(parseQuantity(text).nanos) / 1e9
  return resources.flatMap(({ resource, hard, used }) => {
    const of = { resourcequota: name, namespace, resource }
    return [
      sample('kube_resourcequota', { ...of, type: 'hard' }, amount(hard)),
      sample('kube_resourcequota', { ...of, type: 'used' }, amount(used)),
    ]
  })
}
