import { describe, expect, test } from 'vitest'
import type { Manifest } from '../../../src/model/types/loaded.ts'
import { createRenderer, renderTree } from '../../../src/render/render.ts'
import type { Tools } from '../../../src/render/tools.ts'
import type { RenderOptions } from '../../../src/render/types.ts'
import { problemLines } from '../../support/manifests.ts'
import { treeOf } from '../../support/trees.ts'

const noTools: Tools = {
  kustomize: () => Promise.reject(new Error('kustomize was asked for')),
  helm: () => Promise.reject(new Error('helm was asked for')),
}
const config = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`
const origins = (manifests: readonly Manifest[]) => manifests.map(({ origin }) => `${origin.file}:${origin.line}`)
const render = (files: Record<string, string | Uint8Array>, options: RenderOptions = {}) =>
  renderTree(treeOf(files), options, noTools)

test('YAML and JSON at every depth, nothing else, and nothing hidden', async () => {
  const rendered = await render({
    '.github/x.yaml': config('hidden'),
    'a.yaml': config('a'),
    'b/c/d.yml': config('d'),
    'b/.e/f.yaml': config('hidden'),
    'g.json': JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'g' } }),
    'README.md': config('no'),
    'package.json': '{"name": "x"}',
    'tsconfig.json': '{ // comment\n}',
  })
  expect(origins(rendered.manifests)).toEqual(['a.yaml:1', 'b/c/d.yml:1', 'g.json:1'])
  expect(rendered.problems).toEqual([])
})

test('Lists are taken apart, each item with its own line', async () => {
  const list = `apiVersion: v1\nkind: List\nitems:\n- ${config('a').trim().replaceAll('\n', '\n  ')}\n- ${config('b').trim().replaceAll('\n', '\n  ')}\n`
  const { manifests } = await render({ 'list.yaml': list })
  expect(origins(manifests)).toEqual(['list.yaml:4', 'list.yaml:7'])
  expect(manifests[1]?.lineOf?.(['metadata', 'name'])).toBe(9)
})

test('files of other tools are left out with a notice', async () => {
  const rendered = await render({
    'docker-compose.yml': 'services: {web: {image: web}}',
    'skaffold.yaml': 'apiVersion: skaffold/v4beta1\nkind: Config',
    'a.yaml': config('a'),
  })
  expect(problemLines(rendered.problems)).toEqual(['docker-compose.yml:1 NotKubernetes!', 'skaffold.yaml:1 NotKubernetes!'])
  expect(rendered.brokenFiles).toEqual([])
})

test('a broken file is named and stops no other', async () => {
  const rendered = await render({
    'a.yaml': 'a: {',
    'b.yaml': config('b'),
    'c.yaml': Buffer.from([0x61, 0, 0x62]),
    'd.yaml': Buffer.from([0xff, 0xfe]),
  })
  expect(origins(rendered.manifests)).toEqual(['b.yaml:1'])
  expect(problemLines(rendered.problems)).toEqual(['a.yaml:1 BadYaml', 'c.yaml:1 BinaryFile', 'd.yaml:1 BinaryFile'])
  expect(rendered.brokenFiles).toEqual(['a.yaml', 'c.yaml', 'd.yaml'])
})

describe('too much is refused by name', () => {
  test('one file', async () => {
    const rendered = await render(
      { 'a.yaml': config('a'), 'b.yaml': config('b').padEnd(500, '#') },
      { limits: { fileBytes: 400 } },
    )
    expect(origins(rendered.manifests)).toEqual(['a.yaml:1'])
    expect(problemLines(rendered.problems)).toEqual(['b.yaml:1 TooLarge'])
  })

  test('all files together', async () => {
    const rendered = await render({ 'a.yaml': config('a'), 'b.yaml': config('b') }, { limits: { totalBytes: 60 } })
    expect(problemLines(rendered.problems)).toEqual(['b.yaml:1 TooLarge'])
    expect(rendered.brokenFiles).toEqual(['b.yaml'])
  })

  test('objects: nothing at all is applied', async () => {
    const rendered = await render({ 'a.yaml': config('a'), 'b.yaml': config('b') }, { limits: { objects: 1 } })
    expect(rendered.manifests).toEqual([])
    expect(rendered.brokenFiles).toEqual(['a.yaml', 'b.yaml'])
  })
})

test('what the source has refused is said, and never counts as deleted', async () => {
  const refused = [
    { path: 'link.yaml', reason: 'a symlink' },
    { path: 'docs/latest', reason: 'a symlink' },
  ]
  const rendered = await renderTree(treeOf({}, refused), {}, noTools)
  expect(problemLines(rendered.problems)).toEqual(['link.yaml:1 RefusedFile', 'docs/latest:1 RefusedFile!'])
  expect(rendered.brokenFiles).toEqual(['link.yaml', 'docs/latest'])
})

test('only the folder that is asked for', async () => {
  const files = { 'apps/web/a.yaml': config('a'), 'apps/api/b.yaml': config('b'), 'kustomization.yaml': 'resources: [apps]' }
  const rendered = await render(files, { path: 'apps/web/' })
  expect(origins(rendered.manifests)).toEqual(['apps/web/a.yaml:1'])
})

describe('the renderer remembers', () => {
  test('a tree that rendered well', async () => {
    const render = createRenderer(noTools)
    const tree = treeOf({ 'a.yaml': config('a') })
    expect(await render(tree, {})).toBe(await render(tree, {}))
    expect(await render(tree, { namespace: 'x' })).not.toBe(await render(tree, {}))
  })

  test('no failure', async () => {
    const render = createRenderer(noTools)
    const tree = treeOf({ 'a.yaml': 'a: {' })
    expect(await render(tree, {})).not.toBe(await render(tree, {}))
  })

  test('no more than the last few', async () => {
    const render = createRenderer(noTools, 1)
    const [a, b] = [treeOf({ 'a.yaml': config('a') }), treeOf({ 'b.yaml': config('b') })]
    const first = await render(a, {})
    await render(b, {})
    expect(await render(a, {})).not.toBe(first)
  })

  test('files that stay the same, whose documents keep their very bodies', async () => {
    const render = createRenderer(noTools)
    const before = await render(treeOf({ 'a.yaml': config('a'), 'b.yaml': config('b') }), {})
    const tree = treeOf({ 'a.yaml': config('a'), 'b.yaml': config('changed') })
    const after = await render({ ...tree, revision: { ...tree.revision, sha: 'r2' } }, {})
    expect(after.manifests[0]?.body).toBe(before.manifests[0]?.body)
    expect(after.manifests.map(({ origin }) => origin.revision)).toEqual(['r2', 'r2'])
    expect(after.manifests[1]?.body).toEqual({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'changed' } })
  })
})
