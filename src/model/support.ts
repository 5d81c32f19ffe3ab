/**
 * The single table of what this version does with each field. Verdicts, the status and docs/support.md come from it.
 *
 * A row covers its field and everything below it that has no row of its own. `[]` stands for every item of a list,
 * `*` for every key that has no row. A field without any row is accepted without effect, and said so.
 */

import { metadataSupport, podSupport, request, retention } from './podsupport.ts'
import { countedResources, isCounted } from './quota.ts'
import { isMap } from './raw.ts'
import { plainText } from './report.ts'
import { honoured, isTrue, only, other, policy, refused, type SupportRow, unenforced } from './supportrows.ts'

const template = (at: string): SupportRow[] => [
  ...metadataSupport.map((row) => ({ ...row, field: `${at}.metadata.${row.field}` })),
  ...podSupport.map((row) => ({ ...row, field: `${at}.spec.${row.field}` })),
]

const common: readonly SupportRow[] = [
  ...honoured('apiVersion', 'kind'),
  ...metadataSupport.map((row) => ({ ...row, field: `metadata.${row.field}` })),
]

const mendsStale =
  'a pod that is not ready and is to be replaced anyway is so at once, so that a commit that mends it is never held up by it'
const job = (at: string): SupportRow[] => [
  ...honoured(`${at}.parallelism`, `${at}.completions`, `${at}.completionMode`, `${at}.suspend`, `${at}.activeDeadlineSeconds`),
  ...honoured(`${at}.backoffLimit`, `${at}.backoffLimitPerIndex`, `${at}.maxFailedIndexes`, `${at}.podReplacementPolicy`),
  ...honoured(`${at}.podFailurePolicy.rules[].action`, `${at}.podFailurePolicy.rules[].onExitCodes`),
  ...honoured(`${at}.podFailurePolicy.rules[].onPodConditions[].status`, `${at}.successPolicy`),
  refused(
    `${at}.podFailurePolicy.rules[].onPodConditions[].type`,
    'pods get no such condition here, so the rule would never count',
    other('DisruptionTarget'),
  ),
  {
    field: `${at}.ttlSecondsAfterFinished`,
    support: { level: 'honoured', but: 'a Job that has ended is remembered, so that Git does not run it again' },
  },
  refused(`${at}.manualSelector`, 'pods belong to the Job that made them, so no selector can give it others', isTrue),
  unenforced(`${at}.selector`, 'it is generated: pods belong to the Job that made them'),
  refused(`${at}.managedBy`, 'another controller is not run by this version', other('kubernetes.io/job-controller')),
  ...template(`${at}.template`),
]

/** Written by a server; Kubernetes leaves it out of what is applied, and says nothing. */
const status: SupportRow = { field: 'status', support: { level: 'honoured' } }

