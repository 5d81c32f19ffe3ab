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

test('batch/v1beta1 CronJob says what it says today', () => {
  const pods = 'template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}'
  const text = (version: string) =>
    `apiVersion: batch/${version}\nkind: CronJob\nmetadata: {name: tick}\nspec: {schedule: '@daily', jobTemplate: {spec: {${pods}}}}`
  const loaded = loadText(text('v1beta1'))
  expect(problemLines(loaded.problems)).toEqual(['app.yaml:1 apiVersion OldApiVersion!'])
  const object = loaded.objects.get('CronJob/default/tick')?.object
  expect(object).toEqual(loadText(text('v1')).objects.get('CronJob/default/tick')?.object)
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
