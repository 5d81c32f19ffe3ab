/**
 * Kubernetes objects in Trireme's canonical form: what every planner reads.
 *
 * Canonical means: defaults filled in as the Kubernetes API server does, quantities normalised,
 * keyed lists sorted by their merge key where order has no meaning, namespaces written out, and
 * every Secret value replaced by a keyed digest. Objects are deeply frozen.
 */

/** Where a manifest came from. `file` is relative to the source's path; `line` is 1-based. */
export interface Origin {
  readonly file: string
  readonly line: number
  readonly revision: string
}

/** One YAML document as it was rendered, before validation. `body` is plain JSON data. */
export interface Manifest {
  readonly origin: Origin
  readonly body: unknown
  /** 1-based line of a field in `origin.file`; that of its nearest known parent when the field has none of its own. */
  readonly lineOf?: (path: FieldPath) => number
}

/** Keys and indices from the document's root, such as `['spec', 'ports', 0, 'name']`. */
export type FieldPath = readonly (string | number)[]

export type Labels = Readonly<Record<string, string>>

export interface ObjectMeta {
  readonly name: string
  /** `''` for cluster-scoped kinds. */
  readonly namespace: string
  readonly labels: Labels
  readonly annotations: Labels
}

export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
}

export interface SelectorRequirement {
  readonly key: string
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
  readonly values: readonly string[]
}

/** A LabelSelector; empty selects everything, `null` elsewhere selects nothing. */
export interface LabelSelector {
  readonly matchLabels: Labels
  readonly matchExpressions: readonly SelectorRequirement[]
}

export interface ConfigMap extends KubeObject {
  readonly kind: 'ConfigMap'
  readonly data: Readonly<Record<string, string>>
  /** base64 */
  readonly binaryData: Readonly<Record<string, string>>
  readonly immutable: boolean
}

/** A Secret without its values: `data` maps each key to the keyed digest of its bytes. */
export interface Secret extends KubeObject {
  readonly kind: 'Secret'
  readonly type: string
  readonly data: Readonly<Record<string, string>>
  readonly immutable: boolean
}

export interface Namespace extends KubeObject {
  readonly kind: 'Namespace'
}

export interface KeySelector {
  readonly name: string
  readonly key: string
  readonly optional: boolean
}

export type EnvVar = { readonly name: string; readonly value: string } | { readonly name: string; readonly valueFrom: EnvSource }

/** Exactly one of the fields is set. */
export interface EnvSource {
  readonly configMapKeyRef?: KeySelector
  readonly secretKeyRef?: KeySelector
  readonly fieldRef?: { readonly fieldPath: string }
  readonly resourceFieldRef?: ResourceField
}

/** Exactly one of `configMapRef` and `secretRef` is set. */
export interface EnvFrom {
  readonly prefix: string
  readonly configMapRef?: { readonly name: string; readonly optional: boolean }
  readonly secretRef?: { readonly name: string; readonly optional: boolean }
}

export type Protocol = 'TCP' | 'UDP' | 'SCTP'

export interface ContainerPort {
  readonly name?: string
  readonly containerPort: number
  readonly hostPort?: number
  readonly hostIP?: string
  readonly protocol: Protocol
}

/** Quantities as normalised strings, such as `500m` and `64Mi`. */
export interface Resources {
  readonly limits: Readonly<Record<string, string>>
  readonly requests: Readonly<Record<string, string>>
}

export interface HttpGet {
  readonly path: string
  readonly port: number | string
  readonly host?: string
  readonly scheme: 'HTTP' | 'HTTPS'
  readonly httpHeaders: readonly { readonly name: string; readonly value: string }[]
}

/** Exactly one of the fields is set; `sleep` only in hooks, `grpc` only in probes. */
export interface ProbeAction {
  readonly httpGet?: HttpGet
  readonly tcpSocket?: { readonly port: number | string; readonly host?: string }
  readonly exec?: { readonly command: readonly string[] }
  readonly grpc?: { readonly port: number; readonly service: string }
  readonly sleep?: { readonly seconds: number }
  /** in no manifest: fails once the container has written more than this to its own file system */
  readonly storage?: { readonly limitBytes: number }
  /** in no manifest: fails once the pod has more on the disk than it may */
  readonly usage?: PodUsage
}

interface DiskLimit {
  readonly bytes: number
  /** the quantity, as Kubernetes would tell it */
  readonly text: string
}

/** What counts as the local storage of a pod, and what limits it. */
export interface PodUsage {
  /** its emptyDirs on the disk: the name in the pod, and the Docker volume */
  readonly volumes: readonly { readonly name: string; readonly source: string; readonly limit?: DiskLimit }[]
  /** of all its containers together */
  readonly total?: DiskLimit
  /** ids of its containers */
  readonly containers: readonly string[]
}

