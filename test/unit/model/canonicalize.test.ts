import { describe, expect, test } from 'vitest'
import { pullPolicyFor } from '../../../src/model/container.ts'
import type { Service } from '../../../src/model/types/service.ts'
import type { Deployment } from '../../../src/model/types/workload.ts'
import { deployment, loadText } from '../../support/manifests.ts'

function only<T>(text: string): T {
  const loaded = loadText(text)
  expect(loaded.problems.filter(({ severity }) => severity !== 'notice')).toEqual([])
  return [...loaded.objects.values()][0]?.object as unknown as T
}

const pod = (parts: Parameters<typeof deployment>[0]) => only<Deployment>(deployment(parts)).spec.template.spec
const container = (text: string) => pod({ container: text }).containers[0]

test('a Deployment gets the defaults of the API server', () => {
  expect(only<Deployment>(deployment())).toEqual({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default', labels: {}, annotations: {} },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'web' }, matchExpressions: [] },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      minReadySeconds: 0,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      paused: false,
      template: {
        metadata: { labels: { app: 'web' }, annotations: {} },
        spec: {
          containers: [
            {
              name: 'web',
              image: 'web:1',
              command: [],
              args: [],
              ports: [],
              env: [],
              envFrom: [],
              resources: { limits: {}, requests: {} },
              volumeMounts: [],
              imagePullPolicy: 'IfNotPresent',
              securityContext: {},
              stdin: false,
              stdinOnce: false,
              tty: false,
              terminationMessagePath: '/dev/termination-log',
              terminationMessagePolicy: 'File',
            },
          ],
          initContainers: [],
          volumes: [],
          restartPolicy: 'Always',
          terminationGracePeriodSeconds: 30,
          dnsPolicy: 'ClusterFirst',
          hostAliases: [],
          hostNetwork: false,
          hostPID: false,
          hostIPC: false,
          shareProcessNamespace: false,
          nodeSelector: {},
          serviceAccountName: 'default',
          enableServiceLinks: true,
          imagePullSecrets: [],
          securityContext: { supplementalGroups: [], sysctls: [] },
          schedulerName: 'default-scheduler',
          tolerations: [],
          topologySpreadConstraints: [],
          readinessGates: [],
        },
      },
    },
  })
})

test.each([
  ['nginx', 'Always'],
  ['nginx:latest', 'Always'],
  ['nginx:1.27', 'IfNotPresent'],
  ['localhost:5000/nginx', 'Always'],
  ['localhost:5000/nginx:1', 'IfNotPresent'],
  ['nginx@sha256:abc', 'IfNotPresent'],
  ['nginx:latest@sha256:abc', 'IfNotPresent'],
])('pull policy of %s is %s', (image, want) => expect(pullPolicyFor(image)).toBe(want))

describe('probes', () => {
  test('defaults, and zero means the default', () => {
    expect(container('readinessProbe: {httpGet: {port: "80"}, periodSeconds: 0}')?.readinessProbe).toEqual({
      httpGet: { path: '/', port: 80, scheme: 'HTTP', httpHeaders: [] },
      initialDelaySeconds: 0,
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3,
    })
  })

  test('hooks', () => {
    const lifecycle = container('lifecycle: {preStop: {sleep: {seconds: 5}}, postStart: {exec: {command: [a]}}}')?.lifecycle
    expect(lifecycle).toEqual({ preStop: { sleep: { seconds: 5 } }, postStart: { exec: { command: ['a'] } } })
  })
})

test('quantities have one text, and requests default to limits', () => {
  expect(container('resources: {limits: {cpu: 0.5, memory: 1024Mi}, requests: {cpu: 100m}}')?.resources).toEqual({
    limits: { cpu: '500m', memory: '1Gi' },
    requests: { cpu: '100m', memory: '1Gi' },
  })
})

describe('variables', () => {
  test('order is taken out where nothing refers to another, the last of a name counts', () => {
    expect(container('env: [{name: B, value: "1"}, {name: A}, {name: B, value: "2"}]')?.env).toEqual([
      { name: 'A', value: '' },
      { name: 'B', value: '2' },
    ])
  })

  test('order stays where one refers to another', () => {
    const env = container('env: [{name: B, value: x}, {name: A, value: $(B)}]')?.env
    expect(env?.map(({ name }) => name)).toEqual(['B', 'A'])
  })
})

test('ports are sorted, and one that is written twice is one', () => {
  const ports = container(
    'ports: [{containerPort: 443}, {containerPort: 80, name: http}, {containerPort: 443, protocol: TCP}]',
  )?.ports
  expect(ports).toEqual([
    { name: 'http', containerPort: 80, protocol: 'TCP' },
    { containerPort: 443, protocol: 'TCP' },
  ])
})

test('capabilities have one spelling', () => {
  expect(container('securityContext: {capabilities: {add: [CAP_CHOWN, chown], drop: [all]}}')?.securityContext).toEqual({
    capabilities: { add: ['CHOWN'], drop: ['ALL'] },
  })
})

test('volumes: octal modes, sorted items, nothing at all is an emptyDir', () => {
  const spec = pod({
    pod: [
      'volumes:',
      '- {name: b}',
      '- {name: a, configMap: {name: c, defaultMode: 0444, items: [{key: y1, path: why}, {key: x1, path: ex, mode: 0600}]}}',
    ].join('\n'),
  })
  expect(spec.volumes).toEqual([
    {
      name: 'a',
      configMap: {
        name: 'c',
        defaultMode: 0o444,
        optional: false,
        items: [
          { key: 'x1', path: 'ex', mode: 0o600 },
          { key: 'y1', path: 'why' },
        ],
      },
    },
    { name: 'b', emptyDir: { medium: '' } },
  ])
})

test('a Service gets its defaults', () => {
  const { spec } = only<Service>('apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selector: {}, ports: [{port: 80}]}')
  expect(spec).toEqual({
    type: 'ClusterIP',
    selector: null,
    ports: [{ name: '', protocol: 'TCP', port: 80, targetPort: 80 }],
    externalIPs: [],
    sessionAffinity: 'None',
    sessionAffinityTimeoutSeconds: 10_800,
    publishNotReadyAddresses: false,
    allocateLoadBalancerNodePorts: true,
    externalTrafficPolicy: 'Cluster',
    internalTrafficPolicy: 'Cluster',
  })
})

test('session affinity keeps its timeout', () => {
  const text =
    'apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 60}}, ports: [{port: 80}]}'
  expect(only<Service>(text).spec).toMatchObject({ sessionAffinity: 'ClientIP', sessionAffinityTimeoutSeconds: 60 })
})

test('objects are frozen to the last leaf', () => {
  const object = only<Deployment>(deployment({ pod: 'affinity: {nodeAffinity: {}}' }))
  const frozen = (value: unknown): boolean =>
    typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen))
  expect(frozen(object)).toBe(true)
})

test('null is absent', () => {
  expect(only<Deployment>(deployment({ spec: 'replicas: null\nstrategy: null', pod: 'hostname: null' }))).toEqual(
    only<Deployment>(deployment()),
  )
})
