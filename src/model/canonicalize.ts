/** A valid document in canonical form: defaults as the API server fills them in, quantities and orders normalised. */
import { deepFreeze } from './canonical.ts'
import { compact } from './compact.ts'
import { canonicalCronJobSpec, canonicalJobSpec } from './job.ts'
import { canonicalPodSpec, canonicalTemplate } from './podspec.ts'
import { field, flagAt, has, isMap, mapAt, mapsAt, numberAt, type Raw, textAt, textMapAt, textsAt } from './raw.ts'
import { builtinKind } from './schema.ts'
import { readSelector } from './selector.ts'
import { daemonSet, intOrPercent, statefulSet } from './sets.ts'
import { persistentVolume, persistentVolumeClaim, storageClass } from './storage.ts'
import type { KubeObject, ObjectMeta, Protocol } from './types/meta.ts'
import type { ConfigMap, ModelObject, OtherObject, Secret } from './types/object.ts'
import type { Service, ServicePort } from './types/service.ts'
import type { Deployment, DeploymentSpec, ReplicaSet } from './types/workload.ts'

export interface CanonicalContext {
  /** for namespaced objects that name none */
  readonly defaultNamespace: string
  /** keyed digest of a Secret's value */
  readonly digest: (bytes: Uint8Array) => string
  /** takes each Secret value under its digest; the returned objects never hold it */
  readonly vault: (digest: string, bytes: Uint8Array) => void
}

/**
 * The canonical object of a document that has passed every check; deeply frozen.
 *
 * Idempotent but for Secrets, whose values become digests. A kind that Trireme does not act on, or one of another API
 * group, is kept as data; the latter under `Kind.group`, so that it never meets a built-in kind of the same name.
 * @see Kubernetes pkg/apis/core/v1/defaults.go and its siblings in apps/v1 and batch/v1
 */
export function canonicalize(body: Raw, context: CanonicalContext): ModelObject {
  return deepFreeze(canonicalObject(body, context))
}

function canonicalObject(body: Raw, context: CanonicalContext): ModelObject {
  const apiVersion = textAt(body, 'apiVersion') ?? ''
  const kind = textAt(body, 'kind') ?? ''
  const builtin = builtinKind(apiVersion, kind)
  const base = { apiVersion, kind, metadata: metadataOf(body, builtin?.namespaced ?? false, context.defaultNamespace) }
  switch (`${apiVersion}/${kind}`) {
    case 'v1/Namespace':
      return { ...base, kind: 'Namespace' }
    case 'v1/ConfigMap':
      return configMap(base, body)
    case 'v1/Secret':
      return secret(base, body, context)
    case 'v1/Pod':
      return { ...base, kind: 'Pod', spec: canonicalPodSpec(mapAt(body, 'spec')) }
    case 'v1/Service':
      return service(base, mapAt(body, 'spec'))
    case 'apps/v1/Deployment':
      return deployment(base, mapAt(body, 'spec'))
    case 'apps/v1/ReplicaSet':
      return replicaSet({ ...base, kind: 'ReplicaSet' }, mapAt(body, 'spec'))
    case 'v1/ReplicationController':
      return replicaSet({ ...base, kind: 'ReplicationController' }, withSelector(mapAt(body, 'spec')))
    case 'apps/v1/StatefulSet':
      return statefulSet(base, mapAt(body, 'spec'))
    case 'apps/v1/DaemonSet':
      return daemonSet(base, mapAt(body, 'spec'))
    case 'v1/PersistentVolumeClaim':
      return persistentVolumeClaim(base, body)
    case 'v1/PersistentVolume':
      return persistentVolume(base, body)
    case 'storage.k8s.io/v1/StorageClass':
      return storageClass(base, body)
    case 'batch/v1/Job':
      return { ...base, kind: 'Job', spec: canonicalJobSpec(mapAt(body, 'spec')) }
    case 'batch/v1/CronJob':
      return { ...base, kind: 'CronJob', spec: canonicalCronJobSpec(mapAt(body, 'spec')) }
    default:
      return other(base, body, builtin === undefined)
  }
}

function metadataOf(body: Raw, namespaced: boolean, defaultNamespace: string): ObjectMeta {
  const metadata = mapAt(body, 'metadata')
  const stated = textAt(metadata, 'namespace') ?? ''
  const isBuiltin = builtinKind(textAt(body, 'apiVersion') ?? '', textAt(body, 'kind') ?? '') !== undefined
  return {
    name: textAt(metadata, 'name') ?? '',
    namespace: namespaced ? stated || defaultNamespace : isBuiltin ? '' : stated,
    labels: textMapAt(metadata, 'labels'),
    annotations: textMapAt(metadata, 'annotations'),
  }
}

function other(base: KubeObject, body: Raw, custom: boolean): OtherObject {
  const kept = mapAt(body, 'body')
  const data = textAt(kept, 'apiVersion') === base.apiVersion && has(kept, 'kind') ? kept : body
  const kind = custom && data === body ? `${base.kind}.${base.apiVersion.split('/')[0]}` : base.kind
  return { ...base, kind, body: structuredClone(data) }
}

function configMap(base: KubeObject, body: Raw): ConfigMap {
  return {
    ...base,
    kind: 'ConfigMap',
    data: textMapAt(body, 'data'),
    binaryData: textMapAt(body, 'binaryData'),
    immutable: flagAt(body, 'immutable') ?? false,
  }
}

