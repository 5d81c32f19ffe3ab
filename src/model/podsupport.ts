/** The support table: metadata and pods. */

import { capabilityName } from './container.ts'
import { HUGE_PAGES } from './hugepages.ts'
import { baselineCapabilities, safeSysctls } from './policy.ts'
import { plainText } from './report.ts'
import { honoured, isTrue, notRun, only, other, policy, refused, type SupportRow, unenforced, written } from './supportrows.ts'

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
  {
    field: `${at}.localhostProfile`,
    support: { level: 'honoured', but: 'it is a file on the host of the daemon, below its `--seccomp-profile-root`' },
  },
  policy(`${at}.type`, 'seccomp', 'honoured', only('Unconfined')),
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
      but: 'a pod beyond its limit is replaced; its own file system counts, and for the pod its emptyDirs on the disk, looked at once a minute; requests are not set against what the node has',
    },
  },
  ...Object.keys(HUGE_PAGES).map(
    (name): SupportRow => ({
      field: `resources.${list}.${name}`,
      support: {
        level: 'honoured',
        but: 'the pod’s emptyDirs of such pages have room for so many; others are not counted, nor is it looked at whether the node has set any aside',
      },
    }),
  ),
  {
    field: `resources.${list}.*`,
    support: {
      level: 'honoured',
      but: 'of an extended resource, the units that the operator has given the node (`--node-resource`)',
    },
  },
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
  'before Docker 26, of a volume that containers write to, the container waits while another one can write to the folder above; of a hostPath it is refused, which can be given that path itself'

/** Rows of every container, whatever its place in the pod. */
const container: readonly SupportRow[] = [
  ...honoured('name', 'image', 'command', 'args', 'workingDir', 'imagePullPolicy', 'tty', 'stdin', 'stdinOnce'),
  ...honoured('ports[].name'),
  unenforced('ports[].protocol', 'the port is not published, and no Service leads to it', only('SCTP')),
  { field: 'ports[].containerPort', support: { level: 'honoured', but: listens } },
  policy('ports[].hostPort', 'hostPort', 'honoured', other(0)),
  unenforced('ports[].hostIP', 'it has no effect without hostPort', other('')),
  ...honoured('env[].name', 'env[].value', 'env[].valueFrom.configMapKeyRef', 'env[].valueFrom.secretKeyRef'),
  ...honoured('env[].valueFrom.fieldRef', 'envFrom'),
  { field: 'env[].valueFrom.resourceFieldRef', support: { level: 'honoured', but: 'of cpu and memory; others are refused' } },
  refused('env[].valueFrom.fileKeyRef', `fileKeyRef ${notRun}`),
  ...resources,
  refused('resources.claims', `resource claims are not run by this version`),
  unenforced('resizePolicy', 'a change of resources rolls the workload'),
  ...honoured('volumeMounts[].name', 'volumeMounts[].mountPath', 'volumeMounts[].readOnly'),
  {
    field: 'volumeMounts[].mountPropagation',
    support: { level: 'honoured', but: 'of a hostPath: nothing is ever mounted inside other volumes' },
  },
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
  unenforced('sysctls[].name', 'containers of a pod have each their own IPC', {
    when: (value) => /^(kernel\.(shm|msg|sem)|fs\.mqueue\.)/.test(plainText(value)),
    whenText: 'of IPC: kernel.shm*, kernel.msg*, kernel.sem, fs.mqueue.*',
  }),
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
export const request = (at: string): SupportRow[] => [
  ...honoured(`${at}.accessModes`),
  {
    field: `${at}.resources`,
    support: { level: 'honoured', but: 'a volume is as large as its disk: the size is told, and not enforced' },
  },
  refused(`${at}.volumeMode`, 'block devices are not run by this version', only('Block')),
  ...['dataSource', 'dataSourceRef'].map((field) => refused(`${at}.${field}`, 'volumes are not copied by this version')),
  unenforced(`${at}.volumeAttributesClassName`, 'a volume has the attributes it is made with'),
]

export const retention =
  'a claim that is in Git by itself, one of a PersistentVolume, and one of a class that retains are kept; so is one whose memory was lost'

const hostPathType =
  'looked at when a pod is made, and never again: until the path is of its type, the pod waits; of an empty type, a folder is made of what is not there'

const token = 'the daemon signs it, and others can verify it by the daemon’s OpenID discovery; it ends by its expiration alone'

/** Sources of a pod's volumes. */
const volumeSources: readonly SupportRow[] = [
  ...honoured('configMap', 'secret', 'downwardAPI', 'nfs', 'emptyDir.medium'),
  { field: 'emptyDir.sizeLimit', support: { level: 'honoured', but: 'on the disk it is looked at once a minute' } },
  ...honoured('projected.defaultMode', 'projected.sources[].configMap', 'projected.sources[].secret'),
  ...honoured('projected.sources[].downwardAPI'),
  ...honoured('projected.sources[].serviceAccountToken.path', 'projected.sources[].serviceAccountToken.expirationSeconds'),
  { field: 'projected.sources[].serviceAccountToken.audience', support: { level: 'honoured', but: token } },
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
  refused('image', 'images are not mounted as volumes by this version'),
  refused('csi', 'no CSI driver is run'),
  refused('*', 'disks of a cloud and other clusters are not mounted'),
]
const runtime = 'it names a runtime of the Docker Engine, and a pod waits on a node that has none of that name'

const serviceLinks =
  'of the Services that there are when the pod is made, 250 at most; a container that starts again has the same'

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
  unenforced('topologySpreadConstraints', 'with one node there is one domain', {
    when: (value) => JSON.stringify(value).includes('"minDomains"'),
    whenText: 'with minDomains',
  }),
  unenforced('affinity', 'pods are chosen by the labelSelector alone, in the own or the named namespaces', {
    when: (value) => /"(mis)?matchLabelKeys"|"namespaceSelector":\{"/i.test(JSON.stringify(value)),
    whenText: 'with matchLabelKeys, mismatchLabelKeys or a namespaceSelector that selects',
  }),
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
        but: 'its pull secrets are used; a token is mounted only where a projected volume asks for one, and the pod waits then until there is such a ServiceAccount',
      },
    }),
  ),
  unenforced('automountServiceAccountToken', 'a token is mounted only where a projected volume asks for one', isTrue),
  { field: 'enableServiceLinks', support: { level: 'honoured', but: serviceLinks } },
  unenforced('resources', 'only the resources of containers are limited'),
  unenforced('overhead', 'it comes from a runtime class, and none is known'),
  refused('os.name', `another system ${notRun}`, other('linux')),
  { field: 'runtimeClassName', support: { level: 'honoured', but: runtime } },
  {
    field: 'readinessGates',
    support: { level: 'honoured', but: '`POST /api/v1/conditions` of the daemon sets their conditions, and nothing else does' },
  },
  refused('schedulingGates', `scheduling gates are not run by this version`),
  refused('resourceClaims', `resource claims are not run by this version`),
]
