import { expect, test } from 'vitest'
import { diffCluster } from '../../../src/diff/objects.ts'
import type { LoadedObject } from '../../../src/model/types/loaded.ts'
import { keyOf, type ObjectKey } from '../../../src/model/types/meta.ts'
import type { ModelObject } from '../../../src/model/types/object.ts'

function object(key: ObjectKey, value: unknown = 1): ModelObject {
  const [kind = '', namespace = '', name = ''] = key.split('/')
  const metadata = { name, namespace, labels: {}, annotations: {} }
  return { apiVersion: 'v1', kind, metadata, spec: { value } } as unknown as ModelObject
}

function loaded(...objects: ModelObject[]): Map<ObjectKey, LoadedObject> {
  return new Map(
    objects.map((one) => [keyOf(one), { object: one, origin: { file: 'a.yaml', line: 7, revision: 'r' }, unenforced: [] }]),
  )
}

function live(...objects: ModelObject[]): Map<ObjectKey, ModelObject> {
  return new Map(objects.map((one) => [keyOf(one), one]))
}

const web = 'Deployment/shop/web'

for (const { name, lastApplied, desired, observed, want } of [
  { name: 'new', desired: [object(web)], want: 'create' },
  { name: 'new and already there, just so', desired: [object(web)], observed: [object(web)], want: 'none' },
  { name: 'new and already there, otherwise', desired: [object(web)], observed: [object(web, 2)], want: 'update' },
  { name: 'applied', lastApplied: [object(web)], desired: [object(web)], observed: [object(web)], want: 'none' },
  { name: 'changed in Git', lastApplied: [object(web)], desired: [object(web, 2)], observed: [object(web)], want: 'update' },
  { name: 'changed by somebody', lastApplied: [object(web)], desired: [object(web)], observed: [object(web, 3)], want: 'drift' },
  { name: 'removed by somebody', lastApplied: [object(web)], desired: [object(web)], want: 'drift' },
  { name: 'removed by somebody and changed in Git', lastApplied: [object(web)], desired: [object(web, 2)], want: 'create' },
  { name: 'left Git', lastApplied: [object(web)], observed: [object(web)], want: 'delete' },
  { name: 'left Git and gone', lastApplied: [object(web)], want: 'none' },
  { name: 'foreign', observed: [object(web)], want: 'none' },
] as { name: string; lastApplied?: ModelObject[]; desired?: ModelObject[]; observed?: ModelObject[]; want: string }[]) {
  test(`diffCluster: ${name}`, () => {
    const [diff, ...others] = diffCluster(loaded(...(lastApplied ?? [])), loaded(...(desired ?? [])), live(...(observed ?? [])))
    expect(others).toEqual([])
    expect(diff).toMatchObject({ key: web, change: want })
    expect(diff?.differences.filter(({ action }) => action !== 'keep').length === 0).toBe(want === 'none')
    expect(diff?.origin?.line).toBe(lastApplied || desired ? 7 : undefined)
  })
}

test('objects come in the order they are applied in, then by key', () => {
  const keys = [
    'Ingress/a/i',
    'Pod/a/p',
    'Deployment/b/d',
    'Deployment/a/d',
    'Service/a/s',
    'Secret/a/s',
    'ConfigMap/a/c',
    'Namespace//a',
  ]
  expect(diffCluster(new Map(), loaded(...keys.map((key) => object(key))), new Map()).map(({ key }) => key)).toEqual([
    'Namespace//a',
    'ConfigMap/a/c',
    'Secret/a/s',
    'Service/a/s',
    'Deployment/a/d',
    'Deployment/b/d',
    'Pod/a/p',
    'Ingress/a/i',
  ])
})
