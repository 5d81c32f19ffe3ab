/** Documents for the properties: valid ones of every kind that is acted on, and any shape at all. */
import fc from 'fast-check'

const name = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/)
const text = fc.string({ maxLength: 12 })
const labels = fc.dictionary(name, fc.stringMatching(/^[A-Za-z0-9]{0,8}$/), { maxKeys: 3 })
const quantity = fc
  .tuple(fc.integer({ min: 1, max: 5000 }), fc.constantFrom('', 'm', 'k', 'M', 'Ki', 'Mi'))
  .map(([n, suffix]) => `${n}${suffix}`)
const port = fc.integer({ min: 1, max: 65_535 })

/** An optional field is there or not; `null` stands for not. */
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null })

const metadata = fc.record({ name, namespace: maybe(name), labels: maybe(labels), annotations: maybe(labels) })

const action = fc.oneof(
  fc.record({ httpGet: fc.record({ port, path: maybe(fc.constant('/x')) }) }),
  fc.record({ tcpSocket: fc.record({ port }) }),
  fc.record({ exec: fc.record({ command: fc.array(text, { minLength: 1, maxLength: 2 }) }) }),
)
const probe = fc
  .tuple(action, maybe(fc.integer({ min: 0, max: 60 })))
  .map(([what, periodSeconds]) => ({ ...what, periodSeconds }))

const variable = fc.oneof(
  fc.record({ name, value: fc.oneof(text, fc.constant('$(a)')) }),
  fc.record({ name, valueFrom: fc.record({ secretKeyRef: fc.record({ name, key: name, optional: maybe(fc.boolean()) }) }) }),
  fc.record({ name, valueFrom: fc.record({ fieldRef: fc.record({ fieldPath: fc.constant('status.podIP') }) }) }),
)

const container = (containerName: string, volumes: readonly string[]) =>
  fc.record({
    name: fc.constant(containerName),
    image: fc.constantFrom('web', 'web:1', 'web@sha256:aa'),
    command: maybe(fc.array(text, { maxLength: 2 })),
    env: maybe(fc.array(variable, { maxLength: 4 })),
    envFrom: maybe(fc.array(fc.record({ configMapRef: fc.record({ name }) }), { maxLength: 2 })),
    ports: maybe(fc.array(fc.record({ containerPort: port, protocol: maybe(fc.constantFrom('TCP', 'UDP')) }), { maxLength: 3 })),
    resources: maybe(fc.record({ limits: maybe(fc.dictionary(fc.constantFrom('cpu', 'memory'), quantity)) })),
    volumeMounts: fc.constant(volumes.map((volume) => ({ name: volume, mountPath: `/${volume}` }))),
    readinessProbe: maybe(probe),
    securityContext: maybe(
      fc.record({ runAsUser: maybe(fc.nat(70_000)), capabilities: maybe(fc.record({ drop: fc.constant(['ALL']) })) }),
    ),
  })

const source = fc.oneof(
  fc.constant({}),
  fc.record({ emptyDir: fc.record({ sizeLimit: maybe(quantity) }) }),
  fc.record({ configMap: fc.record({ name, defaultMode: maybe(fc.integer({ min: 0, max: 0o777 })) }) }),
  fc.record({
    secret: fc.record({
      secretName: name,
      items: maybe(fc.uniqueArray(fc.record({ key: name, path: name }), { selector: (item) => item.path, maxLength: 3 })),
    }),
  }),
)

const podSpec = fc.uniqueArray(name, { maxLength: 3 }).chain((volumes) =>
  fc.record({
    containers: fc
      .uniqueArray(name, { minLength: 1, maxLength: 2 })
      .chain((names) => fc.tuple(...names.map((own) => container(own, volumes)))),
    volumes: fc.tuple(...volumes.map((volume) => source.map((what) => ({ name: volume, ...what })))),
    terminationGracePeriodSeconds: maybe(fc.nat(60)),
    hostname: maybe(name),
    nodeSelector: maybe(labels),
    imagePullSecrets: maybe(fc.uniqueArray(fc.record({ name }), { selector: (item) => item.name, maxLength: 2 })),
    securityContext: maybe(fc.record({ supplementalGroups: maybe(fc.array(fc.nat(99), { maxLength: 3 })) })),
  }),
)

