import { expect, test } from 'vitest'
import type { LoadedObject } from '../../../src/model/types/loaded.ts'
import type { Labels, ObjectKey } from '../../../src/model/types/meta.ts'
import type { ModelObject } from '../../../src/model/types/object.ts'
import { gatesPrune, type PruneInput, selectPrune } from '../../../src/reconcilers/prune.ts'

function leaving(keys: readonly ObjectKey[], annotations: Labels = {}): Map<ObjectKey, LoadedObject> {
  return new Map(
    keys.map((key) => {
      const [kind = '', namespace = '', name = ''] = key.split('/')
      const object = { apiVersion: 'v1', kind, metadata: { name, namespace, labels: {}, annotations } } as unknown as ModelObject
      return [key, { object, origin: { file: 'a.yaml', line: 1, revision: 'old' }, unenforced: [] }]
    }),
  )
}

function verdict(input: Partial<PruneInput> & { leaving: ReadonlyMap<ObjectKey, LoadedObject> }) {
  return selectPrune({
    revision: 'new',
    present: new Set(input.leaving.keys()),
    appliedCount: 100,
    config: { prune: true, maxShare: 0.5 },
    incomplete: '',
    unhealthy: [],
    ...input,
  })
}

function reasons(result: { held: readonly { key: string; kind: string; reason: string }[] }): string[] {
  return result.held.map(({ key, kind, reason }) => `${kind} ${key}: ${reason}`)
}

function pods(count: number): ObjectKey[] {
  return Array.from({ length: count }, (_, index) => `Pod/shop/p${index}`)
}

test('what stands on others goes first', () => {
  const keys = ['ConfigMap/a/c', 'Deployment/a/d', 'Ingress/a/i', 'Secret/a/s', 'Service/a/v']
  expect(verdict({ leaving: leaving(keys) }).prune).toEqual([
    'Ingress/a/i',
    'Deployment/a/d',
    'Service/a/v',
    'Secret/a/s',
    'ConfigMap/a/c',
  ])
})

for (const { name, annotations, kept } of [
  { name: 'trireme', annotations: { 'trireme.dev/prune': 'disabled' }, kept: true },
  { name: 'flux', annotations: { 'kustomize.toolkit.fluxcd.io/prune': 'Disabled' }, kept: true },
  { name: 'argo', annotations: { 'argocd.argoproj.io/sync-options': 'Validate=false, Prune=false' }, kept: true },
  { name: 'helm', annotations: { 'helm.sh/resource-policy': 'keep' }, kept: true },
  { name: 'trireme enabled', annotations: { 'trireme.dev/prune': 'enabled' }, kept: false },
  { name: 'argo with another option', annotations: { 'argocd.argoproj.io/sync-options': 'Prune=true' }, kept: false },
] as { name: string; annotations: Labels; kept: boolean }[]) {
  test(`protection by annotation: ${name}`, () => {
    const result = verdict({ leaving: leaving(['Deployment/shop/web'], annotations) })
    expect(result.prune).toEqual(kept ? [] : ['Deployment/shop/web'])
    expect(result.held.map(({ kind }) => kind)).toEqual(kept ? ['protected'] : [])
  })
}

test('a protected object is told as such and not counted towards the ceiling', () => {
  const input = new Map([...leaving(pods(3)), ...leaving(['Pod/shop/kept'], { 'trireme.dev/prune': 'disabled' })])
  const result = verdict({ leaving: input, appliedCount: 4 })
  expect(result.prune).toHaveLength(3)
  expect(reasons(result)).toEqual(['protected Pod/shop/kept: its annotation trireme.dev/prune: disabled keeps it'])
})

test('pruning switched off keeps everything', () => {
  const result = verdict({ leaving: leaving(['Pod/shop/a']), config: { prune: false, maxShare: 1 } })
  expect(result.prune).toEqual([])
  expect(reasons(result)).toEqual(['disabled Pod/shop/a: pruning is off'])
})

