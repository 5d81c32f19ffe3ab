import { describe, expect, test } from 'vitest'
import { createLoader } from '../../../src/model/load.ts'
import type { DaemonSet, Deployment, StatefulSet } from '../../../src/model/types/workload.ts'
import { loadText, manifestsIn, plainDigest, problemLines } from '../../support/manifests.ts'

const old = (apiVersion: string, kind: string, spec = ''): string =>
  [
    `apiVersion: ${apiVersion}`,
    `kind: ${kind}`,
    'metadata: {name: web}',
    'spec:',
    ...(spec === '' ? [] : [`  ${spec}`]),
    '  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "web:1"}]}}',
  ].join('\n')

const selector = 'selector: {matchLabels: {app: web}}'

function only<T>(text: string): T {
  const loaded = loadText(text)
  expect(problemLines(loaded.problems)).toEqual(['app.yaml:1 apiVersion OldApiVersion!'])
  const objects = [...loaded.objects.values()].map(({ object }) => object)
  expect(objects).toMatchObject([{ apiVersion: 'apps/v1', metadata: { name: 'web' } }])
  return (objects[0] as unknown as { spec: T }).spec
}

const pods = 'template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}'
const jobs = `schedule: '@daily', jobTemplate: {spec: {${pods}}}`
const role = "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: a}\nsubjects: [{kind: User, name: '*'}]"
const rules = 'rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]'
const crd = 'group: shop.example, names: {kind: Cart, plural: carts}'
const endpoint = (rest: string) => `addressType: IPv4\nendpoints: [{addresses: [10.0.0.1]${rest}}]`
const metric = (source: string, value: string) => `  - {type: ${source[0]?.toUpperCase()}${source.slice(1)}, ${source}: ${value}}`
const scaled = (...metrics: string[]) =>
  ['spec:', '  scaleTargetRef: {kind: Deployment, name: a}', '  maxReplicas: 3', '  metrics:', ...metrics].join('\n')

const document = (apiVersion: string, kind: string, rest: string) =>
  loadText(`apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: web}\n${rest}`)

