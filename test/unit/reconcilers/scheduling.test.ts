import { describe, expect, test } from 'vitest'
import type { NodeView } from '../../../src/reconcilers/observed.ts'
import { misfit, type Neighbour, type NodeTraits, traitsOf } from '../../../src/reconcilers/scheduling.ts'
import { Stage } from '../../support/stage.ts'
import { canonical, cluster, deployment, namespace, template } from '../../support/world.ts'

const node: NodeTraits = {
  name: 'alpha',
  labels: { disk: 'ssd', cores: '8', 'kubernetes.io/hostname': 'alpha' },
  taints: [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }],
}
const tolerates = { tolerations: [{ key: 'dedicated', operator: 'Exists' }] }

function why(spec: Record<string, unknown>, others: readonly Partial<Neighbour>[] = []): string {
  const pod = { namespace, labels: { app: 'web' } }
  const there = others.map(
    (other, index): Neighbour => ({
      uid: `${index}`,
      name: `${index}`,
      namespace,
      labels: {},
      spec: template().spec,
      node: 'alpha',
      ...other,
    }),
  )
  return misfit(template({ spec: { ...tolerates, ...spec } }).spec, pod, node, () => there, false)
}

const nodeTerms = (...terms: readonly object[]) => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } } },
})
const expression = (key: string, operator: string, ...values: string[]) => ({ matchExpressions: [{ key, operator, values }] })
const SELECTOR = "node(s) didn't match Pod's node affinity/selector"

describe('what a template asks of its node', () => {
  test.each([
    ['a selector that holds', { nodeSelector: { disk: 'ssd' } }, ''],
    ['one that does not', { nodeSelector: { disk: 'hdd' } }, SELECTOR],
    ['a label that is missing', { nodeSelector: { gpu: 'yes' } }, SELECTOR],
    ['its own name', { nodeName: 'alpha' }, ''],
    ['another name', { nodeName: 'beta' }, "node(s) didn't match the requested node name"],
    ['In', nodeTerms(expression('disk', 'In', 'hdd', 'ssd')), ''],
    ['NotIn', nodeTerms(expression('disk', 'NotIn', 'ssd')), SELECTOR],
    ['NotIn of what is missing', nodeTerms(expression('gpu', 'NotIn', 'yes')), ''],
    ['Exists', nodeTerms(expression('disk', 'Exists')), ''],
    ['DoesNotExist', nodeTerms(expression('disk', 'DoesNotExist')), SELECTOR],
    ['Gt', nodeTerms(expression('cores', 'Gt', '7')), ''],
    ['Lt', nodeTerms(expression('cores', 'Lt', '8')), SELECTOR],
    ['Gt of a word', nodeTerms(expression('disk', 'Gt', '7')), SELECTOR],
    ['one of two terms', nodeTerms(expression('disk', 'In', 'hdd'), expression('cores', 'In', '8')), ''],
    [
      'both parts of one term',
      nodeTerms({
        matchExpressions: [
          { key: 'disk', operator: 'Exists' },
          { key: 'gpu', operator: 'Exists' },
        ],
      }),
      SELECTOR,
    ],
    ['a field', nodeTerms({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['alpha'] }] }), ''],
    ['a term that says nothing', nodeTerms({}), SELECTOR],
    [
      'a preference',
      {
        affinity: {
          nodeAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: expression('gpu', 'Exists') }],
          },
        },
      },
      '',
    ],
  ])('%s', (_, spec, want) => expect(why(spec)).toBe(want))
})

describe('what a node asks of pods', () => {
  const untolerated = 'node(s) had untolerated taint {dedicated: db}'
  test.each([
    ['nothing tolerated', [], untolerated],
    ['the same value', [{ key: 'dedicated', value: 'db' }], ''],
    ['another value', [{ key: 'dedicated', operator: 'Equal', value: 'web' }], untolerated],
    ['any value', [{ key: 'dedicated', operator: 'Exists' }], ''],
    ['everything', [{ operator: 'Exists' }], ''],
    ['another effect', [{ key: 'dedicated', operator: 'Exists', effect: 'NoExecute' }], untolerated],
  ])('%s', (_, tolerations, want) => expect(why({ tolerations })).toBe(want))
})

