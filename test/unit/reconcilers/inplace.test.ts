/** Workloads that take changed ConfigMaps and Secrets in place: no pod is made anew. */
import { expect, test } from 'vitest'
import type { ModelObject } from '../../../src/model/types/object.ts'
import type { Step } from '../../../src/reconcilers/plan.ts'
import { Stage } from '../../support/stage.ts'
import { app, configMap, deployment, digestOf, secret } from '../../support/world.ts'

const web = 'Deployment/shop/web'

function running(...objects: readonly ModelObject[]): { stage: Stage; steps: Step[] } {
  const steps: Step[] = []
  const stage = new Stage()
  const volumes = [
    { name: 'conf', configMap: { name: 'conf' } },
    { name: 'keys', secret: { secretName: 'keys' } },
  ]
  const containers = [app({ volumeMounts: volumes.map(({ name }) => ({ name, mountPath: `/${name}` })) })]
  const annotations = { 'trireme.dev/roll-on-config-change': 'false' }
  stage.apply(deployment({ template: { annotations, containers, spec: { volumes } }, spec: { replicas: 1 } }), ...objects)
  stage.settle()
  stage.watch = (step) => steps.push(step)
  return { stage, steps }
}

const conf = configMap('conf', { a: '1', b: '1' })
const keys = secret('keys', { token: 'one' })

test('changed files are exchanged, removed ones go, and nothing else is done', () => {
  const { stage, steps } = running(conf, keys)
  stage.apply(configMap('conf', { a: '2', c: '1' }))
  expect(stage.settle()).toEqual(['put web.1/volume conf: changed in Git: a, c, b'])
  expect(steps).toMatchObject([{ op: 'put', inPlace: true }])
  expect(steps[0]?.drift).toBeUndefined()
  expect(Object.keys(stage.node.files.values().next().value ?? {})).toEqual(['a', 'c'])
})

test('files that will change are put in as such from the first time on, and those of other pods are not', () => {
  for (const { annotations, inPlace } of [
    { annotations: { 'trireme.dev/roll-on-config-change': 'false' }, inPlace: true },
    { annotations: {}, inPlace: undefined },
  ]) {
    const puts: Step[] = []
    const stage = new Stage()
    stage.watch = (step) => step.op === 'put' && puts.push(step)
    const volumes = [
      { name: 'conf', configMap: { name: 'conf' } },
      { name: 'scratch', emptyDir: {} },
    ]
    const containers = [app({ volumeMounts: volumes.map(({ name }) => ({ name, mountPath: `/${name}` })) })]
    stage.apply(deployment({ template: { annotations, containers, spec: { volumes } }, spec: { replicas: 1 } }), conf).settle()
    expect(puts.map((step) => [step.target.split('/')[1], 'inPlace' in step ? step.inPlace : undefined])).toEqual([
      ['volume conf', inPlace],
      ['volume scratch', undefined],
    ])
  }
})

/** The plan once something else than was put is in the volume `conf`. */
function planFor(change: Readonly<Record<string, string>>, put?: 'forgotten'): string {
  const { stage } = running(conf, keys)
  const [[volume, files] = ['', {}]] = stage.node.files
  stage.node = {
    ...stage.node,
    files: new Map(stage.node.files).set(volume, { ...files, ...change }),
    ...(put && { put: new Map() }),
  }
  return stage.planText(web)
}

test('what somebody edited is drift all the same, and so is what does not belong there', () => {
  expect(planFor({ a: 'other' })).toBe('put web.1/volume conf: drift: a changed from outside')
  expect(planFor({ more: '' })).toBe('put web.1/volume conf: drift: more changed from outside')
})

test('what a put left behind that was cut off goes, and is no drift', () => {
  const left = { '..2026_12_01_09_30_00.123/a': '1', '..2026_12_01_09_30_00.123/b': '1', '..data_tmp': '' }
  for (const put of [undefined, 'forgotten'] as const)
    expect(planFor(left, put)).toBe('put web.1/volume conf: left over: ..2026_12_01_09_30_00.123, ..data_tmp')
})

test('what somebody edited while no daemon was there is drift, where changed config would have rolled', () => {
  const containers = [app({ volumeMounts: [{ name: 'conf', mountPath: '/conf' }] })]
  const spec = { volumes: [{ name: 'conf', configMap: { name: 'conf' } }] }
  const stage = new Stage().apply(deployment({ template: { containers, spec }, spec: { replicas: 1 } }), conf)
  stage.settle()
  const [[volume, files] = ['', {}]] = stage.node.files
  stage.node = { ...stage.node, put: new Map(), files: new Map([[volume, { ...files, a: 'other' }]]) }
  expect(stage.planText(web)).toBe('put web.1/volume conf: drift: a changed from outside')
})

test('a ConfigMap that left Git leaves the files as they are', () => {
  const { stage } = running(conf, keys)
  stage.objects.delete('ConfigMap/shop/conf')
  expect(stage.settle()).toEqual([])
  expect(stage.running()).toHaveLength(1)
})

test('a value that a pod was given before is still known as a secret', () => {
  const { stage } = running(conf, keys)
  const asked: (readonly string[])[] = []
  stage.apply(secret('keys', { token: 'two' }))
  stage.settle()
  const of = stage.memory.get(web)?.sets[0]
  expect(of?.retired).toEqual([digestOf(Buffer.from('one'))])
  stage.tail = ((_: string, secrets: readonly string[]) => {
    asked.push(secrets)
    return []
  }) as never
  const [view] = stage.running()
  stage.end(view!)
  stage.settle()
  expect(asked.at(-1)).toEqual([digestOf(Buffer.from('two')), digestOf(Buffer.from('one'))])
})

test('a container that starts anew takes the values of today', () => {
  const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'conf', key: 'a' } } }]
  const annotations = { 'trireme.dev/roll-on-config-change': 'false' }
  const stage = new Stage()
  stage.apply(deployment({ template: { annotations, containers: [app({ env })] }, spec: { replicas: 1 } }), conf)
  stage.settle()
  const made: unknown[] = []
  stage.watch = (step) => step.op === 'create' && made.push(step.spec.env)
  stage.apply(configMap('conf', { a: '2' }))
  expect(stage.settle()).toEqual([])
  stage.end(stage.running()[0]!)
  stage.run(60_000)
  expect(made).toEqual([[{ name: 'A', value: '2' }]])
})
