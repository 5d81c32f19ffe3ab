import { expect, test } from 'vitest'
import { deepFreeze } from '../../../src/model/canonical.ts'
import type { Loaded, LoadedObject, Problem } from '../../../src/model/types/loaded.ts'
import { keyOf, type ObjectKey } from '../../../src/model/types/meta.ts'
import type { ModelObject } from '../../../src/model/types/object.ts'
import { type AssessInput, assess } from '../../../src/reconcilers/assess.ts'

const config = { prune: true, maxShare: 0.5 }

/** `Kind/namespace/name`, with a file when it matters. */
function object(key: ObjectKey, file = 'app.yaml', extra: Record<string, unknown> = {}): LoadedObject {
  const [kind = '', namespace = '', name = ''] = key.split('/')
  const metadata = { name, namespace, labels: {}, annotations: {}, ...(extra.metadata as object) }
  const body = kind === 'Deployment' ? { spec: { replicas: extra.replicas ?? 1 } } : {}
  const built = { apiVersion: 'v1', kind, ...body, metadata } as unknown as ModelObject
  return { object: built, origin: { file, line: 1, revision: 'old' }, unenforced: [] }
}

function applied(...objects: LoadedObject[]): ReadonlyMap<ObjectKey, LoadedObject> {
  return new Map(objects.map((one) => [keyOf(one.object), deepFreeze(one)]))
}

function rendered(objects: LoadedObject[], more: Partial<Loaded> = {}): Loaded {
  return { revision: 'new', objects: applied(...objects), problems: [], verdicts: [], brokenFiles: new Set(), ...more }
}

function problem(file: string, message: string): Problem {
  return { file, line: 3, field: '', code: 'Syntax', message }
}

function refused(key: ObjectKey, file: string, reason: string): Partial<Loaded> {
  const [kind = '', namespace = '', name = ''] = key.split('/')
  const verdict = { file, line: 5, kind, namespace, name, verdict: 'refused', reasons: [reason] } as const
  return { verdicts: [verdict], brokenFiles: new Set([file]), problems: [problem(file, reason)] }
}

/** One line an object: what becomes of it, in the words of the assessment. */
function told(input: Partial<AssessInput> & { loaded: Loaded }): string[] {
  const result = assess({ lastApplied: new Map(), config, healthy: () => true, ...input })
  const stay = [...result.effective].map(
    ([key, one]) => `${one.state} ${key}${one.state === 'retained' ? `: ${one.reason}` : ''}`,
  )
  const held = [...result.effective].filter(([, one]) => one.state === 'retained').map(([key]) => key)
  expect(result.held.map(({ key }) => key)).toEqual(held)
  return [...stay, ...result.prune.map((key) => `prune ${key}`), ...(result.refusedWhole ? [result.refusedWhole] : [])]
}

const web = object('Deployment/shop/web')
const settings = object('ConfigMap/shop/settings', 'settings.yaml')
const old = object('Deployment/shop/old', 'old.yaml')

test('the first revision: everything is wanted and changed', () => {
  const result = assess({ loaded: rendered([web, settings]), lastApplied: new Map(), config, healthy: () => false })
  expect([...result.effective.keys()]).toEqual(['ConfigMap/shop/settings', 'Deployment/shop/web'])
  expect(result.changed).toEqual(['ConfigMap/shop/settings', 'Deployment/shop/web'])
  expect(result).toMatchObject({ prune: [], held: [] })
  expect(result.refusedWhole).toBeUndefined()
})

test('an object moved to another file, in another order of keys, is no change', () => {
  const moved = object('Deployment/shop/web', 'elsewhere/web.yaml')
  const turned = { ...moved, object: Object.fromEntries(Object.entries(moved.object).reverse()) as unknown as ModelObject }
  const result = assess({ loaded: rendered([turned]), lastApplied: applied(web), config, healthy: () => true })
  expect(result).toMatchObject({ changed: [], prune: [], held: [] })
  expect(result.effective.get('Deployment/shop/web')).toMatchObject({ state: 'wanted', origin: { file: 'elsewhere/web.yaml' } })
})

test('only what differs is changed', () => {
  const scaled = object('Deployment/shop/web', 'app.yaml', { replicas: 3 })
  const result = assess({
    loaded: rendered([scaled, settings]),
    lastApplied: applied(web, settings),
    config,
    healthy: () => true,
  })
  expect(result.changed).toEqual(['Deployment/shop/web'])
})

test('what left Git goes once everything wanted is healthy', () => {
  const input = { loaded: rendered([web, settings]), lastApplied: applied(web, settings, old) }
  expect(told({ ...input, healthy: (key) => key !== 'Deployment/shop/web' })).toEqual([
    'wanted ConfigMap/shop/settings',
    'retained Deployment/shop/old: waits for health: Deployment/shop/web is not healthy',
    'wanted Deployment/shop/web',
  ])
  expect(told(input)).toEqual(['wanted ConfigMap/shop/settings', 'wanted Deployment/shop/web', 'prune Deployment/shop/old'])
})

test('a workload that is not applied yet is not healthy, whatever is said of what ran before', () => {
  const scaled = object('Deployment/shop/web', 'app.yaml', { replicas: 3 })
  const input = { lastApplied: applied(web, old), config, healthy: () => true }
  for (const loaded of [rendered([scaled]), rendered([web, object('Deployment/shop/new')])])
    expect(assess({ ...input, loaded })).toMatchObject({ prune: [], held: [{ key: 'Deployment/shop/old', kind: 'health' }] })
})

