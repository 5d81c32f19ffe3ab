/** Builders of what planners read: canonical objects, a cluster, and pieces to change in them. All of it is frozen. */
import { createHash } from 'node:crypto'
import { deepFreeze } from '../../src/model/canonical.ts'
import { canonicalize } from '../../src/model/canonicalize.ts'
import type { ConfigMap, ModelObject, Secret } from '../../src/model/types/object.ts'
import type { PodTemplate } from '../../src/model/types/pod.ts'
import type { Service } from '../../src/model/types/service.ts'
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../src/model/types/volume.ts'
import type { CronJob, DaemonSet, Deployment, Job, Pod, ReplicaSet, StatefulSet } from '../../src/model/types/workload.ts'
import { type Cluster, defineCluster } from '../../src/reconcilers/cluster.ts'
import type { PodEndpoint } from '../../src/reconcilers/endpoints.ts'
import type { SetCount } from '../../src/reconcilers/rollout.ts'

/** 2026-01-01T00:00:00Z */
export const epochMs = 1_767_225_600_000
export const namespace = 'shop'

type Raw = Readonly<Record<string, unknown>>

/** A document as somebody would write it, in canonical form; Secret values become digests that begin with `digest-`. */
export function canonical<T extends ModelObject>(body: Raw): T {
  return canonicalize(body, { defaultNamespace: namespace, digest: digestOf, vault: () => {} }) as T
}

export function digestOf(bytes: Uint8Array): string {
  return `digest-${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}`
}

/** A container named `app` that runs `web:1`, as a manifest has it. */
export function app(change: Raw = {}): Raw {
  return { name: 'app', image: 'web:1', ...change }
}

export interface TemplateChange {
  readonly labels?: Raw
  readonly annotations?: Raw
  readonly containers?: readonly Raw[]
  /** further fields of the pod spec */
  readonly spec?: Raw
}

function rawTemplate({ labels, annotations, containers, spec }: TemplateChange): Raw {
  return {
    metadata: { labels: labels ?? { app: 'web' }, ...(annotations === undefined ? {} : { annotations }) },
    spec: { containers: containers ?? [app()], ...spec },
  }
}

export function template(change: TemplateChange = {}): PodTemplate {
  return deployment({ template: change }).spec.template
}

export interface DeploymentChange {
  readonly name?: string
  readonly namespace?: string
  readonly template?: TemplateChange
  /** further fields of the Deployment's spec */
  readonly spec?: Raw
}

/** `Deployment/shop/web` of 3 replicas of `web:1`. */
export function deployment({
  name = 'web',
  namespace: own,
  template: change = {},
  spec = {},
}: DeploymentChange = {}): Deployment {
  return canonical<Deployment>({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, ...(own === undefined ? {} : { namespace: own }) },
    spec: { replicas: 3, selector: { matchLabels: { app: 'web' } }, template: rawTemplate(change), ...spec },
  })
}

export function replicaSet({ name = 'web', template: change = {}, spec = {} }: DeploymentChange = {}): ReplicaSet {
  return canonical<ReplicaSet>({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name },
    spec: { replicas: 3, selector: { matchLabels: { app: 'web' } }, template: rawTemplate(change), ...spec },
  })
}

/** `StatefulSet/shop/web` of 3 replicas of `web:1`, named under the Service `web`. */
export function statefulSet({ name = 'web', template: change = {}, spec = {} }: DeploymentChange = {}): StatefulSet {
  return canonical<StatefulSet>({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name },
    spec: { replicas: 3, serviceName: 'web', selector: { matchLabels: { app: 'web' } }, template: rawTemplate(change), ...spec },
  })
}

export function daemonSet({ name = 'agent', template: change = {}, spec = {} }: DeploymentChange = {}): DaemonSet {
  return canonical<DaemonSet>({
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name },
    spec: { selector: { matchLabels: { app: 'web' } }, template: rawTemplate(change), ...spec },
  })
}