for (const { leave, of, maxShare, goes } of [
  { leave: 3, of: 3, maxShare: 0.5, goes: true },
  { leave: 4, of: 7, maxShare: 0.5, goes: false },
  { leave: 4, of: 8, maxShare: 0.5, goes: true },
  { leave: 5, of: 9, maxShare: 0.5, goes: false },
  { leave: 4, of: 100, maxShare: 0, goes: false },
  { leave: 4, of: 4, maxShare: 1, goes: true },
]) {
  test(`ceiling: ${leave} of ${of} at ${maxShare} ${goes ? 'go' : 'stay'}`, () => {
    const result = verdict({ leaving: leaving(pods(leave)), appliedCount: of, config: { prune: true, maxShare } })
    expect(result.prune).toHaveLength(goes ? leave : 0)
    expect(result.held.map(({ kind }) => kind)).toEqual(goes ? [] : Array(leave).fill('ceiling'))
  })
}

for (const { revision, confirmed, goes } of [
  { revision: '87fc414a40be1a3c5b4da3e34b337277d572d374', confirmed: '87fc414', goes: true },
  { revision: '87fc414a40be1a3c5b4da3e34b337277d572d374', confirmed: '87fc415', goes: false },
  { revision: '87fc414a40be1a3c5b4da3e34b337277d572d374', confirmed: '', goes: false },
  { revision: 'folder-0975651e8cab', confirmed: '0975651e8cab', goes: true },
])
  test(`above the ceiling "${confirmed}" ${goes ? 'confirms' : 'does not confirm'} ${revision}`, () => {
    const config = { prune: true, maxShare: 0.5, confirmedRevision: confirmed }
    expect(verdict({ revision, leaving: leaving(pods(6)), appliedCount: 8, config }).prune).toHaveLength(goes ? 6 : 0)
  })

test('above the ceiling the operator confirms that very revision', () => {
  const confirmed = (confirmedRevision: string) =>
    verdict({ leaving: leaving(pods(6)), appliedCount: 8, config: { prune: true, maxShare: 0.5, confirmedRevision } })
  expect(confirmed('other').held[0]?.reason).toBe(
    '6 of 8 objects would be pruned, more than 50% at once; confirm revision new if that is meant',
  )
  expect(confirmed('new').prune).toHaveLength(6)
})

test('an allowed prune stays allowed while it goes on', () => {
  for (let gone = 0; gone <= 50; gone += 1)
    expect(verdict({ leaving: leaving(pods(50 - gone)), appliedCount: 100 - gone }).held).toEqual([])
})

test('nothing goes while a wanted workload is not healthy, or the revision is incomplete', () => {
  const input = { leaving: leaving(['Pod/shop/a']) }
  expect(reasons(verdict({ ...input, unhealthy: ['Deployment/shop/x', 'Deployment/shop/y', 'Deployment/shop/z'] }))).toEqual([
    'health Pod/shop/a: waits for health: Deployment/shop/x and 2 more are not healthy',
  ])
  expect(reasons(verdict({ ...input, incomplete: 'b.yaml is broken', unhealthy: ['Deployment/shop/x'] }))).toEqual([
    'incomplete Pod/shop/a: nothing is pruned while the revision is incomplete: b.yaml is broken',
  ])
})

test('a namespace goes after everything in it, and only then', () => {
  const both = verdict({ leaving: leaving(['Namespace//shop', 'Pod/shop/a']) })
  expect(both.prune).toEqual(['Pod/shop/a'])
  expect(reasons(both)).toEqual(['occupied Namespace//shop: waits until nothing is left in it: Pod/shop/a'])
  const used = verdict({
    leaving: leaving(['Namespace//shop']),
    present: new Set(['Namespace//shop', 'Pod/shop/a', 'Service/shop/b']),
  })
  expect(reasons(used)).toEqual(['occupied Namespace//shop: waits until nothing is left in it: Service/shop/b and 1 more'])
  expect(
    verdict({ leaving: leaving(['Namespace//shop']), present: new Set(['Namespace//shop', 'Pod/shopping/a']) }).prune,
  ).toEqual(['Namespace//shop'])
})

test('only workloads that Trireme runs are waited for', () => {
  const loaded = (object: object): LoadedObject => ({ object }) as unknown as LoadedObject
  expect(gatesPrune(loaded({ kind: 'Deployment', spec: {} }))).toBe(true)
  expect(gatesPrune(loaded({ kind: 'Job', body: {} }))).toBe(false)
  expect(gatesPrune(loaded({ kind: 'ConfigMap', data: {} }))).toBe(false)
})