/** Every kind that is acted on, with its fields from the root of the document. */
export const kindSupport: Readonly<Record<string, readonly SupportRow[]>> = {
  'v1/Namespace': [...common, status, unenforced('spec.finalizers', 'nothing waits for finalizers')],
  'v1/ConfigMap': [...common, ...honoured('data', 'binaryData', 'immutable')],
  'v1/Secret': [...common, ...honoured('data', 'stringData', 'type', 'immutable')],
  'v1/Pod': [...common, status, ...podSupport.map((row) => ({ ...row, field: `spec.${row.field}` }))],
  'apps/v1/ReplicaSet': [
    ...common,
    status,
    ...honoured('spec.replicas', 'spec.minReadySeconds', 'spec.selector'),
    ...template('spec.template'),
  ],
  'apps/v1/Deployment': [
    ...common,
    status,
    ...honoured('spec.replicas', 'spec.selector', 'spec.strategy', 'spec.minReadySeconds', 'spec.revisionHistoryLimit'),
    ...honoured('spec.progressDeadlineSeconds', 'spec.paused'),
    ...template('spec.template'),
  ],
  'batch/v1/Job': [...common, status, ...job('spec')],
  'batch/v1/CronJob': [
    ...common,
    status,
    ...honoured('spec.schedule', 'spec.concurrencyPolicy', 'spec.startingDeadlineSeconds', 'spec.suspend'),
    ...honoured('spec.successfulJobsHistoryLimit', 'spec.failedJobsHistoryLimit'),
    { field: 'spec.timeZone', support: { level: 'honoured', but: 'it is UTC unless told' } },
    ...metadataSupport.map((row) => ({ ...row, field: `spec.jobTemplate.metadata.${row.field}` })),
    ...job('spec.jobTemplate.spec'),
  ],
  'v1/ReplicationController': [
    ...common,
    status,
    ...honoured('spec.replicas', 'spec.minReadySeconds', 'spec.selector'),
    ...template('spec.template'),
  ],
  'apps/v1/StatefulSet': [
    ...common,
    status,
    ...honoured('spec.replicas', 'spec.ordinals', 'spec.selector', 'spec.serviceName', 'spec.podManagementPolicy'),
    { field: 'spec.updateStrategy', support: { level: 'honoured', but: mendsStale } },
    ...honoured('spec.minReadySeconds', 'spec.revisionHistoryLimit'),
    ...honoured(...['apiVersion', 'kind', 'status'].map((field) => `spec.volumeClaimTemplates[].${field}`)),
    ...metadataSupport.map((row) => ({ ...row, field: `spec.volumeClaimTemplates[].metadata.${row.field}` })),
    ...honoured(...['selector', 'volumeName', 'storageClassName'].map((field) => `spec.volumeClaimTemplates[].spec.${field}`)),
    ...request('spec.volumeClaimTemplates[].spec'),
    { field: 'spec.persistentVolumeClaimRetentionPolicy', support: { level: 'honoured', but: retention } },
    ...template('spec.template'),
  ],
  'apps/v1/DaemonSet': [
    ...common,
    status,
    ...honoured('spec.selector', 'spec.updateStrategy', 'spec.minReadySeconds', 'spec.revisionHistoryLimit'),
    ...template('spec.template'),
  ],
  'v1/PersistentVolumeClaim': [
    ...common,
    status,
    ...honoured('spec.selector', 'spec.volumeName', 'spec.storageClassName'),
    ...request('spec'),
  ],
  'v1/PersistentVolume': [
    ...common,
    status,
    ...honoured('spec.accessModes', 'spec.capacity', 'spec.claimRef', 'spec.storageClassName', 'spec.nfs'),
    { field: 'spec.mountOptions', support: { level: 'honoured', but: 'of NFS alone' } },
    ...['hostPath', 'local'].map((field) => policy(`spec.${field}`, 'hostPath', 'honoured')),
    {
      field: 'spec.hostPath.type',
      support: { level: 'honoured', but: 'looked at when a pod of its claim is made' },
    },
    refused('spec.hostPath.type', 'a PersistentVolume is a folder here', other('Directory', 'DirectoryOrCreate', '')),
    unenforced(
      'spec.csi',
      'a volume driver of Docker, which has a name without dots, makes the volume from the volumeAttributes: one that it has under the volumeHandle is not taken',
    ),
    unenforced('spec.persistentVolumeReclaimPolicy', 'what is in a volume is never deleted', other('Retain', '')),
    unenforced('spec.nodeAffinity', 'with one node it is where its pods are'),
    refused('spec.volumeMode', 'block devices are not run by this version', only('Block')),
    unenforced('spec.volumeAttributesClassName', 'a volume has the attributes it is made with'),
    refused('spec.*', 'disks of a cloud and other clusters are not mounted'),
  ],
  'storage.k8s.io/v1/StorageClass': [
    ...common,
    ...honoured('parameters'),
    unenforced('mountOptions', 'a volume driver of Docker has its options in the parameters'),
    unenforced('provisioner', 'it is not run: claims of this class are volumes of the local driver of Docker', {
      when: (value) => !plainText(value).startsWith('docker.io/') && value !== 'kubernetes.io/no-provisioner',
      whenText: 'other than kubernetes.io/no-provisioner and docker.io/ with the name of a volume driver',
    }),
    { field: 'reclaimPolicy', support: { level: 'honoured', but: 'only what a StatefulSet deletes of its claims is deleted' } },
    unenforced('allowVolumeExpansion', 'the size of a volume is not limited'),
    unenforced('volumeBindingMode', 'a claim gets its volume when a pod first needs it', only('Immediate')),
    unenforced('allowedTopologies', 'with one node it is where its pods are'),
  ],
  'v1/Service': [
    ...common,
    status,
    ...honoured('spec.type', 'spec.clusterIP', 'spec.clusterIPs', 'spec.selector', 'spec.ports', 'spec.externalName'),
    unenforced('spec.ports', 'a port of SCTP is not served', {
      when: (value) => JSON.stringify(value).includes('"SCTP"'),
      whenText: 'with SCTP',
    }),
    ...honoured('spec.sessionAffinity', 'spec.sessionAffinityConfig', 'spec.publishNotReadyAddresses'),
    ...honoured('spec.internalTrafficPolicy', 'spec.allocateLoadBalancerNodePorts'),
    unenforced('spec.externalTrafficPolicy', 'pods see the address of the router, not that of the client', only('Local')),
    unenforced('spec.externalIPs', 'no node answers for these addresses'),
    unenforced('spec.loadBalancerIP', 'ports are published on the address of the node', other('')),
    unenforced('spec.loadBalancerClass', 'there is one kind of load balancer'),
    unenforced('spec.loadBalancerSourceRanges', 'any source may connect'),
    unenforced('spec.healthCheckNodePort', 'no health check port is served'),
    unenforced('spec.ipFamilies', 'Services have IPv4 addresses', {
      when: (value) => Array.isArray(value) && value.some((family) => family !== 'IPv4'),
      whenText: 'with IPv6',
    }),
    unenforced('spec.ipFamilyPolicy', 'Services have IPv4 addresses', other('SingleStack')),
    unenforced('spec.trafficDistribution', 'every endpoint gets its share'),
  ],
  'v1/Endpoints': [
    ...common,
    ...['addresses', 'notReadyAddresses'].flatMap((list) => [
      ...honoured(`subsets[].${list}[].ip`, `subsets[].${list}[].hostname`),
      unenforced(`subsets[].${list}[].nodeName`, 'addresses are not tied to nodes'),
      unenforced(`subsets[].${list}[].targetRef`, 'addresses are not tied to pods'),
    ]),
    ...honoured('subsets[].ports'),
  ],
  'discovery.k8s.io/v1/EndpointSlice': [
    ...common,
    unenforced('addressType', 'Services have IPv4 addresses', other('IPv4')),
    ...honoured('endpoints[].addresses', 'endpoints[].conditions', 'endpoints[].hostname', 'ports'),
    ...['deprecatedTopology', 'hints', 'nodeName', 'targetRef', 'zone'].map((name) =>
      unenforced(`endpoints[].${name}`, 'addresses are not tied to nodes or pods'),
    ),
  ],
  'v1/ServiceAccount': [
    ...common,
    ...honoured('imagePullSecrets'),
    unenforced('secrets', 'no token is made'),
    unenforced('automountServiceAccountToken', 'a token is mounted only where a projected volume asks for one', isTrue),
  ],
  'v1/LimitRange': [
    ...common,
    unenforced('spec.limits[].type', 'only containers and pods are bounded', other('Container', 'Pod')),
    ...['default', 'defaultRequest', 'min', 'max', 'maxLimitRequestRatio'].flatMap((name) => honoured(`spec.limits[].${name}`)),
  ],
  'v1/ResourceQuota': [
    ...common,
    status,
    {
      // Its keys hold dots, so one row is for all of them.
      field: 'spec.hard',
      support: { level: 'unenforced', why: 'only pods, processor, memory and extended resources are counted' },
      when: (hard) => isMap(hard) && Object.keys(hard).some((key) => !isCounted(key)),
      whenText: `with other keys than ${countedResources.join(', ')}, requests. and an extended resource`,
    },
    unenforced('spec.scopes', 'the quota bounds nothing: pods are not told apart by their scope'),
    unenforced('spec.scopeSelector', 'the quota bounds nothing: pods are not told apart by their scope'),
  ],
  'policy/v1/PodDisruptionBudget': [
    ...common,
    status,
    { field: 'spec', support: { level: 'honoured', but: 'it guards pods from eviction, and nothing here evicts' } },
  ],
  'scheduling.k8s.io/v1/PriorityClass': [
    ...common,
    ...['value', 'globalDefault', 'description', 'preemptionPolicy'].map(
      (field): SupportRow => ({ field, support: { level: 'honoured', but: 'no pod ever has to make way for another' } }),
    ),
  ],
}

/** What is missing where a kind is accepted as data only; any other kind is simply not acted on. */
export const dataKinds: Readonly<Record<string, string>> = {
  'apiextensions.k8s.io/v1/CustomResourceDefinition': 'custom resources are kept as data',
  'autoscaling/v1/HorizontalPodAutoscaler': 'replicas stay as they are in Git',
  'autoscaling/v2/HorizontalPodAutoscaler': 'replicas stay as they are in Git',
  'networking.k8s.io/v1/Ingress': 'no HTTP routes are served',
  'networking.k8s.io/v1/IngressClass': 'no HTTP routes are served',
  'networking.k8s.io/v1/NetworkPolicy': 'every pod can reach every pod',
  'rbac.authorization.k8s.io/v1/ClusterRole': 'there is no Kubernetes API to guard',
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding': 'there is no Kubernetes API to guard',
  'rbac.authorization.k8s.io/v1/Role': 'there is no Kubernetes API to guard',
  'rbac.authorization.k8s.io/v1/RoleBinding': 'there is no Kubernetes API to guard',
}