const workload = (kind: string) =>
  fc.record({ metadata, replicas: maybe(fc.nat(9)), spec: podSpec }).map(({ metadata: own, replicas, spec }) => ({
    apiVersion: 'apps/v1',
    kind,
    metadata: own,
    spec: { replicas, selector: { matchLabels: { app: 'x' } }, template: { metadata: { labels: { app: 'x' } }, spec } },
  }))

const service = fc.record({
  apiVersion: fc.constant('v1'),
  kind: fc.constant('Service'),
  metadata,
  spec: fc.record({
    selector: maybe(labels),
    ports: fc.uniqueArray(fc.record({ name, port, targetPort: maybe(fc.oneof(port, name)) }), {
      minLength: 1,
      maxLength: 3,
      comparator: (a, b) => a.name === b.name || a.port === b.port,
    }),
    sessionAffinity: maybe(fc.constantFrom('None', 'ClientIP')),
    sessionAffinityConfig: maybe(fc.record({ clientIP: fc.record({ timeoutSeconds: fc.integer({ min: 1, max: 86_400 }) }) })),
  }),
})

const configMap = fc.record({
  apiVersion: fc.constant('v1'),
  kind: fc.constant('ConfigMap'),
  metadata,
  data: maybe(fc.dictionary(name, text)),
})
const pod = fc.record({ apiVersion: fc.constant('v1'), kind: fc.constant('Pod'), metadata, spec: podSpec })
const namespace = fc.record({ apiVersion: fc.constant('v1'), kind: fc.constant('Namespace'), metadata: fc.record({ name }) })
const kept = fc.record({ apiVersion: fc.constant('v1'), kind: fc.constant('ServiceAccount'), metadata })
const custom = fc.record({
  apiVersion: fc.constant('example.com/v1'),
  kind: fc.constant('Thing'),
  metadata,
  spec: fc.jsonValue({ maxDepth: 2 }),
})

/** A valid document; of Secrets there are none, for their values become digests. */
export const anyKind: fc.Arbitrary<object> = fc.oneof(
  workload('Deployment'),
  workload('ReplicaSet'),
  service,
  configMap,
  pod,
  namespace,
  kept,
  custom,
)

const words = fc.constantFrom(
  'apiVersion',
  'kind',
  'metadata',
  'name',
  'namespace',
  'labels',
  'spec',
  'template',
  'containers',
  'initContainers',
  'selector',
  'matchLabels',
  'matchExpressions',
  'ports',
  'env',
  'valueFrom',
  'volumes',
  'volumeMounts',
  'resources',
  'limits',
  'requests',
  'strategy',
  'rollingUpdate',
  'maxSurge',
  'data',
  'stringData',
  'securityContext',
  'capabilities',
  'add',
  'livenessProbe',
  'httpGet',
  'port',
  '__proto__',
  'constructor',
)
const values = fc.constantFrom(
  'v1',
  'apps/v1',
  'Deployment',
  'Pod',
  'Service',
  'Secret',
  'ConfigMap',
  'Namespace',
  'example.com/v1',
  'x',
  '25%',
  1,
  -1,
  true,
  null,
)

/** Any JSON at all, of the words that the checks look for, so that they are reached. */
export const wordy: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 6, depthIdentifier: 'wordy' },
    values,
    fc.jsonValue({ maxDepth: 1 }),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('map'),
  ),
  map: fc.oneof(
    fc.dictionary(words, tie('value'), { maxKeys: 5 }),
    fc.record({
      apiVersion: fc.constantFrom('v1', 'apps/v1'),
      kind: fc.constantFrom('Pod', 'Deployment', 'Service', 'Secret', 'ConfigMap'),
      metadata: tie('value'),
      spec: tie('value'),
      data: tie('value'),
    }),
  ),
})).map

/** The same value with the keys of every map in another order. */
export function shuffledKeys(value: unknown, next: () => number): unknown {
  if (Array.isArray(value)) return value.map((item) => shuffledKeys(item, next))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]) => ({ key, item: shuffledKeys(item, next), order: next() }))
      .sort((a, b) => a.order - b.order)
      .map(({ key, item }) => [key, item]),
  )
}
