import { describe, expect, test } from 'vitest'
import type { PodFacts } from '../../../src/reconcilers/downward.ts'
import { environmentOf, expand, resolveEnvironment } from '../../../src/reconcilers/environment.ts'
import type { BoundConfig } from '../../../src/reconcilers/memory.ts'
import type { EnvEntry, Text } from '../../../src/reconcilers/plan.ts'
import { app, namespace, template } from '../../support/world.ts'

const config: BoundConfig = {
  configMaps: { conf: { data: { a: 'map-a', b: 'map-b' }, binaryData: {} } },
  secrets: { keys: { type: 'Opaque', data: { token: 'digest-1' } } },
}
const of = template({ annotations: { note: 'n' } })
const facts: PodFacts = {
  uid: 'u-1',
  name: 'web-1',
  namespace,
  ip: '10.88.1.1',
  node: 'alpha',
  hostIp: '10.88.0.1',
  nodeMemoryBytes: 2 ** 33,
  nodeCpus: 4,
  template: of,
  labels: { app: 'web', 'pod-template-hash': 'abc' },
}

/** Secrets show as `<name/key>`. */
function show(text: Text): string {
  return typeof text === 'string'
    ? text
    : text.parts.map((part) => (typeof part === 'string' ? part : `<${part.name}/${part.key}>`)).join('')
}

function environment(container: object, links: readonly EnvEntry[] = []): string[] {
  const [made] = template({ containers: [app(container as Record<string, unknown>)] }).spec.containers
  return made === undefined
    ? []
    : resolveEnvironment(made, facts, config, environmentOf(links)).map(({ name, value }) => `${name}=${show(value)}`)
}

describe('expand', () => {
  const values = new Map<string, Text>([
    ['A', 'x'],
    ['EMPTY', ''],
    ['SECRET', { parts: [{ namespace, name: 'keys', key: 'token', digest: 'd' }] }],
  ])
  for (const { text, want } of [
    { text: '$(A)', want: 'x' },
    { text: 'a$(A)b$(A)c', want: 'axbxc' },
    { text: '$(EMPTY)', want: '' },
    { text: '$(NOPE)', want: '$(NOPE)' },
    { text: '$$(A)', want: '$(A)' },
    { text: '$$$(A)', want: '$x' },
    { text: '$$$$', want: '$$' },
    { text: '$A $', want: '$A $' },
    { text: '$(A', want: '$(A' },
    { text: '$()', want: '$()' },
    { text: '$(NOPE$(A))', want: '$(NOPE$(A))' },
    { text: 'user:$(SECRET)@host', want: 'user:<keys/token>@host' },
  ])
    test(text, () => expect(show(expand(text, values))).toBe(want))
})

test('variables are written with what is told of Services, which gives way to what the container has itself', () => {
  const links = [
    { name: 'WEB_SERVICE_HOST', value: '10.88.128.5' },
    { name: 'a', value: 'link' },
    { name: 'WEB_SERVICE_PORT', value: '80' },
  ]
  const container = {
    envFrom: [{ configMapRef: { name: 'conf' } }],
    env: [
      { name: 'URL', value: 'http://$(WEB_SERVICE_HOST):$(WEB_SERVICE_PORT)/$(a)' },
      { name: 'WEB_SERVICE_PORT', value: '8080' },
      { name: 'LATER', value: '$(WEB_SERVICE_PORT)' },
    ],
  }
  expect(environment(container, links)).toEqual([
    'a=map-a',
    'b=map-b',
    'URL=http://10.88.128.5:80/map-a',
    'WEB_SERVICE_PORT=8080',
    'LATER=8080',
  ])
})

describe('resolveEnvironment', () => {
  for (const { name, container, want } of [
    { name: 'literal values', container: { env: [{ name: 'A', value: '1' }] }, want: ['A=1'] },
    {
      name: 'a value may use those before it',
      container: {
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '$(A)$(C)' },
          { name: 'C', value: '3' },
        ],
      },
      want: ['A=1', 'B=1$(C)', 'C=3'],
    },
    {
      name: 'from a ConfigMap and a Secret',
      container: {
        env: [
          { name: 'A', valueFrom: { configMapKeyRef: { name: 'conf', key: 'a' } } },
          { name: 'B', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } },
        ],
      },
      want: ['A=map-a', 'B=<keys/token>'],
    },
    {
      name: 'optional ones that are missing are left out',
      container: {
        env: [
          { name: 'A', valueFrom: { configMapKeyRef: { name: 'no', key: 'a', optional: true } } },
          { name: 'B', valueFrom: { secretKeyRef: { name: 'no', key: 'b', optional: true } } },
        ],
      },
      want: [],
    },
    {
      name: 'envFrom with a prefix; env counts over it',
      container: {
        envFrom: [{ prefix: 'X_', configMapRef: { name: 'conf' } }, { secretRef: { name: 'keys' } }],
        env: [{ name: 'X_b', value: 'own' }],
      },
      want: ['X_a=map-a', 'X_b=own', 'token=<keys/token>'],
    },
    {
      name: 'a secret inside another value stays a reference',
      container: {
        env: [
          { name: 'T', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } },
          { name: 'URL', value: 'http://u:$(T)@h' },
        ],
      },
      want: ['T=<keys/token>', 'URL=http://u:<keys/token>@h'],
    },
    {
      name: 'the downward API',
      container: {
        env: [
          'metadata.name',
          'metadata.namespace',
          'metadata.uid',
          'spec.nodeName',
          'status.podIP',
          'status.hostIP',
          "metadata.labels['app']",
          "metadata.annotations['note']",
          "metadata.labels['none']",
        ].map((fieldPath, index) => ({ name: `F${index}`, valueFrom: { fieldRef: { fieldPath } } })),
      },
      want: ['F0=web-1', 'F1=shop', 'F2=u-1', 'F3=alpha', 'F4=10.88.1.1', 'F5=10.88.0.1', 'F6=web', 'F7=n', 'F8='],
    },
  ])
    test(name, () => expect(environment(container)).toEqual(want))
})