describe('a removed API version is read as the current one', () => {
  test.each<[from: string, now: string, kind: string, before: string, after?: string]>([
    ['batch/v1beta1', 'batch/v1', 'CronJob', `spec: {${jobs}}`],
    [
      'batch/v2alpha1',
      'batch/v1',
      'CronJob',
      `spec: {${jobs}, failedJobsHistoryLimit: 2}`,
      `spec: {${jobs}, failedJobsHistoryLimit: 2, successfulJobsHistoryLimit: 2147483647}`,
    ],
    ['policy/v1beta1', 'policy/v1', 'PodDisruptionBudget', 'spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}'],
    ['policy/v1beta1', 'policy/v1', 'PodDisruptionBudget', 'spec: {minAvailable: 1}'],
    ['rbac.authorization.k8s.io/v1beta1', 'rbac.authorization.k8s.io/v1', 'Role', rules],
    ['rbac.authorization.k8s.io/v1beta1', 'rbac.authorization.k8s.io/v1', 'ClusterRole', rules],
    ['rbac.authorization.k8s.io/v1beta1', 'rbac.authorization.k8s.io/v1', 'RoleBinding', role],
    ['rbac.authorization.k8s.io/v1beta1', 'rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', role],
    ['scheduling.k8s.io/v1alpha1', 'scheduling.k8s.io/v1', 'PriorityClass', 'value: 10'],
    ['scheduling.k8s.io/v1beta1', 'scheduling.k8s.io/v1', 'PriorityClass', 'value: 10'],
    ['storage.k8s.io/v1beta1', 'storage.k8s.io/v1', 'StorageClass', 'provisioner: docker.io/local'],
    ['storage.k8s.io/v1beta1', 'storage.k8s.io/v1', 'CSIDriver', 'spec: {attachRequired: false}'],
    ['storage.k8s.io/v1beta1', 'storage.k8s.io/v1', 'CSINode', 'spec: {drivers: []}'],
    [
      'storage.k8s.io/v1beta1',
      'storage.k8s.io/v1',
      'VolumeAttachment',
      'spec: {attacher: a, nodeName: node-1, source: {persistentVolumeName: p}}',
    ],
    ['node.k8s.io/v1beta1', 'node.k8s.io/v1', 'RuntimeClass', 'handler: runsc'],
    [
      'apiregistration.k8s.io/v1beta1',
      'apiregistration.k8s.io/v1',
      'APIService',
      'spec: {group: a.example, version: v1, groupPriorityMinimum: 1, versionPriority: 1}',
    ],
    ['networking.k8s.io/v1beta1', 'networking.k8s.io/v1', 'IngressClass', 'spec: {controller: a.example/nginx}'],
    ['extensions/v1beta1', 'networking.k8s.io/v1', 'NetworkPolicy', 'spec: {podSelector: {}, ingress: [{}]}'],
    ...['extensions/v1beta1', 'networking.k8s.io/v1beta1'].map((from): [string, string, string, string, string] => [
      from,
      'networking.k8s.io/v1',
      'Ingress',
      `spec:
  backend: {serviceName: web, servicePort: 80}
  rules:
  - host: a.example
    http:
      paths:
      - {backend: {serviceName: api, servicePort: http}}
      - {path: /a, pathType: Prefix, backend: {resource: {kind: Bucket, name: files}}}`,
      `spec:
  defaultBackend: {service: {name: web, port: {number: 80}}}
  rules:
  - host: a.example
    http:
      paths:
      - {pathType: ImplementationSpecific, backend: {service: {name: api, port: {name: http}}}}
      - {path: /a, pathType: Prefix, backend: {resource: {kind: Bucket, name: files}}}`,
    ]),
    [
      'autoscaling/v2beta2',
      'autoscaling/v2',
      'HorizontalPodAutoscaler',
      scaled(metric('resource', '{name: cpu, target: {type: Utilization, averageUtilization: 80}}')),
    ],
    [
      'autoscaling/v2beta1',
      'autoscaling/v2',
      'HorizontalPodAutoscaler',
      scaled(
        metric('resource', '{name: cpu, targetAverageUtilization: 80}'),
        metric('containerResource', '{name: memory, container: web, targetAverageValue: 1Gi}'),
        metric('pods', '{metricName: rps, targetAverageValue: 1k}'),
        metric('object', '{metricName: rps, target: {kind: Service, name: web}, targetValue: 2k, selector: {}}'),
        metric('external', '{metricName: queue, metricSelector: {matchLabels: {q: a}}, targetValue: 30}'),
      ),
      scaled(
        metric('resource', '{name: cpu, target: {type: Utilization, averageUtilization: 80}}'),
        metric('containerResource', '{name: memory, container: web, target: {type: AverageValue, averageValue: 1Gi}}'),
        metric('pods', '{metric: {name: rps}, target: {type: AverageValue, averageValue: 1k}}'),
        metric(
          'object',
          '{metric: {name: rps, selector: {}}, describedObject: {kind: Service, name: web}, target: {type: Value, value: 2k}}',
        ),
        metric('external', '{metric: {name: queue, selector: {matchLabels: {q: a}}}, target: {type: Value, value: 30}}'),
      ),
    ],
    [
      'apiextensions.k8s.io/v1beta1',
      'apiextensions.k8s.io/v1',
      'CustomResourceDefinition',
      `spec:
  {${crd}, version: v1, validation: {openAPIV3Schema: {type: object}}, subresources: {status: {}},
   additionalPrinterColumns: [{name: Age, type: date, JSONPath: .a}]}`,
      `spec:
  {${crd}, scope: Namespaced, preserveUnknownFields: true, versions: [{name: v1, served: true, storage: true,
   schema: {openAPIV3Schema: {type: object}}, subresources: {status: {}},
   additionalPrinterColumns: [{name: Age, type: date, jsonPath: .a}]}]}`,
    ],
    [
      'apiextensions.k8s.io/v1beta1',
      'apiextensions.k8s.io/v1',
      'CustomResourceDefinition',
      `spec:
  {${crd}, scope: Cluster, preserveUnknownFields: false, version: v1, versions: [{name: v1, served: true, storage: true}],
   conversion: {strategy: Webhook, webhookClientConfig: {url: 'https://a.example'}}}`,
      `spec:
  {${crd}, scope: Cluster, preserveUnknownFields: false, versions: [{name: v1, served: true, storage: true}],
   conversion: {strategy: Webhook, webhook: {clientConfig: {url: 'https://a.example'}, conversionReviewVersions: [v1beta1]}}}`,
    ],
    [
      'discovery.k8s.io/v1beta1',
      'discovery.k8s.io/v1',
      'EndpointSlice',
      endpoint(', topology: {kubernetes.io/hostname: node-1, topology.kubernetes.io/zone: zone-1}'),
      endpoint(', nodeName: node-1, zone: zone-1'),
    ],
  ])('%s as %s: %s %#', (from, now, kind, before, after = before) => {
    const loaded = document(from, kind, before)
    const today = document(now, kind, after)
    expect(problemLines(today.problems)).toEqual([])
    expect(problemLines(loaded.problems)).toEqual(['app.yaml:1 apiVersion OldApiVersion!'])
    expect([...loaded.objects.values()].map(({ object }) => object)).toEqual(
      [...today.objects.values()].map(({ object }) => object),
    )
    expect(loaded.objects.size).toBe(1)
  })
})