export interface Probe extends ProbeAction {
  readonly initialDelaySeconds: number
  readonly timeoutSeconds: number
  readonly periodSeconds: number
  readonly successThreshold: number
  readonly failureThreshold: number
  readonly terminationGracePeriodSeconds?: number
}

export interface VolumeMount {
  readonly name: string
  readonly mountPath: string
  readonly readOnly: boolean
  readonly subPath?: string
  readonly subPathExpr?: string
  readonly mountPropagation?: string
}

export interface Capabilities {
  readonly add: readonly string[]
  readonly drop: readonly string[]
}

export interface SecurityContext {
  readonly runAsUser?: number
  readonly runAsGroup?: number
  readonly runAsNonRoot?: boolean
  readonly readOnlyRootFilesystem?: boolean
  readonly allowPrivilegeEscalation?: boolean
  readonly privileged?: boolean
  readonly capabilities?: Capabilities
  readonly seccompProfile?: { readonly type: string; readonly localhostProfile?: string }
  readonly appArmorProfile?: { readonly type: string; readonly localhostProfile?: string }
  readonly procMount?: string
}

export interface Container {
  readonly name: string
  readonly image: string
  readonly command: readonly string[]
  readonly args: readonly string[]
  readonly workingDir?: string
  readonly ports: readonly ContainerPort[]
  readonly env: readonly EnvVar[]
  readonly envFrom: readonly EnvFrom[]
  readonly resources: Resources
  readonly volumeMounts: readonly VolumeMount[]
  readonly livenessProbe?: Probe
  readonly readinessProbe?: Probe
  readonly startupProbe?: Probe
  readonly lifecycle?: { readonly postStart?: ProbeAction; readonly preStop?: ProbeAction; readonly stopSignal?: string }
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never'
  readonly securityContext: SecurityContext
  readonly stdin: boolean
  readonly stdinOnce: boolean
  readonly tty: boolean
  readonly terminationMessagePath: string
  readonly terminationMessagePolicy: string
  /** Only on init containers: `Always` makes a sidecar. */
  readonly restartPolicy?: 'Always'
}

export interface KeyToPath {
  readonly key: string
  readonly path: string
  readonly mode?: number
}

export interface ConfigMapVolume {
  readonly name: string
  readonly items?: readonly KeyToPath[]
  readonly defaultMode: number
  readonly optional: boolean
}

export interface SecretVolume {
  readonly secretName: string
  readonly items?: readonly KeyToPath[]
  readonly defaultMode: number
  readonly optional: boolean
}

export interface ResourceField {
  readonly containerName?: string
  readonly resource: string
  readonly divisor: string
}

/** Exactly one of `fieldRef` and `resourceFieldRef` is set. */
export interface DownwardItem {
  readonly path: string
  readonly mode?: number
  readonly fieldRef?: { readonly fieldPath: string }
  readonly resourceFieldRef?: ResourceField
}

export interface DownwardVolume {
  readonly items: readonly DownwardItem[]
  readonly defaultMode: number
}

/** Exactly one field is set; a later source counts over an earlier one that has a file of the same path. */
export interface ProjectedSource {
  readonly configMap?: Omit<ConfigMapVolume, 'defaultMode'>
  readonly secret?: Omit<SecretVolume, 'defaultMode'>
  readonly downwardAPI?: { readonly items: readonly DownwardItem[] }
}

export interface ProjectedVolume {
  readonly sources: readonly ProjectedSource[]
  readonly defaultMode: number
}

export interface NfsSource {
  readonly server: string
  readonly path: string
  readonly readOnly: boolean
}

export interface ClaimSpec {
  /** sorted */
  readonly accessModes: readonly string[]
  /** normalised quantity; `0` when none is asked for */
  readonly storage: string
  /** `''` asks for a PersistentVolume without a class; absent leaves it to the default class */
  readonly storageClassName?: string
  /** the PersistentVolume that it asks for by name */
  readonly volumeName?: string
  readonly selector?: LabelSelector
}

export interface PersistentVolumeClaim extends KubeObject {
  readonly kind: 'PersistentVolumeClaim'
  readonly spec: ClaimSpec
}

