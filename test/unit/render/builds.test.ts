import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { isMap, mapAt, numberAt, type Raw, textAt } from '../../../src/model/raw.ts'
import { isRemote } from '../../../src/render/outside.ts'
import { renderTree } from '../../../src/render/render.ts'
import { findTools, type Tools } from '../../../src/render/tools.ts'
import type { Rendered, RenderOptions } from '../../../src/render/types.ts'
import { clearUnfinished, unfinishedIn } from '../../../src/render/unfinished.ts'
import { problemLines } from '../../support/manifests.ts'
import { tools, treeOf } from '../../support/trees.ts'

const config = (name: string) => `# a comment\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`
const render = (files: Record<string, string>, options: RenderOptions = {}, using: Tools = tools) =>
  renderTree(treeOf(files), options, using)
const names = (rendered: Rendered) =>
  rendered.manifests.map(({ body, origin }) => `${nameOf(body)} ${origin.file}:${origin.line}`)
const nameOf = (body: unknown) => (isMap(body) ? textAt(mapAt(body, 'metadata'), 'name') : '')

// The first use unpacks 60 MB each.
beforeAll(() => Promise.all([tools.kustomize(), tools.helm()]), 120_000)

describe('kustomize', () => {
  const base = { 'base/kustomization.yaml': 'resources: [a.yaml]', 'base/a.yaml': config('a') }
  const overlay = {
    ...base,
    'prod/kustomization.yaml': 'resources: [../base]\nnamePrefix: prod-\nconfigMapGenerator:\n- name: made\n  literals: [A=1]\n',
  }

  test('objects remember the files they came from, and bear no trace of it', async () => {
    const rendered = await render(overlay)
    expect(rendered.problems).toEqual([])
    expect(names(rendered).map((text) => text.replace(/-[a-z0-9]{10} /, ' '))).toEqual([
      'prod-a base/a.yaml:2',
      'prod-made prod/kustomization.yaml:1',
    ])
    expect(JSON.stringify(rendered.manifests)).not.toContain('config.kubernetes.io')
    expect(rendered.manifests[0]?.lineOf?.(['metadata', 'name'])).toBe(5)
  })

  test('only what no other takes in is built, and plain files beside are read', async () => {
    const rendered = await render({ ...overlay, 'other/b.yaml': config('b') })
    expect(names(rendered)[0]).toBe('b other/b.yaml:2')
    expect(rendered.manifests).toHaveLength(3)
  })

  test('the folder that is asked for may take in what is beside it', async () => {
    expect((await render(overlay, { path: 'prod' })).manifests).toHaveLength(2)
    expect(names(await render(overlay, { path: 'base' }))).toEqual(['a base/a.yaml:2'])
  })

  test('a Component alone is nothing', async () => {
    const rendered = await render({
      'c/kustomization.yaml': 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n',
      'c/p.yaml': config('p'),
    })
    expect(rendered).toEqual({ manifests: [], problems: [], brokenFiles: [] })
  })

  test('a failed build names its kustomization, and nothing of the tree counts as deleted', async () => {
    const rendered = await render({ 'kustomization.yaml': 'resources: [nowhere.yaml]', 'a.yaml': config('a') })
    expect(problemLines(rendered.problems)).toEqual(['kustomization.yaml:1 KustomizeFailed'])
    expect(rendered.problems[0]?.message).toContain('nowhere.yaml')
    expect(rendered.problems[0]?.message).not.toContain(tmpdir())
    expect(rendered.brokenFiles).toEqual(['kustomization.yaml', 'a.yaml'])
  })

  test.each([
    ['https://example.com/a.yaml', 'RemoteBase'],
    ['github.com/owner/repo//base?ref=v1', 'RemoteBase'],
    ['git::https://example.com/repo', 'RemoteBase'],
    ['git@example.com:owner/repo', 'RemoteBase'],
    ['../../outside', 'PathEscape'],
    ['x/../../../outside', 'PathEscape'],
    ['/etc', 'PathEscape'],
  ])('%s is refused before anything runs', async (reference, code) => {
    const never: Tools = { kustomize: () => Promise.reject(new Error('ran')), helm: tools.helm }
    const files = {
      'kustomization.yaml': 'resources: [base]',
      'base/kustomization.yaml': `namePrefix: x-\nresources:\n- ${reference}\n`,
    }
    const rendered = await render(files, {}, never)
    expect(problemLines(rendered.problems)).toEqual([`base/kustomization.yaml:3 ${code}`])
    expect(rendered.brokenFiles).toEqual(Object.keys(files))
  })

  test('a file from elsewhere in a generator is refused, an address in a literal is not', async () => {
    const generator = (entry: string) => ({ 'kustomization.yaml': `configMapGenerator:\n- name: c\n  ${entry}\n` })
    expect(problemLines((await render(generator('files: ["https://example.com/x"]'))).problems)).toEqual([
      'kustomization.yaml:3 RemoteBase',
    ])
    expect(
      (await render(generator('literals: ["https://example.com/=x"]'))).problems.filter(({ code }) => code === 'RemoteBase'),
    ).toEqual([])
  })
})

test.each([
  ['https://x/y', true],
  ['ssh://git@x/y', true],
  ['github.com/a/b', true],
  ['org-1@github.com:a/b', true],
  ['../base?ref=x', true],
  ['../base', false],
  ['apps/github.com', false],
  ['deployment.yaml', false],
])('isRemote(%s) is %s', (text, want) => expect(isRemote(text)).toBe(want))

