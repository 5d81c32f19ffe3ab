import { describe, expect, test } from 'vitest'
import type { ModelObject, StatefulSet } from '../../../src/model/types.ts'
import { loadText, problemLines } from '../../support/manifests.ts'

interface Parts {
  readonly kind?: string
  readonly name?: string
  readonly spec?: string
  readonly container?: string
}

function document({ kind = 'StatefulSet', name = 'web', spec = '', container = '' }: Parts = {}): string {
  const isController = kind === 'ReplicationController'
  return [
    `apiVersion: ${isController ? 'v1' : 'apps/v1'}`,
    `kind: ${kind}`,
    `metadata: {name: ${name}}`,
    'spec:',
    isController ? '  selector: {app: web}' : '  selector: {matchLabels: {app: web}}',
    ...(spec === '' ? [] : spec.split('\n').map((line) => `  ${line}`)),
    '  template:',
    '    metadata: {labels: {app: web}}',
    `    spec: {containers: [{name: web, image: "web:1"${container}}]}`,
  ].join('\n')
}

const object = (text: string): ModelObject | undefined => [...loadText(text).objects.values()][0]?.object

describe('a StatefulSet', () => {
  test('has the defaults of Kubernetes', () => {
    expect(object(document())).toMatchObject({
      kind: 'StatefulSet',
      spec: {
        replicas: 1,
        ordinals: { start: 0 },
        serviceName: '',
        podManagementPolicy: 'OrderedReady',
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0, maxUnavailable: 1 } },
        revisionHistoryLimit: 10,
        minReadySeconds: 0,
      },
    })
  })

  test.each([
    ['a name that is no host name', { name: 'web.prod' }, ['app.yaml:3 metadata.name BadName']],
    ['a name that leaves no room for the numbers', { name: 'a'.repeat(62) }, ['app.yaml:3 metadata.name BadName']],
    [
      'more claims than are kept',
      {
        spec: 'replicas: 10001\nvolumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]',
      },
      ['app.yaml:6 spec.replicas OutOfRange'],
    ],
    ['no first ordinal below zero', { spec: 'ordinals: {start: -1}' }, ['app.yaml:6 spec.ordinals.start OutOfRange']],
    [
      'a partition below zero',
      { spec: 'updateStrategy: {rollingUpdate: {partition: -1}}' },
      ['app.yaml:6 spec.updateStrategy.rollingUpdate.partition OutOfRange'],
    ],
    [
      'nothing that may be unavailable',
      { spec: 'updateStrategy: {rollingUpdate: {maxUnavailable: 0}}' },
      ['app.yaml:6 spec.updateStrategy.rollingUpdate.maxUnavailable OutOfRange'],
    ],
    [
      'bounds without a rollout',
      { spec: 'updateStrategy: {type: OnDelete, rollingUpdate: {partition: 1}}' },
      ['app.yaml:6 spec.updateStrategy.rollingUpdate UnknownField'],
    ],
    [
      'an unknown order',
      { spec: 'podManagementPolicy: Paralel' },
      ['app.yaml:6 spec.podManagementPolicy UnknownValue → Parallel'],
    ],
    [
      'a word for claims that is none',
      { spec: 'persistentVolumeClaimRetentionPolicy: {whenDeleted: Drop}' },
      ['app.yaml:6 spec.persistentVolumeClaimRetentionPolicy.whenDeleted UnknownValue'],
    ],
  ] as const)('%s', (_, parts, want) => expect(problemLines(loadText(document(parts)).problems)).toEqual(want))

  test('claims are kept unless it is said that they go', () => {
    const policyOf = (spec: string) => {
      const [loaded] = loadText(document({ spec })).objects.values()
      return (loaded!.object as StatefulSet).spec
    }
    expect(policyOf('')).not.toHaveProperty('persistentVolumeClaimRetentionPolicy')
    expect(policyOf('persistentVolumeClaimRetentionPolicy: {whenScaled: Delete}')).toMatchObject({
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Delete' },
    })
  })

  const mount = ', volumeMounts: [{name: data, mountPath: /data}]'

  test('containers mount its claims', () => {
    const claim =
      'volumeClaimTemplates:\n- metadata: {name: data}\n  spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}'
    const lines = problemLines(loadText(document({ spec: claim, container: mount })).problems)
    expect(lines.filter((line) => line.includes('UnknownVolume'))).toEqual([])
    expect(problemLines(loadText(document({ container: mount })).problems).join()).toContain('UnknownVolume')
  })

  test('a claim needs a size and an access mode', () => {
    const lines = problemLines(
      loadText(document({ spec: 'volumeClaimTemplates:\n- metadata: {name: data}\n  spec: {}' })).problems,
    )
    expect(lines).toEqual(
      expect.arrayContaining([
        'app.yaml:8 spec.volumeClaimTemplates[0].spec.accessModes MissingField → [ReadWriteOnce]',
        'app.yaml:8 spec.volumeClaimTemplates[0].spec.resources.requests.storage MissingField',
      ]),
    )
  })
})

describe('a DaemonSet', () => {
  const bounds = (text: string): Parts => ({ kind: 'DaemonSet', spec: `updateStrategy: {rollingUpdate: {${text}}}` })

  test('has the defaults of Kubernetes', () => {
    expect(object(document({ kind: 'DaemonSet' }))).toMatchObject({
      kind: 'DaemonSet',
      spec: { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } } },
    })
  })

  test.each([
    ['neither', 'maxSurge: 0, maxUnavailable: 0', ['app.yaml:6 spec.updateStrategy.rollingUpdate OutOfRange']],
    ['both', 'maxSurge: 1, maxUnavailable: 1', ['app.yaml:6 spec.updateStrategy.rollingUpdate OutOfRange']],
    ['a surge beside the default of the other', 'maxSurge: 1', ['app.yaml:6 spec.updateStrategy.rollingUpdate OutOfRange']],
    ['a surge', 'maxSurge: "10%", maxUnavailable: 0', []],
  ])('%s', (_, text, want) => expect(problemLines(loadText(document(bounds(text))).problems)).toEqual(want))

  test('has no replicas', () => {
    expect(problemLines(loadText(document({ kind: 'DaemonSet', spec: 'replicas: 2' })).problems)).toEqual([
      'app.yaml:6 spec.replicas UnknownField',
    ])
  })
})

describe('a ReplicationController', () => {
  const kind = 'ReplicationController'

  test('selects by plain labels, and without any by those of its template', () => {
    const selected = { spec: { selector: { matchLabels: { app: 'web' }, matchExpressions: [] }, replicas: 1 } }
    expect(object(document({ kind }))).toMatchObject({ kind, ...selected })
    expect(object(document({ kind }).replace('  selector: {app: web}\n', ''))).toMatchObject({ kind, ...selected })
  })

  test('that does not select its own pods is refused', () => {
    const text = document({ kind }).replace('selector: {app: web}', 'selector: {app: api}')
    expect(problemLines(loadText(text).problems)).toEqual(['app.yaml:5 spec.selector SelectorMismatch'])
  })
})
