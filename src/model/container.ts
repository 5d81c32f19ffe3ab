/**
 * Containers in canonical form.
 * @see Kubernetes pkg/apis/core/v1/defaults.go, `SetDefaults_Container` and its neighbours
 */
import { compact } from './compact.ts'
import { lastOfEach, sortable, sortedBy } from './order.ts'
import { resourceField } from './podvolume.ts'
import { normalQuantity } from './quantity.ts'
import { field, flagAt, has, isMap, mapAt, mapsAt, numberAt, type Raw, textAt, textsAt } from './raw.ts'
import type { Protocol } from './types/meta.ts'
import type {
  Container,
  ContainerPort,
  EnvFrom,
  EnvSource,
  EnvVar,
  HttpGet,
  KeySelector,
  Probe,
  ProbeAction,
  Resources,
  SecurityContext,
  VolumeMount,
} from './types/pod.ts'

export function canonicalContainer(raw: Raw): Container {
  const image = textAt(raw, 'image') ?? ''
  return compact<Container>({
    name: textAt(raw, 'name') ?? '',
    image,
    command: textsAt(raw, 'command'),
    args: textsAt(raw, 'args'),
    workingDir: textAt(raw, 'workingDir') || undefined,
    ports: ports(raw),
    env: environment(raw),
    envFrom: mapsAt(raw, 'envFrom').map(envFrom),
    resources: resources(mapAt(raw, 'resources')),
    volumeMounts: sortedBy(mapsAt(raw, 'volumeMounts').map(volumeMount), ({ mountPath }) => mountPath),
    livenessProbe: probeAt(raw, 'livenessProbe'),
    readinessProbe: probeAt(raw, 'readinessProbe'),
    startupProbe: probeAt(raw, 'startupProbe'),
    lifecycle: lifecycle(raw),
    imagePullPolicy: (textAt(raw, 'imagePullPolicy') || pullPolicyFor(image)) as Container['imagePullPolicy'],
    securityContext: securityContext(mapAt(raw, 'securityContext')),
    stdin: flagAt(raw, 'stdin') ?? false,
    stdinOnce: flagAt(raw, 'stdinOnce') ?? false,
    tty: flagAt(raw, 'tty') ?? false,
    terminationMessagePath: textAt(raw, 'terminationMessagePath') || '/dev/termination-log',
    terminationMessagePolicy: textAt(raw, 'terminationMessagePolicy') || 'File',
    restartPolicy: textAt(raw, 'restartPolicy') === 'Always' ? 'Always' : undefined,
  })
}

/** `Always` for the tag `latest` and for no tag at all, `IfNotPresent` for any other tag and for a digest. */
export function pullPolicyFor(image: string): 'Always' | 'IfNotPresent' {
  if (image.includes('@')) return 'IfNotPresent'
  const tag = /:([^/:]+)$/.exec(image)?.[1]
  return tag === undefined || tag === 'latest' ? 'Always' : 'IfNotPresent'
}

function ports(raw: Raw): readonly ContainerPort[] {
  const list = mapsAt(raw, 'ports').map((item) =>
    compact<ContainerPort>({
      name: textAt(item, 'name') || undefined,
      containerPort: numberAt(item, 'containerPort') ?? 0,
      hostPort: numberAt(item, 'hostPort') || undefined,
      hostIP: textAt(item, 'hostIP') || undefined,
      protocol: (textAt(item, 'protocol') || 'TCP') as Protocol,
    }),
  )
  const key = (port: ContainerPort) => `${sortable(port.containerPort)}/${port.protocol}/${port.name ?? ''}`
  return sortedBy(lastOfEach(list, key), key)
}

/** The order of variables matters only where one refers to another. */
function environment(raw: Raw): readonly EnvVar[] {
  const list = lastOfEach(mapsAt(raw, 'env').map(variable), ({ name }) => name)
  const refers = list.some((item) => 'value' in item && item.value.includes('$('))
  return refers ? list : sortedBy(list, ({ name }) => name)
}

function variable(raw: Raw): EnvVar {
  const name = textAt(raw, 'name') ?? ''
  if (has(raw, 'valueFrom')) return { name, valueFrom: envSource(mapAt(raw, 'valueFrom')) }
  return { name, value: textAt(raw, 'value') ?? '' }
}

function envSource(raw: Raw): EnvSource {
  if (has(raw, 'configMapKeyRef')) return { configMapKeyRef: keySelector(mapAt(raw, 'configMapKeyRef')) }
  if (has(raw, 'secretKeyRef')) return { secretKeyRef: keySelector(mapAt(raw, 'secretKeyRef')) }
  if (has(raw, 'fieldRef')) return { fieldRef: { fieldPath: textAt(mapAt(raw, 'fieldRef'), 'fieldPath') ?? '' } }
  return { resourceFieldRef: resourceField(mapAt(raw, 'resourceFieldRef')) }
}

function keySelector(raw: Raw): KeySelector {
  return { name: textAt(raw, 'name') ?? '', key: textAt(raw, 'key') ?? '', optional: flagAt(raw, 'optional') ?? false }
}

function envFrom(raw: Raw): EnvFrom {
  const reference = (key: string) => ({
    name: textAt(mapAt(raw, key), 'name') ?? '',
    optional: flagAt(mapAt(raw, key), 'optional') ?? false,
  })
  return compact<EnvFrom>({
    prefix: textAt(raw, 'prefix') ?? '',
    configMapRef: has(raw, 'configMapRef') ? reference('configMapRef') : undefined,
    secretRef: has(raw, 'secretRef') ? reference('secretRef') : undefined,
  })
}

