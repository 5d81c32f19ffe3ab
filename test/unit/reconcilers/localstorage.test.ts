import { expect, test } from 'vitest'
import { objectKey } from '../../../src/model/types/meta.ts'
import type { ContainerProbes } from '../../../src/reconcilers/observed.ts'
import { Stage } from '../../support/stage.ts'
import { app, deployment, namespace } from '../../support/world.ts'

const web = objectKey('Deployment', namespace, 'web')
const limited = app({ resources: { limits: { 'ephemeral-storage': '64Mi' } } })

const asked = (container: Record<string, unknown>) => {
  const stage = new Stage().apply(deployment({ spec: { replicas: 1 }, template: { containers: [container] } }))
  stage.run(30_000)
  return stage.plan(web).probes.flatMap(({ probes }) => probes.storage?.storage ?? [])
}

test('a container with a limit is asked what it has written, and one without is not', () => {
  expect(asked(limited)).toEqual([{ limitBytes: 64 * 2 ** 20 }])
  expect(asked(app())).toEqual([])
})

test('a pod beyond its limit is evicted, told why, and another takes its place', () => {
  const stage = new Stage().apply(deployment({ spec: { replicas: 1 }, template: { containers: [limited] } }))
  stage.run(30_000)
  const [before] = stage.records()
  const over: ContainerProbes = {
    storage: { result: 'failure', since: 0, lastAnswer: 'has written 70Mi, and its limit is 64Mi' },
  }
  stage.probe = ({ id }) => (stage.running().some((one) => one.id === id) ? over : {})
  stage.plan(web)
  expect(stage.records()[0]?.deletion?.cause).toBe('Evicted: container app has written 70Mi, and its limit is 64Mi')
  stage.probe = () => ({})
  stage.run(60_000)
  expect(stage.records().map(({ uid }) => uid)).not.toContain(before?.uid)
  expect(stage.passes.get(web)?.status?.healthy).toBe(true)
})

const asksPod = (container: Record<string, unknown>, volumes: readonly object[]) => {
  const stage = new Stage().apply(deployment({ spec: { replicas: 1 }, template: { containers: [container], spec: { volumes } } }))
  stage.run(30_000)
  return stage.plan(web).probes.flatMap(({ probes }) => probes.storage?.usage ?? [])
}
const named = (name: string) => expect.stringMatching(new RegExp(`^trireme-test-.*-${name}$`))

test('a pod is asked what its emptyDirs on the disk hold where something limits that', () => {
  const volumes = [
    { name: 'cache', emptyDir: { sizeLimit: '1Mi' } },
    { name: 'free', emptyDir: {} },
    { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
  ]
  const [cache, free] = [
    { name: 'cache', source: named('cache'), limit: { bytes: 2 ** 20, text: '1Mi' } },
    { name: 'free', source: named('free') },
  ]
  const containers = [expect.any(String)]
  expect(asksPod(app(), volumes)).toEqual([{ volumes: [cache, free], containers }])
  expect(asksPod(limited, volumes)).toEqual([
    { volumes: [cache, free], total: { bytes: 64 * 2 ** 20, text: '64Mi' }, containers },
  ])
  expect(asksPod(app(), volumes.slice(1))).toEqual([])
  expect(asksPod(app(), [{ name: 'none', emptyDir: { sizeLimit: '0' } }])).toEqual([])
  expect(asksPod(limited, [])).toEqual([])
})

/** What a pod with an emptyDir is asked as a whole. */
type Raw = Record<string, unknown>
const asksWhole = (containers: readonly Raw[], initContainers: readonly Raw[] = [], volumes: readonly Raw[] = []) => {
  const template = { containers, spec: { volumes, initContainers } }
  const stage = new Stage().apply(deployment({ spec: { replicas: 1 }, template }))
  stage.run(1_000)
  const before = stage.plan(web).probes.flatMap(({ probes }) => probes.storage?.usage ?? [])
  for (const view of stage.running('init')) stage.end(view, 0)
  stage.run(30_000)
  return { before, after: stage.plan(web).probes.flatMap(({ probes }) => probes.storage?.usage ?? []) }
}
const limit = (amount: string) => ({ resources: { limits: { 'ephemeral-storage': amount } } })
const emptyDir = [{ name: 'cache', emptyDir: {} }]

test('the limit of a pod is what its containers may have at any one time: an init container does not add to it', () => {
  const { after } = asksWhole([app(limit('64Mi'))], [app({ name: 'init', ...limit('32Mi') })], emptyDir)
  expect(after).toMatchObject([{ total: { text: '64Mi' } }])
  const large = asksWhole([app(limit('64Mi'))], [app({ name: 'init', ...limit('96Mi') })], emptyDir)
  expect(large.after).toMatchObject([{ total: { text: '96Mi' } }])
})

test('what an init container has written counts while it runs, and evicts nobody once it is done', () => {
  const { before, after } = asksWhole([app(limit('64Mi'))], [app({ name: 'init' })], emptyDir)
  expect(before).toMatchObject([{ containers: [expect.any(String)] }])
  expect(after).toMatchObject([{ containers: [expect.any(String)] }])
  expect(after[0]?.containers).not.toEqual(before[0]?.containers)
})

test('a container without a limit counts against that of the others, though no volume does', () => {
  const { after } = asksWhole([app(limit('64Mi')), app({ name: 'sidecar' })])
  expect(after).toEqual([
    { volumes: [], containers: [expect.any(String), expect.any(String)], total: { bytes: 64 * 2 ** 20, text: '64Mi' } },
  ])
  expect(asksWhole([app(limit('64Mi')), app({ name: 'sidecar', ...limit('1Mi') })]).after).toEqual([])
})

test('a pod whose emptyDir is over its limit is evicted in the words of Kubernetes', () => {
  const stage = new Stage().apply(
    deployment({ spec: { replicas: 1 }, template: { spec: { volumes: [{ name: 'cache', emptyDir: { sizeLimit: '1Mi' } }] } } }),
  )
  stage.run(30_000)
  const [sandbox] = stage.sandboxes()
  const lastAnswer = 'Usage of EmptyDir volume "cache" exceeds the limit "1Mi".'
  stage.probe = ({ id }) => (id === sandbox?.id ? { storage: { result: 'failure', since: 0, lastAnswer } } : {})
  stage.plan(web)
  expect(stage.records()[0]?.deletion?.cause).toBe(`Evicted: ${lastAnswer}`)
  stage.run(60_000)
  expect(stage.sandboxes().map(({ id }) => id)).not.toContain(sandbox?.id)
})