test('kinds that run nothing here are not asked for their health', () => {
  const cron = object('CronJob/shop/nightly')
  const asData = { ...cron, object: { ...cron.object, body: {} } as unknown as ModelObject }
  const asked: ObjectKey[] = []
  const healthy = (key: ObjectKey) => asked.push(key) > 0
  assess({ loaded: rendered([web, settings, asData]), lastApplied: applied(web, old), config, healthy })
  expect(asked).toEqual(['Deployment/shop/web'])
})

test('an empty revision prunes nothing and says what to do', () => {
  expect(told({ loaded: rendered([]), lastApplied: applied(web, settings) })).toEqual([
    'retained ConfigMap/shop/settings: the revision renders no objects',
    'retained Deployment/shop/web: the revision renders no objects',
    'revision new renders no objects: everything last applied is kept. Commit at least one object, or remove the whole cluster with "trireme down"',
  ])
})

test('a wholly broken revision prunes nothing, confirmed or not, and names the first problem', () => {
  const loaded = rendered([], { brokenFiles: new Set(['app.yaml']), problems: [problem('app.yaml', 'bad indentation')] })
  const result = assess({
    loaded,
    lastApplied: applied(web),
    config: { ...config, confirmedRevision: 'new' },
    healthy: () => true,
  })
  expect(result.prune).toEqual([])
  expect(result.refusedWhole).toContain('(app.yaml:3: bad indentation): everything last applied is kept')
})

test('objects of a broken file keep their last applied state; nothing else is pruned meanwhile', () => {
  const loaded = rendered([web], {
    brokenFiles: new Set(['settings.yaml']),
    problems: [problem('settings.yaml', 'bad indentation')],
  })
  expect(told({ loaded, lastApplied: applied(web, settings, old) })).toEqual([
    'retained ConfigMap/shop/settings: keeps its last applied state: settings.yaml is broken at line 3: bad indentation',
    'retained Deployment/shop/old: nothing is pruned while the revision is incomplete: settings.yaml is broken at line 3: bad indentation',
    'wanted Deployment/shop/web',
  ])
})

test('a broken file does not stop what other files change', () => {
  const scaled = object('Deployment/shop/web', 'app.yaml', { replicas: 3 })
  const loaded = rendered([scaled], { brokenFiles: new Set(['settings.yaml']) })
  expect(assess({ loaded, lastApplied: applied(web, settings), config, healthy: () => true }).changed).toEqual([
    'Deployment/shop/web',
  ])
})

test('an object that validation refuses keeps its last applied state, also where it was moved', () => {
  const loaded = rendered([settings], refused('Deployment/shop/web', 'moved/web.yaml', 'spec.replica: unknown field'))
  expect(told({ loaded, lastApplied: applied(web, settings) })).toEqual([
    'wanted ConfigMap/shop/settings',
    'retained Deployment/shop/web: keeps its last applied state: refused at moved/web.yaml:5: spec.replica: unknown field',
  ])
})

test('a refused newcomer may be what replaces the one that left: nothing is pruned', () => {
  const loaded = rendered([web], refused('Deployment/shop/new', 'new.yaml', 'spec.replica: unknown field'))
  expect(assess({ loaded, lastApplied: applied(web, old), config, healthy: () => true })).toMatchObject({
    prune: [],
    held: [{ key: 'Deployment/shop/old', kind: 'incomplete' }],
  })
})

test('a key that two files bring is refused in both and keeps what was last applied', () => {
  const one = refused('Deployment/shop/web', 'a.yaml', 'also declared in b.yaml:1')
  const other = refused('Deployment/shop/web', 'b.yaml', 'also declared in a.yaml:1')
  const loaded = rendered([settings], { ...one, verdicts: [...(one.verdicts ?? []), ...(other.verdicts ?? [])] })
  expect(told({ loaded, lastApplied: applied(web, settings) })).toEqual([
    'wanted ConfigMap/shop/settings',
    'retained Deployment/shop/web: keeps its last applied state: refused at a.yaml:5: also declared in b.yaml:1',
  ])
})

test('a refusal by name alone does not touch a good object of that key', () => {
  const loaded = rendered([web, settings], refused('Deployment/shop/web', 'other-group.yaml', 'unknown field'))
  expect(
    assess({ loaded, lastApplied: applied(web), config, healthy: () => true }).effective.get('Deployment/shop/web'),
  ).toMatchObject({
    state: 'wanted',
  })
})

test('a document that this version does not run holds up no other prune, but keeps what it would replace', () => {
  const loaded = rendered([web], {
    ...refused('StatefulSet/shop/old', 'sts.yaml', 'not run by this version'),
    brokenFiles: new Set(),
  })
  expect(told({ loaded, lastApplied: applied(web, settings, old) })).toEqual([
    'retained Deployment/shop/old: keeps its last applied state: StatefulSet/shop/old in its place is refused at sts.yaml:5: not run by this version',
    'wanted Deployment/shop/web',
    'prune ConfigMap/shop/settings',
  ])
})

test('what failed before validation keeps everything that seems to have left', () => {
  const problems = [problem('kustomization.yaml', 'kustomize build failed')]
  expect(
    assess({ loaded: rendered([web]), lastApplied: applied(web, old), config, healthy: () => true, problems }),
  ).toMatchObject({
    prune: [],
    held: [{ kind: 'incomplete', reason: expect.stringContaining('kustomization.yaml: kustomize build failed') }],
  })
})

test('inputs are never changed and the order of maps does not matter', () => {
  const objects = [old, settings, web, object('Namespace//shop')]
  const turn = (reverse: boolean) => {
    const loaded = rendered(reverse ? [web, settings] : [settings, web])
    return assess({ loaded, lastApplied: applied(...(reverse ? [...objects].reverse() : objects)), config, healthy: () => true })
  }
  expect([...turn(true).effective]).toEqual([...turn(false).effective])
  expect({ ...turn(true), effective: 0 }).toEqual({ ...turn(false), effective: 0 })
})