/** A request that is left out equals the limit. */
function resources(raw: Raw): Resources {
  const limits = quantities(mapAt(raw, 'limits'))
  return { limits, requests: { ...limits, ...quantities(mapAt(raw, 'requests')) } }
}

function quantities(raw: Raw): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(raw)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name, normalQuantity(value as string | number)]),
  )
}

function volumeMount(raw: Raw): VolumeMount {
  return compact<VolumeMount>({
    name: textAt(raw, 'name') ?? '',
    mountPath: textAt(raw, 'mountPath') ?? '',
    readOnly: flagAt(raw, 'readOnly') ?? false,
    subPath: textAt(raw, 'subPath') || undefined,
    subPathExpr: textAt(raw, 'subPathExpr') || undefined,
    mountPropagation: textAt(raw, 'mountPropagation'),
  })
}

/** Zero means the default, as in Kubernetes. */
function probeAt(container: Raw, key: string): Probe | undefined {
  if (!has(container, key)) return undefined
  const raw = mapAt(container, key)
  return {
    ...action(raw),
    ...compact<Omit<Probe, keyof ProbeAction>>({
      initialDelaySeconds: numberAt(raw, 'initialDelaySeconds') ?? 0,
      timeoutSeconds: numberAt(raw, 'timeoutSeconds') || 1,
      periodSeconds: numberAt(raw, 'periodSeconds') || 10,
      successThreshold: numberAt(raw, 'successThreshold') || 1,
      failureThreshold: numberAt(raw, 'failureThreshold') || 3,
      terminationGracePeriodSeconds: numberAt(raw, 'terminationGracePeriodSeconds'),
    }),
  }
}

function lifecycle(container: Raw): Container['lifecycle'] | undefined {
  if (!has(container, 'lifecycle')) return undefined
  const raw = mapAt(container, 'lifecycle')
  return compact<NonNullable<Container['lifecycle']>>({
    postStart: has(raw, 'postStart') ? action(mapAt(raw, 'postStart')) : undefined,
    preStop: has(raw, 'preStop') ? action(mapAt(raw, 'preStop')) : undefined,
    stopSignal: textAt(raw, 'stopSignal') || undefined,
  })
}

function action(raw: Raw): ProbeAction {
  if (has(raw, 'httpGet')) return { httpGet: httpGet(mapAt(raw, 'httpGet')) }
  if (has(raw, 'tcpSocket')) {
    const socket = mapAt(raw, 'tcpSocket')
    return {
      tcpSocket: compact<NonNullable<ProbeAction['tcpSocket']>>({
        port: port(socket),
        host: textAt(socket, 'host') || undefined,
      }),
    }
  }
  if (has(raw, 'exec')) return { exec: { command: textsAt(mapAt(raw, 'exec'), 'command') } }
  if (has(raw, 'grpc')) {
    const grpc = mapAt(raw, 'grpc')
    return { grpc: { port: numberAt(grpc, 'port') ?? 0, service: textAt(grpc, 'service') ?? '' } }
  }
  if (has(raw, 'sleep')) return { sleep: { seconds: numberAt(mapAt(raw, 'sleep'), 'seconds') ?? 0 } }
  return {}
}

function httpGet(raw: Raw): HttpGet {
  return compact<HttpGet>({
    path: textAt(raw, 'path') || '/',
    port: port(raw),
    host: textAt(raw, 'host') || undefined,
    scheme: textAt(raw, 'scheme') === 'HTTPS' ? 'HTTPS' : 'HTTP',
    httpHeaders: mapsAt(raw, 'httpHeaders').map((item) => ({
      name: textAt(item, 'name') ?? '',
      value: textAt(item, 'value') ?? '',
    })),
  })
}

/** A number written as a text is that number. */
function port(raw: Raw): number | string {
  const text = textAt(raw, 'port')
  if (text === undefined) return numberAt(raw, 'port') ?? 0
  return /^\d+$/.test(text) ? Number(text) : text
}

function securityContext(raw: Raw): SecurityContext {
  return compact<SecurityContext>({
    runAsUser: numberAt(raw, 'runAsUser'),
    runAsGroup: numberAt(raw, 'runAsGroup'),
    runAsNonRoot: flagAt(raw, 'runAsNonRoot'),
    readOnlyRootFilesystem: flagAt(raw, 'readOnlyRootFilesystem'),
    allowPrivilegeEscalation: flagAt(raw, 'allowPrivilegeEscalation'),
    privileged: flagAt(raw, 'privileged'),
    capabilities: has(raw, 'capabilities') ? capabilities(mapAt(raw, 'capabilities')) : undefined,
    seccompProfile: profile(raw, 'seccompProfile'),
    appArmorProfile: profile(raw, 'appArmorProfile'),
    procMount: textAt(raw, 'procMount'),
  })
}

/** A seccomp or AppArmor profile. */
export function profile(raw: Raw, key: string): { type: string; localhostProfile?: string } | undefined {
  const value = field(raw, key)
  if (!isMap(value)) return undefined
  return compact<{ type: string; localhostProfile?: string }>({
    type: textAt(value, 'type') ?? '',
    localhostProfile: textAt(value, 'localhostProfile'),
  })
}

function capabilities(raw: Raw): { add: readonly string[]; drop: readonly string[] } {
  const normal = (key: string) => [...new Set(textsAt(raw, key).map(capabilityName))].sort()
  return { add: normal('add'), drop: normal('drop') }
}

/** `NET_BIND_SERVICE`, also when written as `CAP_NET_BIND_SERVICE` or in small letters. */
export function capabilityName(text: string): string {
  return text.toUpperCase().replace(/^CAP_/, '')
}
