/**
 * The single table of what this version does with each field. Verdicts, the status and docs/support.md come from it.
 *
 * A row covers its field and everything below it that has no row of its own. `[]` stands for every item of a list,
 * `*` for every key that has no row. A field without any row is accepted without effect, and said so.
 */
import { capabilityName } from './container.ts'
import { baselineCapabilities, GPU, type Policy, safeSysctls } from './policy.ts'
import { countedResources } from './quota.ts'
import { isMap } from './raw.ts'
import { plainText } from './report.ts'

export type Support =
  /** `but`: where that is not quite what Kubernetes does */
  | { readonly level: 'honoured'; readonly but?: string }
  | { readonly level: 'unenforced'; readonly why: string }
  | { readonly level: 'refused'; readonly why: string }
  /** refused by the baseline policy; `allowed` is what becomes of it where the operator allows it */
  | { readonly level: 'policy'; readonly policy: Policy; readonly allowed: 'honoured' | 'refused' }

export interface SupportRow {
  readonly field: string
  readonly support: Support
  /** the row counts only for such values; any other value is honoured */
  readonly when?: (value: unknown) => boolean
  /** `when` in words, for the documentation */
  readonly whenText?: string
}

type Condition = Pick<SupportRow, 'when' | 'whenText'>

const honoured = (...fields: readonly string[]): SupportRow[] =>
  fields.map((field) => ({ field, support: { level: 'honoured' } }))
const unenforced = (field: string, why: string, condition: Condition = {}): SupportRow => ({
  field,
  support: { level: 'unenforced', why },
  ...condition,
})
const refused = (field: string, why: string, condition: Condition = {}): SupportRow => ({
  field,
  support: { level: 'refused', why },
  ...condition,
})
const policy = (field: string, name: Policy, allowed: 'honoured' | 'refused', condition: Condition = {}): SupportRow => ({
  field,
  support: { level: 'policy', policy: name, allowed },
  ...condition,
})

const isTrue: Condition = { when: (value) => value === true, whenText: 'true' }
const other = (...values: readonly unknown[]): Condition => ({
  when: (value) => !values.includes(value),
  whenText: `other than ${values.map((value) => (value === '' ? 'empty' : String(value))).join(', ')}`,
})
const only = (...values: readonly unknown[]): Condition => ({
  when: (value) => values.includes(value),
  whenText: values.join(', '),
})

const notRun = 'is not run by this version'
const written = 'is written by a server and not read'

/** Fields of `metadata`, of objects and of pod templates. */
export const metadataSupport: readonly SupportRow[] = [
  ...honoured('name', 'namespace', 'labels', 'annotations'),
  unenforced('finalizers', 'nothing waits for finalizers'),
  unenforced('ownerReferences', 'ownership comes from the workload alone'),
  unenforced('generateName', 'names are never generated'),
  ...['creationTimestamp', 'deletionGracePeriodSeconds', 'deletionTimestamp', 'generation', 'managedFields'].map((field) =>
    unenforced(field, written),
  ),
  ...['resourceVersion', 'selfLink', 'uid'].map((field) => unenforced(field, written)),
]