/** `stringData` counts over `data`. */
function secret(base: KubeObject, body: Raw, context: CanonicalContext): Secret {
  const plain = textMapAt(body, 'stringData')
  const values: (readonly [string, Uint8Array])[] = [
    ...Object.entries(textMapAt(body, 'data'))
      .filter(([key]) => !Object.hasOwn(plain, key))
      .map(([key, value]) => [key, Buffer.from(value, 'base64')] as const),
    ...Object.entries(plain).map(([key, value]) => [key, Buffer.from(value, 'utf8')] as const),
  ]
  return {
    ...base,
    kind: 'Secret',
    type: textAt(body, 'type') || 'Opaque',
    data: Object.fromEntries(values.map(([key, bytes]) => [key, sealed(bytes, context)])),
    immutable: flagAt(body, 'immutable') ?? false,
  }
}

function sealed(bytes: Uint8Array, context: CanonicalContext): string {
  const digest = context.digest(bytes)
  context.vault(digest, bytes)
  return digest
}

function deployment(base: KubeObject, spec: Raw): Deployment {
  return {
    ...base,
    kind: 'Deployment',
    spec: {
      replicas: numberAt(spec, 'replicas') ?? 1,
      selector: readSelector(mapAt(spec, 'selector')),
      template: canonicalTemplate(mapAt(spec, 'template')),
      strategy: strategy(mapAt(spec, 'strategy')),
      minReadySeconds: numberAt(spec, 'minReadySeconds') ?? 0,
      revisionHistoryLimit: numberAt(spec, 'revisionHistoryLimit') ?? 10,
      progressDeadlineSeconds: numberAt(spec, 'progressDeadlineSeconds') ?? 600,
      paused: flagAt(spec, 'paused') ?? false,
    },
  }
}

function strategy(raw: Raw): DeploymentSpec['strategy'] {
  if (textAt(raw, 'type') === 'Recreate') return { type: 'Recreate' }
  const rolling = mapAt(raw, 'rollingUpdate')
  return {
    type: 'RollingUpdate',
    rollingUpdate: {
      maxSurge: intOrPercent(rolling, 'maxSurge', '25%'),
      maxUnavailable: intOrPercent(rolling, 'maxUnavailable', '25%'),
    },
  }
}

function replicaSet(base: Omit<ReplicaSet, 'spec'>, spec: Raw): ReplicaSet {
  return {
    ...base,
    spec: {
      replicas: numberAt(spec, 'replicas') ?? 1,
      selector: readSelector(mapAt(spec, 'selector')),
      template: canonicalTemplate(mapAt(spec, 'template')),
      minReadySeconds: numberAt(spec, 'minReadySeconds') ?? 0,
    },
  }
}

/** A ReplicationController selects by plain labels, and without any by those of its template. */
function withSelector(spec: Raw): Raw {
  const selector = mapAt(spec, 'selector')
  if (isMap(field(selector, 'matchLabels'))) return spec
  const own = Object.keys(selector).length > 0
  return { ...spec, selector: { matchLabels: own ? selector : mapAt(spec, 'template', 'metadata', 'labels') } }
}

function service(base: KubeObject, spec: Raw): Service {
  const selector = textMapAt(spec, 'selector')
  const affinity = mapAt(spec, 'sessionAffinityConfig', 'clientIP')
  return {
    ...base,
    kind: 'Service',
    spec: compact<Service['spec']>({
      type: (textAt(spec, 'type') || 'ClusterIP') as Service['spec']['type'],
      clusterIP: textAt(spec, 'clusterIP') || undefined,
      selector: Object.keys(selector).length === 0 ? null : selector,
      ports: mapsAt(spec, 'ports').map(servicePort),
      externalName: textAt(spec, 'externalName'),
      externalIPs: [...textsAt(spec, 'externalIPs')].sort(),
      sessionAffinity: textAt(spec, 'sessionAffinity') === 'ClientIP' ? 'ClientIP' : 'None',
      sessionAffinityTimeoutSeconds:
        numberAt(affinity, 'timeoutSeconds') ?? numberAt(spec, 'sessionAffinityTimeoutSeconds') ?? 10_800,
      publishNotReadyAddresses: flagAt(spec, 'publishNotReadyAddresses') ?? false,
      allocateLoadBalancerNodePorts: flagAt(spec, 'allocateLoadBalancerNodePorts') ?? true,
      externalTrafficPolicy: textAt(spec, 'externalTrafficPolicy') === 'Local' ? 'Local' : 'Cluster',
      internalTrafficPolicy: textAt(spec, 'internalTrafficPolicy') === 'Local' ? 'Local' : 'Cluster',
    }),
  }
}

function servicePort(raw: Raw): ServicePort {
  const port = numberAt(raw, 'port') ?? 0
  const target = numberAt(raw, 'targetPort') ?? textAt(raw, 'targetPort')
  return compact<ServicePort>({
    name: textAt(raw, 'name') ?? '',
    protocol: (textAt(raw, 'protocol') || 'TCP') as Protocol,
    port,
    targetPort: target === undefined || target === 0 || target === '' ? port : target,
    nodePort: numberAt(raw, 'nodePort') || undefined,
    appProtocol: textAt(raw, 'appProtocol'),
  })
}