describe('helm', () => {
  const chart = {
    'Chart.yaml': 'apiVersion: v2\nname: demo\nversion: 0.1.0\n',
    'values.yaml': 'replicas: 2\n',
    'prod.yaml': 'replicas: 5\n',
    'templates/web.yaml':
      'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\n  namespace: {{ .Release.Namespace }}\nspec:\n  replicas: {{ .Values.replicas }}\n',
    'templates/deep/c.yaml': config('c'),
    'templates/tests/t.yaml': 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: t\n  annotations: {helm.sh/hook: test}\n',
  }

  test('with the name of the source, the namespace and the values that are asked for', async () => {
    const rendered = await render(chart, { name: 'My Shop', namespace: 'shop', valuesFiles: ['prod.yaml'] })
    expect(rendered.problems).toEqual([])
    expect(names(rendered)).toEqual(['c templates/deep/c.yaml:1', 'my-shop templates/web.yaml:1'])
    const body = rendered.manifests[1]?.body as Raw
    expect(textAt(mapAt(body, 'metadata'), 'namespace')).toBe('shop')
    expect(numberAt(mapAt(body, 'spec'), 'replicas')).toBe(5)
  })

  test('in a sub-folder, under the name of the chart', async () => {
    const below = Object.fromEntries(Object.entries(chart).map(([path, text]) => [`charts/demo/${path}`, text]))
    const rendered = await render({ ...below, 'a.yaml': config('a') }, { name: 'shop' })
    expect(names(rendered)).toEqual([
      'a a.yaml:2',
      'c charts/demo/templates/deep/c.yaml:1',
      'demo charts/demo/templates/web.yaml:1',
    ])
  })

  test.each([
    ['a template that fails', { 'templates/bad.yaml': '{{ .Values.a.b }}' }, {}],
    [
      'a dependency that is not there',
      { 'Chart.yaml': `${chart['Chart.yaml']}dependencies: [{name: db, version: 1.0.0, repository: "https://example.com"}]\n` },
      {},
    ],
    ['a values file that is not there', {}, { valuesFiles: ['nope.yaml'] }],
    ['a values file outside', {}, { valuesFiles: ['../../etc/passwd'] }],
  ])('%s', async (_, files, options) => {
    const rendered = await render({ ...chart, ...files }, options)
    expect(problemLines(rendered.problems)).toEqual(['Chart.yaml:1 HelmFailed'])
    expect(rendered.manifests).toEqual([])
    expect(rendered.brokenFiles).toContain('templates/web.yaml')
  })
})

describe('builds on disk', () => {
  let cacheDir = ''
  beforeAll(async () => {
    cacheDir = await mkdtemp(join(tmpdir(), 'trireme-test-'))
  })
  afterAll(() => rm(cacheDir, { recursive: true }))

  test('are kept by content, and failures are not', async () => {
    let builds = 0
    const counting: Tools = {
      helm: tools.helm,
      kustomize: () => {
        builds += 1
        return tools.kustomize()
      },
    }
    const files = { 'kustomization.yaml': 'resources: [a.yaml]', 'a.yaml': config('a') }
    const first = await render(files, { cacheDir }, counting)
    const second = await render(files, { cacheDir }, counting)
    expect(builds).toBe(1)
    expect(names(second)).toEqual(names(first))
    await render({ ...files, 'a.yaml': config('b') }, { cacheDir }, counting)
    expect(builds).toBe(2)
    await render({ 'kustomization.yaml': 'resources: [no.yaml]' }, { cacheDir }, counting)
    expect(await kept()).toHaveLength(2)
  })

  const kept = async () => (await readdir(cacheDir)).filter((name) => name.endsWith('.yaml'))

  test('do not grow without bound: those of the last two revisions stay', async () => {
    for (const value of ['c', 'd', 'e', 'f'])
      await render({ 'kustomization.yaml': 'resources: [a.yaml]', 'a.yaml': config(value) }, { cacheDir })
    expect(await kept()).toHaveLength(2)
  })

  test('and the private copies of a daemon that was killed in the middle are gone with the next one', async () => {
    const hung = join(cacheDir, 'hung')
    await writeFile(hung, '#!/bin/sh\nexec /bin/sleep 60\n', { mode: 0o755 })
    const slow: Tools = { helm: tools.helm, kustomize: async () => [hung] }
    const files = { 'kustomization.yaml': 'resources: [a.yaml]', 'a.yaml': config('g') }
    const rendering = render(files, { cacheDir, timeoutMs: 500 }, slow)
    await vi.waitFor(async () => expect(await readdir(unfinishedIn(cacheDir))).toHaveLength(1))
    clearUnfinished(cacheDir)
    expect(await readdir(cacheDir)).not.toContain('unfinished')
    await rendering
  })
})

test('a tool that is nowhere is asked for by name', async () => {
  const none = findTools({ cacheDir: tmpdir(), path: '/nonexistent', archive: '/nonexistent.zip' })
  const rendered = await render({ 'kustomization.yaml': 'resources: []' }, {}, none)
  expect(rendered.problems[0]?.message).toMatch(/kustomize is needed and was not found.*install kustomize/)
})

test('a build that takes too long is stopped', async () => {
  const slow: Tools = { helm: tools.helm, kustomize: () => Promise.resolve(['/bin/sh', '-c', 'exec /bin/sleep 60']) }
  const rendered = await render({ 'kustomization.yaml': 'resources: []' }, { timeoutMs: 50 }, slow)
  expect(rendered.problems[0]?.message).toBe('kustomize: it took more than 50 ms')
})