export interface PersistentVolume extends KubeObject {
  readonly kind: 'PersistentVolume'
  readonly spec: {
    readonly accessModes: readonly string[]
    readonly storage: string
    /** `''` for none */
    readonly storageClassName: string
    readonly claimRef?: { readonly namespace: string; readonly name: string }
    readonly mountOptions: readonly string[]
    /** the place on the node of a `hostPath` or `local` volume */
    readonly hostPath?: string
    /** that place is made when it is not there */
    readonly makesFolder?: true
    readonly nfs?: NfsSource
    readonly csi?: { readonly driver: string; readonly attributes: Readonly<Record<string, string>> }
  }
}

export interface StorageClass extends KubeObject {
  readonly kind: 'StorageClass'
  readonly provisioner: string
  readonly parameters: Readonly<Record<string, string>>
  readonly mountOptions: readonly string[]
  /** absent means Delete */
  readonly reclaimPolicy?: 'Retain'
}

/** Exactly one source beside `name` is set. */
export interface Volume {
  readonly name: string
  readonly emptyDir?: { readonly medium: '' | 'Memory'; readonly sizeLimit?: string }
  readonly configMap?: ConfigMapVolume
  readonly secret?: SecretVolume
  readonly claim?: { readonly claimName: string; readonly readOnly: boolean }
  readonly projected?: ProjectedVolume
  readonly downwardAPI?: DownwardVolume
  readonly hostPath?: { readonly path: string; readonly type: string }
  readonly nfs?: NfsSource
  /** a claim that lives and dies with its pod */
  readonly ephemeral?: ClaimSpec
  /** Sources that this version refuses or accepts without enforcing stay as they were written. */
  readonly other?: Readonly<Record<string, unknown>>
}

export interface PodSecurityContext {
  readonly runAsUser?: number
  readonly runAsGroup?: number
  readonly runAsNonRoot?: boolean
  readonly fsGroup?: number
  readonly fsGroupChangePolicy?: string
  readonly supplementalGroups: readonly number[]
  readonly sysctls: readonly { readonly name: string; readonly value: string }[]
  readonly seccompProfile?: { readonly type: string; readonly localhostProfile?: string }
  readonly appArmorProfile?: { readonly type: string; readonly localhostProfile?: string }
}

export interface PodSpec {
  readonly containers: readonly Container[]
  readonly initContainers: readonly Container[]
  readonly volumes: readonly Volume[]
  readonly restartPolicy: 'Always' | 'OnFailure' | 'Never'
  readonly terminationGracePeriodSeconds: number
  readonly activeDeadlineSeconds?: number
  readonly dnsPolicy: 'ClusterFirst' | 'ClusterFirstWithHostNet' | 'Default' | 'None'
  readonly dnsConfig?: {
    readonly nameservers: readonly string[]
    readonly searches: readonly string[]
    readonly options: readonly { readonly name: string; readonly value?: string }[]
  }
  readonly hostname?: string
  readonly subdomain?: string
  readonly hostAliases: readonly { readonly ip: string; readonly hostnames: readonly string[] }[]
  readonly hostNetwork: boolean
  readonly hostPID: boolean
  readonly hostIPC: boolean
  readonly shareProcessNamespace: boolean
  readonly setHostnameAsFQDN?: true
  readonly hostnameOverride?: string
  readonly nodeName?: string
  readonly nodeSelector: Labels
  readonly serviceAccountName: string
  readonly automountServiceAccountToken?: boolean
  readonly enableServiceLinks: boolean
  readonly imagePullSecrets: readonly { readonly name: string }[]
  readonly securityContext: PodSecurityContext
  readonly priorityClassName?: string
  readonly runtimeClassName?: string
  readonly schedulerName: string
  readonly affinity?: unknown
  readonly tolerations: readonly unknown[]
  readonly topologySpreadConstraints: readonly unknown[]
  readonly readinessGates: readonly { readonly conditionType: string }[]
}

/** What keeps pods away from a node unless they tolerate it. */
export interface Taint {
  readonly key: string
  readonly value: string
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute'
}

export interface PodTemplate {
  readonly metadata: { readonly labels: Labels; readonly annotations: Labels }
  readonly spec: PodSpec
}

/** A count or a percentage such as `25%`. */
export type IntOrPercent = number | string

export interface DeploymentSpec {
  readonly replicas: number
  readonly selector: LabelSelector
  readonly template: PodTemplate
  readonly strategy:
    | {
        readonly type: 'RollingUpdate'
        readonly rollingUpdate: { readonly maxSurge: IntOrPercent; readonly maxUnavailable: IntOrPercent }
      }
    | { readonly type: 'Recreate' }
  readonly minReadySeconds: number
  readonly revisionHistoryLimit: number
  readonly progressDeadlineSeconds: number
  readonly paused: boolean
}

