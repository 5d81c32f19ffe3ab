/** Pods and their containers, in canonical form. */
import type { Labels, Protocol } from './meta.ts'
import type { ResourceField, Volume } from './volume.ts'

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
  /** of its containers together */
  readonly total?: DiskLimit
  /** ids of its running containers */
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

export type ClaimRetention = 'Retain' | 'Delete'
