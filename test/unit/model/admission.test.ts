import { describe, expect, test } from 'vitest'
import type { PodSpec } from '../../../src/model/types/pod.ts'
import type { Service } from '../../../src/model/types/service.ts'
import type { Deployment } from '../../../src/model/types/workload.ts'
import { deployment, loadText, problemLines } from '../../support/manifests.ts'

const limitRange = (limits: string) =>
  ['apiVersion: v1', 'kind: LimitRange', 'metadata: {name: bounds}', 'spec:', `  limits: [${limits}]`].join('\n')

function loaded(...documents: readonly string[]) {
  return loadText(documents.join('\n---\n'))
}

function podSpec(...documents: readonly string[]): PodSpec | undefined {
  return (loaded(...documents).objects.get('Deployment/default/web')?.object as Deployment | undefined)?.spec.template.spec
}

const resources = (limits: string, requests = '{}') =>
  deployment({ container: `resources: {limits: ${limits}, requests: ${requests}}` })

describe('a LimitRange fills in what a container does not say', () => {
  test.each([
    {
      name: 'defaults of both',
      range: '{type: Container, default: {cpu: 500m}, defaultRequest: {cpu: 100m}}',
      of: deployment(),
      want: { limits: { cpu: '500m' }, requests: { cpu: '100m' } },
    },
    {
      name: 'a default limit is a default request too',
      range: '{type: Container, default: {memory: 64Mi}}',
      of: deployment(),
      want: { limits: { memory: '64Mi' }, requests: { memory: '64Mi' } },
    },
    {
      name: 'a maximum is a default limit, and a minimum a default request',
      range: '{type: Container, max: {cpu: "2"}, min: {cpu: 50m}}',
      of: deployment(),
      want: { limits: { cpu: '2' }, requests: { cpu: '2' } },
    },
    {
      name: 'a limit of its own is its request, whatever the default',
      range: '{type: Container, default: {cpu: 500m}, defaultRequest: {cpu: 100m}}',
      of: resources('{cpu: 300m}'),
      want: { limits: { cpu: '300m' }, requests: { cpu: '300m' } },
    },
    {
      name: 'bounds of claims do not concern it',
      range: '{type: PersistentVolumeClaim, max: {storage: 1Gi}}',
      of: deployment(),
      want: { limits: {}, requests: {} },
    },
  ])('$name', ({ range, of, want }) => {
    expect(podSpec(limitRange(range), of)?.containers[0]?.resources).toEqual(want)
  })

  test('of another namespace it changes nothing', () => {
    const other = limitRange('{type: Container, default: {cpu: 500m}}').replace(
      '{name: bounds}',
      '{name: bounds, namespace: other}',
    )
    expect(podSpec(other, deployment())?.containers[0]?.resources).toEqual({ limits: {}, requests: {} })
  })
})

describe('what a LimitRange does not let in is refused, with its place', () => {
  test.each([
    ['too much', '{type: Container, max: {cpu: 100m}}', '{cpu: 200m}', '{}', /limits cpu to 200m, and at most 100m is allowed/],
    [
      'too little',
      '{type: Container, min: {cpu: 100m}}',
      '{}',
      '{cpu: 50m}',
      /requests 50m of cpu, and must request at least 100m/,
    ],
    [
      'a ratio',
      '{type: Container, maxLimitRequestRatio: {cpu: "2"}}',
      '{cpu: 300m}',
      '{cpu: 100m}',
      /more than 2 times its request/,
    ],
    ['the whole pod', '{type: Pod, max: {memory: 64Mi}}', '{memory: 128Mi}', '{}', /this Pod limits memory to 128Mi/],
  ])('%s', (_, range, limits, requests, message) => {
    const { objects, problems } = loaded(limitRange(range), resources(limits, requests))
    expect(objects.has('Deployment/default/web')).toBe(false)
    expect(problems.map((problem) => problem.message).join()).toMatch(message)
    expect(problemLines(problems)[0]).toMatch(/^app\.yaml:\d+ spec\.template\.spec(\.containers\[0\]\.resources)? LimitRange$/)
  })
})