export function barePod({ name = 'job', template: change = {} }: { name?: string; template?: TemplateChange } = {}): Pod {
  const { metadata, spec } = rawTemplate(change)
  return canonical<Pod>({ apiVersion: 'v1', kind: 'Pod', metadata: { name, ...(metadata as Raw) }, spec })
}

export interface JobChange {
  readonly name?: string
  readonly template?: TemplateChange
  /** further fields of the Job's spec */
  readonly spec?: Raw
}

function rawJobSpec({ template: { spec = {}, ...change } = {}, spec: more = {} }: JobChange): Raw {
  return { template: rawTemplate({ labels: { app: 'work' }, ...change, spec: { restartPolicy: 'Never', ...spec } }), ...more }
}

/** `Job/shop/work` of one pod of `web:1` that is not started again. */
export function job(change: JobChange = {}): Job {
  return canonical<Job>({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: change.name ?? 'work' },
    spec: rawJobSpec(change),
  })
}

/** `CronJob/shop/tick` of such a Job at every full minute. */
export function cronJob({ spec = {}, ...change }: JobChange = {}, job: Raw = {}): CronJob {
  return canonical<CronJob>({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: change.name ?? 'tick' },
    spec: { schedule: '* * * * *', jobTemplate: { spec: rawJobSpec({ ...change, spec: job }) }, ...spec },
  })
}

export function configMap(name: string, data: Raw = {}, more: Raw = {}): ConfigMap {
  return canonical<ConfigMap>({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data, ...more })
}

export function secret(name: string, stringData: Raw = {}, more: Raw = {}): Secret {
  return canonical<Secret>({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData, ...more })
}

/** `Service/shop/web`, port 80 to 8080 of pods labelled `app: web`. */
export function service(spec: Raw = {}, name = 'web'): Service {
  const defaults = { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] }
  return canonical<Service>({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ...defaults, ...spec } })
}

export function cluster(id = 'test'): Cluster {
  return deepFreeze(
    defineCluster({ id, domain: 'cluster.local', subnet: '10.88.0.0/16', nodeImage: 'node:test', extraLabels: { test: 'yes' } }),
  )
}

/** A ready pod of `web` as Services see it; the last part of its address is its number. */
export function endpoint(index: number, change: Partial<PodEndpoint> = {}): PodEndpoint {
  return deepFreeze({
    uid: `uid-${index}`,
    name: `web-${index}`,
    namespace,
    ip: `10.88.1.${index}`,
    node: 'alpha',
    labels: { app: 'web' },
    ready: true,
    terminating: false,
    hostname: '',
    subdomain: '',
    ports: [],
    ...change,
  })
}

/** A replica set in numbers, all of it there and available; older revisions were made earlier. */
export function count(revision: number, replicas: number, change: Partial<SetCount> = {}): SetCount {
  return deepFreeze({
    name: `v${revision}`,
    replicas,
    pods: replicas,
    ready: replicas,
    available: replicas,
    terminating: 0,
    createdAt: revision * 1000,
    revision,
    ...change,
  })
}

/** `PersistentVolumeClaim/shop/data` of 1Gi, ReadWriteOnce. */
export function claim(spec: Raw = {}, name = 'data', own = namespace): PersistentVolumeClaim {
  const defaults = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
  return canonical<PersistentVolumeClaim>({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: own },
    spec: { ...defaults, ...spec },
  })
}

/** Of 10Gi, ReadWriteOnce, on the folder `/srv/<name>` of the node unless told. */
export function persistentVolume(name: string, spec: Raw = {}, labels: Raw = {}): PersistentVolume {
  const source = ['nfs', 'csi', 'local'].some((key) => key in spec) ? {} : { hostPath: { path: `/srv/${name}` } }
  return canonical<PersistentVolume>({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, labels },
    spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '10Gi' }, ...source, ...spec },
  })
}

export function storageClass(name: string, more: Raw = {}, annotations: Raw = {}): StorageClass {
  return canonical<StorageClass>({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name, annotations },
    provisioner: 'ebs.csi.aws.com',
    ...more,
  })
}
