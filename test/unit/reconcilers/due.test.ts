import { describe, expect, test } from 'vitest'
import type { LoadedObject } from '../../../src/model/types/loaded.ts'
import type { ObjectKey } from '../../../src/model/types/meta.ts'
import { keyOf } from '../../../src/model/types/meta.ts'
import type { ModelObject } from '../../../src/model/types/object.ts'
import type { Effective } from '../../../src/reconcilers/assess.ts'
import { dueKeys, type Intent } from '../../../src/reconcilers/due.ts'
import { canonical, claim, configMap, deployment, persistentVolume, secret, service, storageClass } from '../../support/world.ts'

function intent(objects: readonly ModelObject[], prune: readonly ObjectKey[] = []): Intent {
  const loaded = (object: ModelObject): LoadedObject => ({
    object,
    origin: { file: 'app.yaml', line: 1, revision: 'r' },
    unenforced: [],
  })
  const effective = new Map(
    objects.map((object): [ObjectKey, Effective] => [keyOf(object), { ...loaded(object), state: 'wanted' }]),
  )
  return { effective, prune: new Set(prune) }
}

const web = deployment()
const other = deployment({ name: 'other' })
const elsewhere = deployment({ name: 'web', namespace: 'elsewhere' })
const front = service()
const settings = configMap('settings', { a: '1' })
const token = secret('token', { a: '1' })

describe('dueKeys', () => {
  for (const { name, before, after, want } of [
    { name: 'the same objects under a newer revision give no work', before: [web, front], after: [web, front], want: [] },
    {
      name: 'a changed object is due, and nothing beside it',
      before: [web, other, front],
      after: [deployment({ spec: { replicas: 5 } }), other, front],
      want: ['Deployment/shop/web'],
    },
    { name: 'what comes is due', before: [web], after: [web, front], want: ['Service/shop/web'] },
    { name: 'what goes is due', before: [web, front], after: [web], want: ['Service/shop/web'] },
    {
      name: 'a changed ConfigMap makes the workloads of its namespace due, and of no other',
      before: [web, elsewhere, front, settings],
      after: [web, elsewhere, front, configMap('settings', { a: '2' })],
      want: ['ConfigMap/shop/settings', 'Deployment/shop/web'],
    },
    {
      name: 'so does a Secret that comes',
      before: [web, other],
      after: [web, other, token],
      want: ['Deployment/shop/other', 'Deployment/shop/web', 'Secret/shop/token'],
    },
    {
      name: 'so does a ServiceAccount that comes',
      before: [web, elsewhere],
      after: [web, elsewhere, canonical({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'teller' } })],
      want: ['Deployment/shop/web', 'ServiceAccount/shop/teller'],
    },
    {
      name: 'so does a claim that goes',
      before: [web, elsewhere, claim()],
      after: [web, elsewhere],
      want: ['Deployment/shop/web', 'PersistentVolumeClaim/shop/data'],
    },
    {
      name: 'a PersistentVolume makes those of every namespace due, for any claim may get it',
      before: [web, elsewhere],
      after: [web, elsewhere, persistentVolume('pv')],
      want: ['Deployment/elsewhere/web', 'Deployment/shop/web', 'PersistentVolume//pv'],
    },
    {
      name: 'and so does a StorageClass',
      before: [web, storageClass('fast')],
      after: [web, storageClass('fast', { provisioner: 'docker.io/local' })],
      want: ['Deployment/shop/web', 'StorageClass//fast'],
    },
  ])
    test(name, () => expect(dueKeys(intent(before), intent(after))).toEqual(want))

  test('an object that may be pruned now, or no longer, is due', () => {
    expect(dueKeys(intent([web]), intent([web], ['Service/shop/web']))).toEqual(['Service/shop/web'])
    expect(dueKeys(intent([web], ['Service/shop/web']), intent([web]))).toEqual(['Service/shop/web'])
    expect(dueKeys(intent([web], ['Service/shop/web']), intent([web], ['Service/shop/web']))).toEqual([])
  })
})