test('pods get the pull secrets of their ServiceAccount, unless they name some', () => {
  const account = 'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: default}\nimagePullSecrets: [{name: registry}]'
  expect(podSpec(account, deployment())?.imagePullSecrets).toEqual([{ name: 'registry' }])
  expect(podSpec(account, deployment({ pod: 'imagePullSecrets: [{name: own}]' }))?.imagePullSecrets).toEqual([{ name: 'own' }])
  expect(podSpec(account, deployment({ pod: 'serviceAccountName: other' }))?.imagePullSecrets).toEqual([])
})

describe('a Service without a selector leads where Git says', () => {
  const bare = 'apiVersion: v1\nkind: Service\nmetadata: {name: db}\nspec: {ports: [{port: 5432}]}'
  const endpoints = (ip: string) =>
    `apiVersion: v1\nkind: Endpoints\nmetadata: {name: db}\nsubsets: [{addresses: [{ip: ${ip}}], notReadyAddresses: [{ip: 10.0.0.9}], ports: [{port: 5433}]}]`
  const slice =
    'apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: db-1, labels: {kubernetes.io/service-name: db}}\naddressType: IPv4\nendpoints: [{addresses: [10.0.0.7], conditions: {ready: false}}]\nports: [{port: 5434}]'
  const given = (...documents: string[]) => {
    const service = loaded(...documents).objects.get('Service/default/db')?.object as Service
    return service.spec.endpoints?.map(({ ip, ready, ports }) => `${ip}:${ports[0]?.port} ${ready}`)
  }

  test('by Endpoints, by slices, by both', () => {
    expect(given(bare)).toBeUndefined()
    expect(given(bare, endpoints('10.0.0.5'))).toEqual(['10.0.0.5:5433 true', '10.0.0.9:5433 false'])
    expect(given(bare, slice)).toEqual(['10.0.0.7:5434 false'])
    expect(given(slice, endpoints('10.0.0.5'), bare)).toHaveLength(3)
  })

  test('and one with a selector does not', () => {
    expect(given(bare.replace('{ports', '{selector: {app: db}, ports'), endpoints('10.0.0.5'))).toBeUndefined()
  })

  test.each(['127.0.0.1', '169.254.169.254', '224.0.0.1', 'db.example.org'])('never to %s', (ip) => {
    expect(problemLines(loaded(bare, endpoints(ip)).problems).join()).toMatch(/subsets\[0\].addresses\[0\].ip BadAddress/)
  })
})

describe('the restricted standard, where the label of a namespace asks for it', () => {
  const labelled = (level: string) =>
    `apiVersion: v1\nkind: Namespace\nmetadata: {name: default, labels: {pod-security.kubernetes.io/enforce: ${level}}}`

  test('refuses a pod for each thing it does not say', () => {
    const { objects, problems } = loaded(labelled('restricted'), deployment())
    expect(objects.has('Deployment/default/web')).toBe(false)
    expect(problems.map(({ field }) => field.split('.').at(-1)).sort()).toEqual([
      'allowPrivilegeEscalation',
      'capabilities',
      'runAsNonRoot',
      'seccompProfile',
    ])
  })

  test('lets in one that says it all', () => {
    const container =
      'securityContext: {allowPrivilegeEscalation: false, runAsNonRoot: true, capabilities: {drop: [ALL]}, seccompProfile: {type: RuntimeDefault}}'
    expect(podSpec(labelled('restricted'), deployment({ container }))).toBeDefined()
  })

  test('baseline and privileged ask for nothing more, and lower nothing', () => {
    const privileged = deployment({ container: 'securityContext: {privileged: true}' })
    expect(podSpec(labelled('baseline'), deployment())).toBeDefined()
    expect(podSpec(labelled('privileged'), privileged)).toBeUndefined()
  })
})