export interface Deployment extends KubeObject {
  readonly kind: 'Deployment'
  readonly spec: DeploymentSpec
}

/** A ReplicationController is one whose selector is written as plain labels. */
export interface ReplicaSet extends KubeObject {
  readonly kind: 'ReplicaSet' | 'ReplicationController'
  readonly spec: {
    readonly replicas: number
    readonly selector: LabelSelector
    readonly template: PodTemplate
    readonly minReadySeconds: number
  }
}

export interface StatefulSetSpec {
  readonly replicas: number
  readonly ordinals: { readonly start: number }
  readonly selector: LabelSelector
  /** the headless Service that its pods have their names under; `''` for none */
  readonly serviceName: string
  readonly template: PodTemplate
  readonly podManagementPolicy: 'OrderedReady' | 'Parallel'
  readonly updateStrategy:
    | {
        readonly type: 'RollingUpdate'
        readonly rollingUpdate: { readonly partition: number; readonly maxUnavailable: IntOrPercent }
      }
    | { readonly type: 'OnDelete' }
  readonly minReadySeconds: number
  readonly revisionHistoryLimit: number
  readonly volumeClaimTemplates: readonly ClaimTemplate[]
  /** absent means that claims are kept */
  readonly persistentVolumeClaimRetentionPolicy?: {
    readonly whenDeleted: ClaimRetention
    readonly whenScaled: ClaimRetention
  }
}

export type ClaimRetention = 'Retain' | 'Delete'

export interface ClaimTemplate {
  readonly metadata: { readonly name: string; readonly labels: Labels; readonly annotations: Labels }
  readonly spec: ClaimSpec
}

export interface StatefulSet extends KubeObject {
  readonly kind: 'StatefulSet'
  readonly spec: StatefulSetSpec
}

export interface DaemonSetSpec {
  readonly selector: LabelSelector
  readonly template: PodTemplate
  readonly updateStrategy:
    | {
        readonly type: 'RollingUpdate'
        readonly rollingUpdate: { readonly maxSurge: IntOrPercent; readonly maxUnavailable: IntOrPercent }
      }
    | { readonly type: 'OnDelete' }
  readonly minReadySeconds: number
  readonly revisionHistoryLimit: number
}

export interface DaemonSet extends KubeObject {
  readonly kind: 'DaemonSet'
  readonly spec: DaemonSetSpec
}

export interface Pod extends KubeObject {
  readonly kind: 'Pod'
  readonly spec: PodSpec
}

export interface ExitCodes {
  /** absent for every container */
  readonly containerName?: string
  readonly operator: 'In' | 'NotIn'
  readonly values: readonly number[]
}

/** Exactly one of `onExitCodes` and `onPodConditions` is set. */
export interface PodFailureRule {
  readonly action: 'FailJob' | 'FailIndex' | 'Ignore' | 'Count'
  readonly onExitCodes?: ExitCodes
  readonly onPodConditions?: readonly { readonly type: string; readonly status: string }[]
}

export interface JobSpec {
  readonly parallelism: number
  /** absent: once a pod has succeeded no other is made, and the Job ends with those that run */
  readonly completions?: number
  readonly completionMode: 'NonIndexed' | 'Indexed'
  readonly backoffLimit: number
  readonly backoffLimitPerIndex?: number
  readonly maxFailedIndexes?: number
  readonly activeDeadlineSeconds?: number
  readonly ttlSecondsAfterFinished?: number
  readonly podFailurePolicy?: { readonly rules: readonly PodFailureRule[] }
  readonly podReplacementPolicy: 'TerminatingOrFailed' | 'Failed'
  /** At least one field of each rule is set. */
  readonly successPolicy?: {
    readonly rules: readonly { readonly succeededIndexes?: string; readonly succeededCount?: number }[]
  }
  readonly suspend: boolean
  readonly template: PodTemplate
}

export interface Job extends KubeObject {
  readonly kind: 'Job'
  readonly spec: JobSpec
  /** the CronJob that made it; a Job from Git has none */
  readonly owner?: ObjectKey
}

export interface CronJobSpec {
  readonly schedule: string
  /** `UTC` unless told */
  readonly timeZone: string
  readonly concurrencyPolicy: 'Allow' | 'Forbid' | 'Replace'
  readonly startingDeadlineSeconds?: number
  readonly suspend: boolean
  readonly successfulJobsHistoryLimit: number
  readonly failedJobsHistoryLimit: number
  readonly jobTemplate: {
    readonly metadata: { readonly labels: Labels; readonly annotations: Labels }
    readonly spec: JobSpec
  }
}

export interface CronJob extends KubeObject {
  readonly kind: 'CronJob'
  readonly spec: CronJobSpec
}