describe('what a template asks of its neighbours', () => {
  const term = (app: string, topologyKey = 'kubernetes.io/hostname', more: object = {}) => ({
    labelSelector: { matchLabels: { app } },
    topologyKey,
    ...more,
  })
  const apart = (...terms: object[]) => ({
    affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
  })
  const near = (...terms: object[]) => ({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } } })
  const ANTI = "node(s) didn't match pod anti-affinity rules"
  const NEAR = "node(s) didn't match pod affinity rules"
  const db = { labels: { app: 'db' } }
  test.each([
    ['apart from who is not there', apart(term('db')), [], ''],
    ['apart from who is there', apart(term('db')), [db], ANTI],
    ['apart from who is in another namespace', apart(term('db')), [{ ...db, namespace: 'other' }], ''],
    [
      'apart from a namespace by name',
      apart(term('db', undefined, { namespaces: ['other'] })),
      [{ ...db, namespace: 'other' }],
      ANTI,
    ],
    [
      'apart from every namespace',
      apart(term('db', undefined, { namespaceSelector: {} })),
      [{ ...db, namespace: 'other' }],
      ANTI,
    ],
    ['apart in a domain that the node is not in', apart(term('db', 'rack')), [db], ''],
    ['beside who is there', near(term('db')), [db], ''],
    ['beside who is not there', near(term('db')), [], NEAR],
    ['beside its own kind, as the first', near(term('web')), [], ''],
    ['beside its own kind in a domain that there is not', near(term('web', 'rack')), [], NEAR],
  ])('%s', (_, spec, others, want) => expect(why(spec, others)).toBe(want))

  test('spread over a domain that the node is not in', () => {
    const constraint = (whenUnsatisfiable: string) => ({
      topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'rack', whenUnsatisfiable }],
    })
    expect(why(constraint('DoNotSchedule'))).toBe("node(s) didn't match pod topology spread constraints (missing required label)")
    expect(why(constraint('ScheduleAnyway'))).toBe('')
  })
})

describe('a pod that nothing lets onto its node', () => {
  const pods = (stage: Stage, key = 'Deployment/shop/web') => stage.passes.get(key)?.status?.pods ?? []

  test('waits, is told in the words of the scheduler, and takes nothing from who serves', () => {
    const stage = new Stage().apply(deployment({ spec: { replicas: 1 } }))
    stage.run(60_000)
    stage.apply(deployment({ spec: { replicas: 1 }, template: { spec: { nodeSelector: { disk: 'ssd' } } } }))
    stage.run(60_000)
    expect(pods(stage).map(({ ready }) => ready)).toContain(true)
    const waiting = pods(stage).find(({ ready }) => !ready)
    expect(waiting).toMatchObject({
      phase: 'Pending',
      reason: 'Unschedulable',
      message: `0/1 nodes are available: 1 ${SELECTOR}.`,
    })
  })

  test('starts where the node has the label', () => {
    const stage = new Stage({ ...cluster(), nodeLabels: { disk: 'ssd' } })
    stage.apply(
      deployment({ spec: { replicas: 1 }, template: { spec: { nodeSelector: { disk: 'ssd', 'kubernetes.io/os': 'linux' } } } }),
    )
    stage.run(60_000)
    expect(pods(stage).map(({ ready }) => ready)).toEqual([true])
  })

  test('replicas that want to be apart run beside each other where there is no other node', () => {
    const affinity = {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { labelSelector: { matchLabels: { app: 'web' } }, topologyKey: 'kubernetes.io/hostname' },
        ],
      },
    }
    const stage = new Stage().apply(deployment({ spec: { replicas: 2 }, template: { spec: { affinity } } }))
    stage.run(60_000)
    expect(pods(stage).filter(({ ready }) => ready)).toHaveLength(2)
  })

  test('an engine tells the name of its distribution, and its nodes are linux all the same', () => {
    const info = { os: 'Debian GNU/Linux 12 (bookworm)', architecture: 'x86_64' }
    const { labels } = traitsOf(cluster(), { name: 'alpha', info } as NodeView)
    expect(labels).toMatchObject({ 'kubernetes.io/os': 'linux', 'beta.kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' })
  })

  test('too much for a quota waits for room', () => {
    const quota = (pods: string) =>
      canonical({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'small', namespace }, spec: { hard: { pods } } })
    const stage = new Stage().apply(quota('2'), deployment({ spec: { replicas: 3 } }))
    stage.run(60_000)
    expect(pods(stage).filter(({ ready }) => ready)).toHaveLength(2)
    expect(pods(stage).find(({ ready }) => !ready)?.message).toBe(
      'exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2',
    )
    stage.apply(quota('3'))
    stage.run(60_000)
    expect(pods(stage).filter(({ ready }) => ready)).toHaveLength(3)
  })
})