const seccomp = (at: string): SupportRow[] => [
  ...honoured(`${at}.localhostProfile`),
  policy(`${at}.type`, 'seccomp', 'honoured', only('Unconfined')),
  refused(`${at}.type`, `a profile from the node ${notRun}`, only('Localhost')),
]
const appArmor = (at: string): SupportRow[] => [
  ...honoured(`${at}.localhostProfile`),
  policy(`${at}.type`, 'appArmor', 'honoured', only('Unconfined')),
]
const seLinux = (at: string): SupportRow[] => [
  unenforced(at, 'SELinux labels are not set'),
  policy(
    `${at}.type`,
    'seLinux',
    'refused',
    other('', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'),
  ),
  policy(`${at}.user`, 'seLinux', 'refused', other('')),
  policy(`${at}.role`, 'seLinux', 'refused', other('')),
]

const probe = (at: string): SupportRow[] => [
  ...honoured(`${at}.httpGet`, `${at}.tcpSocket`, `${at}.exec`, `${at}.grpc`),
  ...honoured(
    ...['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'].map(
      (name) => `${at}.${name}`,
    ),
    `${at}.terminationGracePeriodSeconds`,
  ),
]

const hook = (at: string): SupportRow[] => [
  ...honoured(`${at}.exec`, `${at}.httpGet`, `${at}.sleep`),
  unenforced(`${at}.tcpSocket`, 'Kubernetes does not run it either'),
]

const resources: readonly SupportRow[] = ['limits', 'requests'].flatMap((list) => [
  ...honoured(`resources.${list}.cpu`, `resources.${list}.memory`),
  {
    field: `resources.${list}.ephemeral-storage`,
    support: {
      level: 'honoured',
      but: 'a pod beyond its limit is replaced; its own file system counts, and for the pod its emptyDirs on the disk, looked at once a minute',
    },
  },
  {
    field: `resources.${list}."${GPU}"`,
    support: {
      level: 'honoured',
      but: 'so many of the node’s GPUs, whichever Docker gives: another container may have the same ones',
    },
  },
  refused(`resources.${list}.*`, 'no node offers this resource in this version'),
])

const containerSecurity: readonly SupportRow[] = [
  ...honoured(
    'runAsUser',
    'runAsGroup',
    'runAsNonRoot',
    'readOnlyRootFilesystem',
    'allowPrivilegeEscalation',
    'capabilities.drop',
  ),
  policy('privileged', 'privileged', 'honoured', isTrue),
  policy('capabilities.add[]', 'capabilities', 'honoured', {
    when: (value) => !baselineCapabilities.has(capabilityName(plainText(value))),
    whenText: `other than ${[...baselineCapabilities].join(', ')}`,
  }),
  policy('procMount', 'procMount', 'honoured', other('Default', '')),
  ...seccomp('seccompProfile'),
  ...appArmor('appArmorProfile'),
  ...seLinux('seLinuxOptions'),
  refused('windowsOptions', `Windows ${notRun}`),
]

const listens =
  'over TCP, of a container without readiness and startup probe, it is to accept a connection before the container is ready, within 10 s'

const parts =
  'before Docker 26, of a volume that containers write to, the container waits while another one can write to the folder above'

/** Rows of every container, whatever its place in the pod. */
const container: readonly SupportRow[] = [
  ...honoured('name', 'image', 'command', 'args', 'workingDir', 'imagePullPolicy', 'tty', 'stdin', 'stdinOnce'),
  ...honoured('ports[].name', 'ports[].protocol'),
  { field: 'ports[].containerPort', support: { level: 'honoured', but: listens } },
  policy('ports[].hostPort', 'hostPort', 'honoured', other(0)),
  unenforced('ports[].hostIP', 'it has no effect without hostPort', other('')),
  ...honoured('env[].name', 'env[].value', 'env[].valueFrom.configMapKeyRef', 'env[].valueFrom.secretKeyRef'),
  ...honoured('env[].valueFrom.fieldRef', 'env[].valueFrom.resourceFieldRef', 'envFrom'),
  refused('env[].valueFrom.fileKeyRef', `fileKeyRef ${notRun}`),
  ...resources,
  refused('resources.claims', `resource claims are not run by this version`),
  unenforced('resizePolicy', 'a change of resources rolls the workload'),
  ...honoured('volumeMounts[].name', 'volumeMounts[].mountPath', 'volumeMounts[].readOnly', 'volumeMounts[].mountPropagation'),
  ...['subPath', 'subPathExpr'].map(
    (field): SupportRow => ({
      field: `volumeMounts[].${field}`,
      support: { level: 'honoured', but: parts },
    }),
  ),
  unenforced('volumeMounts[].recursiveReadOnly', 'mounts below a read-only mount stay as they are'),
  refused('volumeDevices', `block devices are not run by this version`),
  ...['livenessProbe', 'readinessProbe', 'startupProbe'].flatMap(probe),
  ...hook('lifecycle.postStart'),
  ...hook('lifecycle.preStop'),
  ...honoured('lifecycle.stopSignal'),
  ...containerSecurity.map((row) => ({ ...row, field: `securityContext.${row.field}` })),
  { field: 'terminationMessagePath', support: { level: 'honoured', but: 'what lies below /dev is gone with the container' } },
  ...honoured('terminationMessagePolicy'),
  refused('restartPolicy', `a restart policy of one container other than Always ${notRun}`, other('Always')),
  refused('restartPolicyRules', `a restart policy of one container ${notRun}`),
]

const podSecurity: readonly SupportRow[] = [
  ...honoured('runAsUser', 'runAsGroup', 'runAsNonRoot', 'supplementalGroups', 'fsGroup', 'fsGroupChangePolicy'),
  unenforced('supplementalGroupsPolicy', 'groups of the image are kept', other('Merge')),
  policy('sysctls[].name', 'sysctls', 'honoured', {
    when: (value) => !safeSysctls.has(plainText(value)),
    whenText: `other than ${[...safeSysctls].join(', ')}`,
  }),
  ...honoured('sysctls[].value'),
  ...seccomp('seccompProfile'),
  ...appArmor('appArmorProfile'),
  ...seLinux('seLinuxOptions'),
  unenforced('seLinuxChangePolicy', 'SELinux labels are not set'),
  refused('windowsOptions', `Windows ${notRun}`),
]

/** What a claim asks of a volume, whichever it becomes. */
const request = (at: string): SupportRow[] => [
  ...honoured(`${at}.accessModes`),
  {
    field: `${at}.resources`,
    support: { level: 'honoured', but: 'a volume is as large as its disk: the size is told, and not enforced' },
  },
  refused(`${at}.volumeMode`, 'block devices are not run by this version', only('Block')),
  ...['dataSource', 'dataSourceRef'].map((field) => refused(`${at}.${field}`, 'volumes are not copied by this version')),
  unenforced(`${at}.volumeAttributesClassName`, 'a volume has the attributes it is made with'),
]

const retention =
  'a claim that is in Git by itself, one of a PersistentVolume, and one of a class that retains are kept; so is one whose memory was lost'

const hostPathType =
  'the path has to be there, unless its type is DirectoryOrCreate or empty; that it is of this type is not looked at'

/** Sources of a pod's volumes. */
const volumeSources: readonly SupportRow[] = [
  ...honoured('configMap', 'secret', 'downwardAPI', 'nfs', 'emptyDir.medium'),
  { field: 'emptyDir.sizeLimit', support: { level: 'honoured', but: 'on the disk it is looked at once a minute' } },
  unenforced('emptyDir.medium', 'huge pages are not used; it is made on the disk', {
    when: (value) => plainText(value).startsWith('HugePages'),
    whenText: 'HugePages',
  }),
  ...honoured('projected.defaultMode', 'projected.sources[].configMap', 'projected.sources[].secret'),
  ...honoured('projected.sources[].downwardAPI'),
  refused('projected.sources[].serviceAccountToken', 'there is no Kubernetes API that would trust a token'),
  refused('projected.sources[].*', 'it comes from a Kubernetes API, and there is none'),
  ...honoured('persistentVolumeClaim'),
  ...honoured('ephemeral.volumeClaimTemplate.metadata'),
  ...request('ephemeral.volumeClaimTemplate.spec'),
  unenforced('ephemeral.volumeClaimTemplate.spec.storageClassName', 'it is a volume of the local driver of Docker'),
  ...['selector', 'volumeName'].map((name) =>
    refused(`ephemeral.volumeClaimTemplate.spec.${name}`, 'a volume that dies with its pod takes no PersistentVolume'),
  ),
  policy('hostPath', 'hostPath', 'honoured'),
  { field: 'hostPath.type', support: { level: 'honoured', but: hostPathType } },
  refused('hostPath.type', 'no file is made on the node', only('FileOrCreate')),
  refused('image', 'images are not mounted as volumes by this version'),
  refused('csi', 'no CSI driver is run'),
  refused('*', 'disks of a cloud and other clusters are not mounted'),
]
const runtime = 'it names a runtime of the Docker Engine, and a pod waits on a node that has none of that name'

/** Fields of a pod's spec. */
export const podSupport: readonly SupportRow[] = [
  ...container.map((row) => ({ ...row, field: `containers[].${row.field}` })),
  ...container.map((row) => ({ ...row, field: `initContainers[].${row.field}` })),
  refused('ephemeralContainers', 'a manifest cannot hold them'),
  ...honoured('volumes[].name'),
  ...volumeSources.map((row) => ({ ...row, field: `volumes[].${row.field}` })),
  ...honoured('restartPolicy', 'terminationGracePeriodSeconds', 'imagePullSecrets', 'hostname', 'subdomain', 'hostAliases'),
  ...honoured('dnsPolicy', 'dnsConfig'),
  ...podSecurity.map((row) => ({ ...row, field: `securityContext.${row.field}` })),
  policy('hostNetwork', 'hostNetwork', 'honoured', isTrue),
  policy('hostPID', 'hostPID', 'honoured', isTrue),
  policy('hostIPC', 'hostIPC', 'honoured', isTrue),
  unenforced('hostUsers', 'no user namespace is made', only(false)),
  ...honoured('shareProcessNamespace', 'activeDeadlineSeconds', 'setHostnameAsFQDN', 'hostnameOverride'),
  ...honoured('nodeSelector', 'nodeName', 'tolerations'),
  {
    field: 'affinity',
    support: {
      level: 'honoured',
      but: 'with one node, pods that are to be apart have nowhere else to go and run beside each other; a preference changes nothing',
    },
  },
  {
    field: 'topologySpreadConstraints',
    support: {
      level: 'honoured',
      but: 'with one node every spread is even: only a node without the topology key is out of the question',
    },
  },
  unenforced('schedulingGroup', 'pods are placed one by one'),
  unenforced('schedulerName', 'there is one scheduler', other('default-scheduler', '')),
  ...['priorityClassName', 'priority', 'preemptionPolicy'].map(
    (field): SupportRow => ({ field, support: { level: 'honoured', but: 'no pod ever has to make way for another' } }),
  ),
  ...['serviceAccountName', 'serviceAccount'].map(
    (field): SupportRow => ({
      field,
      support: {
        level: 'honoured',
        but: 'its pull secrets are used; no token is mounted, for there is no Kubernetes API to show it to',
      },
    }),
  ),
  unenforced('automountServiceAccountToken', 'no token is mounted', isTrue),
  unenforced(
    'enableServiceLinks',
    'no variables are set for Services: they would be those of the moment when a pod is made, so two pods of one template would differ; use DNS',
    isTrue,
  ),
  unenforced('resources', 'only the resources of containers are limited'),
  unenforced('overhead', 'it comes from a runtime class, and none is known'),
  refused('os.name', `another system ${notRun}`, other('linux')),
  { field: 'runtimeClassName', support: { level: 'honoured', but: runtime } },
  refused('readinessGates', 'nothing sets the conditions of readiness gates here, so the pod would never be ready'),
  refused('schedulingGates', `scheduling gates are not run by this version`),
  refused('resourceClaims', `resource claims are not run by this version`),
]

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
    ...honoured('spec.accessModes', 'spec.capacity', 'spec.claimRef', 'spec.storageClassName', 'spec.mountOptions', 'spec.nfs'),
    ...['hostPath', 'local'].map((field) => policy(`spec.${field}`, 'hostPath', 'honoured')),
    {
      field: 'spec.hostPath.type',
      support: { level: 'honoured', but: 'that it is a folder is not looked at before it is mounted' },
    },
    refused('spec.hostPath.type', 'a PersistentVolume is a folder here', other('Directory', 'DirectoryOrCreate', '')),
    {
      field: 'spec.csi',
      support: { level: 'honoured', but: 'only by a volume driver of Docker, which has a name without dots' },
    },
    unenforced('spec.persistentVolumeReclaimPolicy', 'what is in a volume is never deleted', other('Retain', '')),
    unenforced('spec.nodeAffinity', 'with one node it is where its pods are'),
    refused('spec.volumeMode', 'block devices are not run by this version', only('Block')),
    unenforced('spec.volumeAttributesClassName', 'a volume has the attributes it is made with'),
    refused('spec.*', 'disks of a cloud and other clusters are not mounted'),
  ],
  'storage.k8s.io/v1/StorageClass': [
    ...common,
    ...honoured('parameters', 'mountOptions'),
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
    unenforced('automountServiceAccountToken', 'no token is mounted', isTrue),
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
      support: { level: 'unenforced', why: 'only pods, processor and memory are counted' },
      when: (hard) => isMap(hard) && Object.keys(hard).some((key) => !countedResources.some((counted) => counted === key)),
      whenText: `with other keys than ${countedResources.join(', ')}`,
    },
    unenforced('spec.scopes', 'all pods of the namespace are counted'),
    unenforced('spec.scopeSelector', 'all pods of the namespace are counted'),
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