export interface ServicePort {
  /** `''` when the Service has one unnamed port. */
  readonly name: string
  readonly protocol: Protocol
  readonly port: number
  readonly targetPort: number | string
  readonly nodePort?: number
  readonly appProtocol?: string
}

/** An address that Git gives for a Service without a selector. */
export interface GivenEndpoint {
  readonly ip: string
  readonly ready: boolean
  /** `''` for none */
  readonly hostname: string
  /** by the name of the Service's port, `''` for the only one */
  readonly ports: readonly { readonly name: string; readonly protocol: string; readonly port: number }[]
}

export interface ServiceSpec {
  readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName'
  /** `'None'` is headless; absent means that Trireme chooses. */
  readonly clusterIP?: string
  /** `null` when the Service has no selector. */
  readonly selector: Labels | null
  /** of a Service without a selector, from the Endpoints and EndpointSlices of the same revision */
  readonly endpoints?: readonly GivenEndpoint[]
  readonly ports: readonly ServicePort[]
  readonly externalName?: string
  readonly externalIPs: readonly string[]
  readonly sessionAffinity: 'None' | 'ClientIP'
  readonly sessionAffinityTimeoutSeconds: number
  readonly publishNotReadyAddresses: boolean
  /** Whether a LoadBalancer gets node ports that it does not name; those that it names it gets. */
  readonly allocateLoadBalancerNodePorts: boolean
  readonly externalTrafficPolicy: 'Cluster' | 'Local'
  readonly internalTrafficPolicy: 'Cluster' | 'Local'
}

export interface Service extends KubeObject {
  readonly kind: 'Service'
  readonly spec: ServiceSpec
}

/** A kind that is accepted as data and not acted on; its verdict says so. */
export interface OtherObject extends KubeObject {
  readonly kind: string
  readonly body: Readonly<Record<string, unknown>>
}

/** What has pods of its own. */
export type PodWorkload = Deployment | ReplicaSet | StatefulSet | DaemonSet | Pod | Job
export type Workload = PodWorkload | CronJob
export type StorageObject = PersistentVolumeClaim | PersistentVolume | StorageClass
export type ModelObject = Namespace | ConfigMap | Secret | Workload | Service | StorageObject | OtherObject

/** `Kind/namespace/name`; the namespace is empty for cluster-scoped kinds. */
export type ObjectKey = string

export function keyOf(object: KubeObject): ObjectKey {
  return objectKey(object.kind, object.metadata.namespace, object.metadata.name)
}

export function objectKey(kind: string, namespace: string, name: string): ObjectKey {
  return `${kind}/${namespace}/${name}`
}

/** Splits a key into its parts; the name may itself hold no slash, as Kubernetes names never do. */
export function splitKey(key: ObjectKey): { readonly kind: string; readonly namespace: string; readonly name: string } {
  const first = key.indexOf('/')
  const second = first < 0 ? -1 : key.indexOf('/', first + 1)
  if (second < 0) return { kind: key, namespace: '', name: '' }
  return { kind: key.slice(0, first), namespace: key.slice(first + 1, second), name: key.slice(second + 1) }
}

/** Something wrong with, or said about, one place in the source. */
export interface Problem {
  readonly file: string
  readonly line: number
  /** JSON-path-like, such as `spec.template.spec.containers[0].imagePullPolicy`; `''` for the whole document. */
  readonly field: string
  /** Stable code listed in docs/errors.md, such as `UnknownField`. */
  readonly code: string
  readonly message: string
  /** The nearest supported spelling, when there is one. */
  readonly suggestion?: string
  /** Absent means `error`; a notice stops nothing. */
  readonly severity?: 'error' | 'notice'
}

export type Verdict = 'honoured' | 'partly' | 'refused'

/** What Trireme makes of one document. */
export interface DocumentVerdict {
  readonly file: string
  readonly line: number
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly verdict: Verdict
  readonly reasons: readonly string[]
}

export interface LoadedObject {
  readonly object: ModelObject
  readonly origin: Origin
  /** Fields or kinds that are accepted but have no effect, each as `field: why`. */
  readonly unenforced: readonly string[]
}

/** The whole of a rendered revision after validation. Broken documents are in `problems`, never in `objects`. */
export interface Loaded {
  readonly revision: string
  readonly objects: ReadonlyMap<ObjectKey, LoadedObject>
  readonly problems: readonly Problem[]
  readonly verdicts: readonly DocumentVerdict[]
  /** Files from which at least one document could not be read or was refused. */
  readonly brokenFiles: ReadonlySet<string>
}
