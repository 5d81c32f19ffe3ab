import { describe, expect, test } from 'vitest'
import type { ConfigMap, Secret } from '../../../src/model/types/object.ts'
import type { PodTemplate } from '../../../src/model/types/pod.ts'
import { bindTemplate, templateHash } from '../../../src/reconcilers/binding.ts'
import { app, configMap, namespace, secret, template } from '../../support/world.ts'

function bind(of: PodTemplate, ...objects: readonly (ConfigMap | Secret)[]) {
  const find = (kind: string, name: string) => objects.find((object) => object.kind === kind && object.metadata.name === name)
  return bindTemplate(of, namespace, {
    configMap: (_, name) => find('ConfigMap', name) as ConfigMap | undefined,
    secret: (_, name) => find('Secret', name) as Secret | undefined,
  })
}

const hashOf = (of: PodTemplate, ...objects: readonly (ConfigMap | Secret)[]): string =>
  templateHash(of, bind(of, ...objects).config)
const fromMap = (optional = false) =>
  app({ env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'conf', key: 'a', optional } } }] })
const withVolume = (volume: object) => template({ spec: { volumes: [{ name: 'v', ...volume }] } })

describe('templateHash', () => {
  test('of a plain template is what it always was: an upgrade rolls nothing', () => {
    expect(hashOf(template())).toBe('a5cf27215e')
  })

  test('of one with config is what it always was', () => {
    const of = template({ containers: [fromMap()], spec: { volumes: [{ name: 'keys', secret: { secretName: 'keys' } }] } })
    expect(hashOf(of, configMap('conf', { a: '1' }), secret('keys', { token: 'x' }))).toBe('64cf6cba6a')
  })

  test('does not depend on the order of maps', () => {
    const [a, b] = [template({ labels: { app: 'web', tier: 'x' } }), template({ labels: { tier: 'x', app: 'web' } })]
    expect(hashOf(a)).toBe(hashOf(b))
  })

  for (const { name, of, before, after, same } of [
    {
      name: 'a changed value',
      of: template({ containers: [fromMap()] }),
      before: configMap('conf', { a: '1' }),
      after: configMap('conf', { a: '2' }),
      same: false,
    },
    {
      name: 'a changed value of another map',
      of: template(),
      before: configMap('conf', { a: '1' }),
      after: configMap('conf', { a: '2' }),
      same: true,
    },
    {
      name: 'a changed value with the opt-out',
      of: template({ containers: [fromMap()], annotations: { 'trireme.dev/roll-on-config-change': 'false' } }),
      before: configMap('conf', { a: '1' }),
      after: configMap('conf', { a: '2' }),
      same: true,
    },
    {
      name: 'rotated pull credentials',
      of: template({ spec: { imagePullSecrets: [{ name: 'pull' }] } }),
      before: secret('pull', { '.dockerconfigjson': '1' }),
      after: secret('pull', { '.dockerconfigjson': '2' }),
      same: true,
    },
    {
      name: 'a changed Secret that is mounted as well as pulled with',
      of: template({ spec: { imagePullSecrets: [{ name: 'pull' }], volumes: [{ name: 'v', secret: { secretName: 'pull' } }] } }),
      before: secret('pull', { '.dockerconfigjson': '1' }),
      after: secret('pull', { '.dockerconfigjson': '2' }),
      same: false,
    },
  ])
    test(`${name} ${same ? 'keeps' : 'changes'} it`, () => expect(hashOf(of, before) === hashOf(of, after)).toBe(same))
})

describe('bindTemplate', () => {
  for (const { name, of, objects, want } of [
    {
      name: 'a ConfigMap that is not there',
      of: template({ containers: [fromMap()] }),
      objects: [],
      want: ['ConfigMap shop/conf does not exist (env A of container app)'],
    },
    {
      name: 'a key that is not there',
      of: template({ containers: [fromMap()] }),
      objects: [configMap('conf', { b: '1' })],
      want: ['ConfigMap shop/conf has no key "a" (env A of container app)'],
    },
    { name: 'an optional one', of: template({ containers: [fromMap(true)] }), objects: [], want: [] },
    {
      name: 'envFrom',
      of: template({
        containers: [app({ envFrom: [{ secretRef: { name: 'keys' } }, { configMapRef: { name: 'maybe', optional: true } }] })],
      }),
      objects: [],
      want: ['Secret shop/keys does not exist (envFrom of container app)'],
    },
    {
      name: 'a volume',
      of: withVolume({ secret: { secretName: 'keys' } }),
      objects: [],
      want: ['Secret shop/keys does not exist (volume v)'],
    },
    {
      name: 'one item of a volume',
      of: withVolume({ configMap: { name: 'conf', items: [{ key: 'x', path: 'x' }] } }),
      objects: [configMap('conf', { a: '1' })],
      want: ['ConfigMap shop/conf has no key "x" (volume v)'],
    },
    {
      name: 'pull credentials are never waited for',
      of: template({ spec: { imagePullSecrets: [{ name: 'pull' }] } }),
      objects: [],
      want: [],
    },
    {
      name: 'each is told once',
      of: template({
        containers: [app({ envFrom: [{ secretRef: { name: 'keys' } }, { secretRef: { name: 'keys' }, prefix: 'B_' }] })],
      }),
      objects: [],
      want: ['Secret shop/keys does not exist (envFrom of container app)'],
    },
    {
      name: 'keys in binaryData count, those of a prototype do not',
      of: template({
        containers: [app({ env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'conf', key: 'toString' } } }] })],
      }),
      objects: [configMap('conf', {})],
      want: ['ConfigMap shop/conf has no key "toString" (env A of container app)'],
    },
  ])
    test(`missing: ${name}`, () => expect(bind(of, ...objects).missing).toEqual(want))
})
