/** Valid documents to start from: the demonstration's, and one with as many fields as possible. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defaultLimits } from '../../src/render/types.ts'
import { parseYaml } from '../../src/render/yaml.ts'

const demo = fileURLToPath(new URL('../../manifests/demo/', import.meta.url))

/** The demonstration's files as they are. */
export const demoTexts: readonly string[] = readdirSync(demo)
  .filter((name) => name.endsWith('.yaml'))
  .sort()
  .map((name) => readFileSync(demo + name, 'utf8'))

const probe = {
  httpGet: { path: '/x', port: 'http', httpHeaders: [{ name: 'A', value: 'b' }] },
  periodSeconds: 5,
  timeoutSeconds: 2,
}

const container = {
  name: 'app',
  image: 'registry.example/web:1',
  command: ['/bin/app', '$(A)'],
  args: ['--name=$(NAME)'],
  workingDir: '/srv',
  env: [
    { name: 'A', value: '1' },
    { name: 'B', value: '$(A)$(A)' },
    { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'LABEL', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
    { name: 'C', valueFrom: { configMapKeyRef: { name: 'conf', key: 'a', optional: true } } },
    { name: 'S', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } },
  ],
  envFrom: [{ configMapRef: { name: 'conf' }, prefix: 'X_' }, { secretRef: { name: 'keys', optional: true } }],
  ports: [
    { name: 'http', containerPort: 8080 },
    { containerPort: 53, protocol: 'UDP' },
  ],
  resources: { limits: { cpu: '500m', memory: '64Mi' }, requests: { cpu: 0.1, memory: '32Mi' } },
  volumeMounts: [
    { name: 'conf', mountPath: '/etc/conf', readOnly: true },
    { name: 'conf', mountPath: '/etc/one', subPath: 'a' },
    { name: 'keys', mountPath: '/etc/keys' },
    { name: 'tmp', mountPath: '/tmp' },
  ],
  readinessProbe: probe,
  livenessProbe: { tcpSocket: { port: 8080 }, failureThreshold: 2 },
  startupProbe: { exec: { command: ['true'] }, initialDelaySeconds: 1 },
  lifecycle: { preStop: { exec: { command: ['sleep', '1'] } }, postStart: { httpGet: { port: 8080 } } },
  securityContext: {
    runAsUser: 1000,
    runAsGroup: 1000,
    runAsNonRoot: true,
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
  },
  imagePullPolicy: 'IfNotPresent',
}

const podSpec = {
  containers: [container, { name: 'side', image: 'side@sha256:aa' }],
  volumes: [
    { name: 'conf', configMap: { name: 'conf', items: [{ key: 'a', path: 'a' }], defaultMode: 0o444, optional: true } },
    { name: 'keys', secret: { secretName: 'keys', optional: true } },
    { name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } },
  ],
  terminationGracePeriodSeconds: 7,
  hostname: 'host',
  subdomain: 'sub',
  hostAliases: [{ ip: '10.0.0.1', hostnames: ['one.example'] }],
  dnsConfig: { nameservers: ['10.0.0.2'], searches: ['example'], options: [{ name: 'ndots', value: '2' }] },
  imagePullSecrets: [{ name: 'pull' }],
  securityContext: { fsGroup: 2000, supplementalGroups: [1, 2], sysctls: [{ name: 'net.ipv4.tcp_syncookies', value: '1' }] },
}

const labels = { app: 'web', 'example.com/tier': 'front' }

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'lab', labels, annotations: { 'trireme.dev/roll-on-config-change': 'true' } },
  spec: {
    replicas: 2,
    revisionHistoryLimit: 3,
    minReadySeconds: 1,
    progressDeadlineSeconds: 60,
    selector: { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'app', operator: 'In', values: ['web', 'api'] }] },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '50%', maxUnavailable: 0 } },
    template: { metadata: { labels, annotations: { a: 'b' } }, spec: podSpec },
  },
}

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'lab' },
  spec: {
    type: 'NodePort',
    selector: { app: 'web' },
    ports: [
      { name: 'http', port: 80, targetPort: 'http', nodePort: 30_080 },
      { name: 'dns', port: 53, targetPort: 53, protocol: 'UDP' },
    ],
    sessionAffinity: 'ClientIP',
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
  },
}

const others = [
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'conf', namespace: 'lab' },
    data: { a: 'x', b: 'y' },
    binaryData: { c: 'AAEC' },
  },
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'keys', namespace: 'lab' },
    stringData: { token: 'hunter22' },
    data: { k: 'c2VjcmV0' },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'peers', namespace: 'lab' },
    spec: { clusterIP: 'None', selector: { app: 'web' } },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'far', namespace: 'lab' },
    spec: { type: 'ExternalName', externalName: 'far.example' },
  },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'once', namespace: 'lab', labels },
    spec: { ...podSpec, restartPolicy: 'OnFailure' },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'plain', namespace: 'lab' },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'plain' } },
      template: { metadata: { labels: { app: 'plain' } }, spec: podSpec },
    },
  },
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'lab' } },
  { apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name: 'x' }, spec: { any: ['thing', null, 1.5] } },
]

/** What the pods above refer to. */
export const configs: readonly unknown[] = others.slice(0, 2)

/** Each validates without a problem. */
export const documents: readonly unknown[] = [
  deployment,
  service,
  ...others,
  ...demoTexts.flatMap((text) => parseYaml(text, defaultLimits).documents.map(({ body }) => body)),
]

/** A whole application as one value, so that a mutation may break what one object says of another. */
export const applications: readonly unknown[] = [[deployment, service, ...others], documents.slice(2 + others.length)]