describe('what the current version cannot say is refused', () => {
  test.each([
    ['a budget of no pod', 'policy/v1beta1', 'PodDisruptionBudget', 'spec: {selector: {}}', 'every pod now'],
    ['the same, written out', 'policy/v1beta1', 'PodDisruptionBudget', 'spec: {selector: {matchLabels: {}}}', 'every pod now'],
    [
      'a topology of other keys',
      'discovery.k8s.io/v1beta1',
      'EndpointSlice',
      endpoint(', topology: {example.com/rack: a}'),
      'no field for "example.com/rack"',
    ],
    [
      'two nodes of one endpoint',
      'discovery.k8s.io/v1beta1',
      'EndpointSlice',
      endpoint(', nodeName: a, topology: {kubernetes.io/hostname: b}'),
      'nodeName and kubernetes.io/hostname',
    ],
    ['subjects of rbac v1alpha1', 'rbac.authorization.k8s.io/v1alpha1', 'RoleBinding', role, 'it is in rbac'],
  ])('%s', (_, apiVersion, kind, rest, why) => {
    const loaded = document(apiVersion, kind, rest)
    expect(loaded.objects.size).toBe(0)
    expect(loaded.problems).toMatchObject([
      { field: 'apiVersion', code: 'RemovedApiVersion', message: expect.stringContaining(why) },
    ])
  })

  test.each([
    [
      'networking.k8s.io/v1beta1',
      'Ingress',
      'spec: {backend: {servicePort: 80}}',
      'spec.defaultBackend.service.name MissingField',
    ],
    ['discovery.k8s.io/v1beta1', 'EndpointSlice', endpoint(', topology: a'), 'endpoints[0].topology UnknownField'],
    ['apiextensions.k8s.io/v1beta1', 'CustomResourceDefinition', `spec: {${crd}}`, 'spec.versions MissingField'],
    [
      'apiextensions.k8s.io/v1beta1',
      'CustomResourceDefinition',
      `spec: {${crd}, version: v1, versions: a}`,
      'spec.versions WrongType',
    ],
  ])('a mistake is found in %s %s', (apiVersion, kind, rest, want) => {
    expect(problemLines(document(apiVersion, kind, rest).problems)).toContainEqual(expect.stringContaining(want))
  })
})

