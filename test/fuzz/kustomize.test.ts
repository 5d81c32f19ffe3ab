import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { dump } from 'js-yaml'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { layoutOf } from '../../src/render/layout.ts'
import { outsideReferences } from '../../src/render/outside.ts'
import { renderTree } from '../../src/render/render.ts'
import { defaultLimits } from '../../src/render/types.ts'
import { load } from '../support/manifests.ts'
import { tools, treeOf } from '../support/trees.ts'
import { patienceMs, tryAll, withinASecond } from './fuzz.ts'
import { mutated, noise, oddText, torn } from './nasty.ts'

const canary = 'canary-of-this-machine'
const outside = mkdtempSync(join(tmpdir(), 'trireme-outside-'))
writeFileSync(join(outside, 'secret.yaml'), `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${canary}}\n`)
writeFileSync(join(outside, 'kustomization.yaml'), 'resources: [secret.yaml]\n')
afterAll(() => rmSync(outside, { recursive: true }))

// The first use unpacks 60 MB.
beforeAll(() => Promise.all([tools.kustomize(), tools.helm()]), 120_000)

const reference = fc.oneof(
  fc.constantFrom(
    'a.yaml',
    '../base',
    './',
    '.',
    '..',
    '../..',
    '../../../../../../../../etc',
    outside,
    `${outside}/secret.yaml`,
    `file://${outside}`,
    `../../../../../../..${outside}`,
    'https://127.0.0.1:1/x',
    'github.com/x/y',
    'git@127.0.0.1:x/y',
    'ssh://127.0.0.1:1/x?ref=y',
    'git::file:///etc',
    'missing.yaml',
  ),
  oddText,
)

const kustomization = fc.oneof(
  mutated(
    [
      {
        resources: ['a.yaml', '../base'],
        namePrefix: 'p-',
        patches: [{ patch: '- {op: add, path: /metadata/labels, value: {a: b}}', target: { kind: 'ConfigMap' } }],
        configMapGenerator: [{ name: 'made', files: ['a.yaml'], literals: ['A=1'] }],
        images: [{ name: 'web', newTag: '2' }],
        replacements: [{ source: { kind: 'ConfigMap', name: 'a' }, targets: [] }],
      },
    ],
    3,
  ).map((body) => JSON.stringify(body) ?? ''),
  fc
    .record({
      resources: fc.array(reference, { maxLength: 3 }),
      components: fc.array(reference, { maxLength: 1 }),
      generators: fc.array(reference, { maxLength: 1 }),
      configMapGenerator: fc.array(
        fc.record({
          name: fc.constant('x'),
          files: fc.array(reference, { maxLength: 2 }),
          envs: fc.array(reference, { maxLength: 1 }),
        }),
        { maxLength: 1 },
      ),
      patches: fc.array(fc.record({ path: reference }), { maxLength: 1 }),
      helmCharts: fc.array(fc.record({ name: fc.constant('x'), repo: reference }), { maxLength: 1 }),
    })
    .map((body) => dump(body)),
  torn(fc.constant('resources:\n- a.yaml\n- ../base\nnameSuffix: -x\n')),
)

const trees = fc
  .record({ top: kustomization, base: kustomization, extra: noise, deep: fc.boolean() })
  .map(({ top, base, extra, deep }) => ({
    'top/kustomization.yaml': top,
    'top/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
    'base/kustomization.yaml': base,
    [deep ? 'base/x/y/z.yaml' : 'base/b.yaml']: extra,
  }))

test(
  'a tree with any kustomizations is built, or refused by name, and nothing outside of it is read',
  () =>
    tryAll(trees, 30, async (files) => {
      const tree = treeOf(files)
      const rendered = await renderTree(tree, { timeoutMs: 10_000 }, tools)
      expect(JSON.stringify(rendered.manifests)).not.toContain(canary)
      for (const { file, line, code, message } of rendered.problems) {
        expect(file).not.toBe('')
        expect(line).toBeGreaterThan(0)
        expect(code).not.toBe('')
        expect(message.length).toBeLessThan(30_000)
      }
      load(rendered.manifests)
    }),
  patienceMs,
)

test(
  'which files belong to what is told for any tree, and its references are followed to an end',
  () =>
    tryAll(
      fc.dictionary(
        fc.constantFrom(
          'kustomization.yaml',
          'a/kustomization.yml',
          'a/b/Kustomization',
          'a/Chart.yaml',
          'c/Chart.yaml',
          'c/kustomization.yaml',
          'x.yaml',
        ),
        kustomization,
      ),
      500,
      (files) => {
        const { files: all } = treeOf(files)
        const layout = layoutOf(all, defaultLimits)
        for (const build of layout.kustomizations) outsideReferences(build, layout.kustomizations, all, defaultLimits)
        expect(layout.builds.length + layout.charts.length + layout.plain.length).toBeLessThanOrEqual(all.length)
      },
    ),
  patienceMs,
)

test('a tree of many folders costs as much as it has files', () =>
  withinASecond(() => {
    const files = Object.fromEntries(
      Array.from({ length: 5000 }, (_, at) => [
        [`k${at}/kustomization.yaml`, ''],
        [`c${at}/Chart.yaml`, ''],
        [`p${at}/a.yaml`, ''],
      ]).flat(),
    )
    expect(layoutOf(treeOf(files).files, defaultLimits).plain).toHaveLength(5000)
  }))
