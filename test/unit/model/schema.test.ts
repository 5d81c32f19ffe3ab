import { describe, expect, test } from 'vitest'
import { enums } from '../../../src/model/enums.ts'
import { builtinKind, builtinKinds, type FieldType, mergeKeyFor, objectType, preferredKind } from '../../../src/model/schema.ts'

describe('mergeKeyFor', () => {
  test.each([
    ['Deployment', 'spec.template.spec.containers', ['name']],
    ['Deployment', 'spec.template.spec.containers[0].env', ['name']],
    ['Deployment', 'spec.template.spec.containers[].ports', ['containerPort', 'protocol', 'name']],
    ['Deployment', 'spec.template.spec.containers[*].volumeMounts', ['mountPath']],
    ['Deployment', 'spec.template.spec.volumes', ['name']],
    ['Deployment', 'spec.template.spec.volumes[1].configMap.items', ['path']],
    ['Deployment', 'spec.template.spec.tolerations', []],
    ['Pod', 'spec.hostAliases', ['ip']],
    ['Service', 'spec.ports', ['port', 'protocol']],
    ['StatefulSet', 'spec.volumeClaimTemplates', ['metadata.name']],
    ['Ingress', 'spec.rules', []],
  ])('%s %s', (kind, path, want) => expect(mergeKeyFor(kind, path)).toEqual(want))

  test.each([
    ['Deployment', 'spec.template.spec.containers[0].args'],
    ['Deployment', 'spec.replicas'],
    ['Deployment', 'spec.nothing'],
    ['Nothing', 'spec'],
  ])('%s %s is no list of objects', (kind, path) => expect(mergeKeyFor(kind, path)).toBeUndefined())
})

test('kinds that matter are there, with their scope', () => {
  expect(builtinKind('apps/v1', 'Deployment')?.namespaced).toBe(true)
  expect(builtinKind('v1', 'Namespace')?.namespaced).toBe(false)
  expect(builtinKind('rbac.authorization.k8s.io/v1', 'ClusterRole')?.namespaced).toBe(false)
  expect(builtinKind('extensions/v1beta1', 'Deployment')).toBeUndefined()
})

test('a kind is preferred in its stable version', () => {
  expect(preferredKind('HorizontalPodAutoscaler')?.apiVersion).toBe('autoscaling/v2')
  expect(preferredKind('Event')?.apiVersion).toBe('v1')
  expect(preferredKind('Ingress')?.apiVersion).toBe('networking.k8s.io/v1')
})

test('every type of every kind can be read, and every merge key is a field of its items', () => {
  const seen = new Set<string>()
  const visit = (type: FieldType): void => {
    if (type.shape === 'map') visit(type.values)
    if (type.shape === 'list') {
      for (const key of type.keys) {
        expect(type.items.shape === 'object' && type.items.type.fields.has(key.split('.')[0] ?? ''), key).toBe(true)
      }
      visit(type.items)
    }
    if (type.shape !== 'object' || seen.has(type.type.name)) return
    seen.add(type.type.name)
    for (const field of type.type.fields.values()) visit(field)
  }
  for (const { typeName } of builtinKinds()) visit({ shape: 'object', type: objectType(typeName) })
  expect(seen.size).toBeGreaterThan(300)
})

test.each(Object.keys(enums))('%s is a field of the schema', (key) => {
  const [type = '', field = ''] = key.split('.')
  const found = objectType(type).fields.get(field)
  expect(found?.shape === 'list' ? found.items : found).toEqual({ shape: 'scalar', name: 'string' })
})