test.each([
  ['extensions/v1beta1', 'Deployment', 'rollbackTo: {revision: 1}', 'says the same but for spec.rollbackTo, which is left out'],
  ['apps/v1beta1', 'Deployment', 'rollbackTo: {revision: 1}', 'says the same but for spec.rollbackTo, which is left out'],
  [
    'extensions/v1beta1',
    'DaemonSet',
    'templateGeneration: 2',
    'says the same but for spec.templateGeneration, which is left out',
  ],
  ['extensions/v1beta1', 'Deployment', 'rollbackTo: null', 'says the same'],
  ['extensions/v1beta1', 'Deployment', '', 'says the same'],
])('%s %s with %j: the notice says what is left out', (apiVersion, kind, spec, want) => {
  expect(loadText(old(apiVersion, kind, spec)).problems).toMatchObject([
    { code: 'OldApiVersion', message: `Kubernetes has removed ${apiVersion}; read as apps/v1, which ${want}` },
  ])
})

describe('a workload of a removed API version has the defaults of that version', () => {
  test('extensions/v1beta1 Deployment: one at a time, no deadline, all history, the selector of its template', () => {
    expect(only<Deployment['spec']>(old('extensions/v1beta1', 'Deployment', 'rollbackTo: {revision: 1}'))).toMatchObject({
      selector: { matchLabels: { app: 'web' } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } },
      revisionHistoryLimit: 2_147_483_647,
      progressDeadlineSeconds: 2_147_483_647,
    })
  })

  test('what it says itself stays', () => {
    const spec = 'strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 3}}'
    expect(only<Deployment['spec']>(old('extensions/v1beta1', 'Deployment', spec)).strategy).toEqual({
      type: 'RollingUpdate',
      rollingUpdate: { maxSurge: 3, maxUnavailable: 1 },
    })
    expect(only<Deployment['spec']>(old('extensions/v1beta1', 'Deployment', 'strategy: {type: Recreate}')).strategy).toEqual({
      type: 'Recreate',
    })
  })

  test('apps/v1beta1 Deployment: two old sets are kept', () => {
    expect(only<Deployment['spec']>(old('apps/v1beta1', 'Deployment')).revisionHistoryLimit).toBe(2)
  })

  test('apps/v1beta1 StatefulSet and extensions/v1beta1 DaemonSet replace pods only when they are deleted', () => {
    expect(only<StatefulSet['spec']>(old('apps/v1beta1', 'StatefulSet')).updateStrategy).toEqual({ type: 'OnDelete' })
    expect(only<DaemonSet['spec']>(old('extensions/v1beta1', 'DaemonSet')).updateStrategy).toEqual({ type: 'OnDelete' })
  })

  test.each(['Deployment', 'ReplicaSet', 'DaemonSet', 'StatefulSet'])('apps/v1beta2 %s is what it is today', (kind) => {
    const now = [...loadText(old('apps/v1', kind, selector)).objects.values()][0]?.object
    expect(only(old('apps/v1beta2', kind, selector))).toEqual((now as Deployment).spec)
  })
})

test('a selector that has to be there today had to be there in apps/v1beta2', () => {
  expect(problemLines(loadText(old('apps/v1beta2', 'Deployment')).problems)).toContain('app.yaml:4 spec.selector MissingField')
})

test('the notice stays when the document is known from the revision before', () => {
  const load = createLoader()
  const options = { revision: 'r1', digest: plainDigest, vault: () => undefined }
  const manifests = manifestsIn(old('apps/v1beta2', 'Deployment', selector))
  const first = load(manifests, options)
  const second = load(manifests, { ...options, revision: 'r2' })
  expect(problemLines(second.problems)).toEqual(problemLines(first.problems))
  expect([...second.objects.keys()]).toEqual(['Deployment/default/web'])
})
