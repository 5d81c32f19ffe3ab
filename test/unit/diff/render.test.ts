import { expect, test } from 'vitest'
import { causeOf, summarizeDiffs } from '../../../src/diff/explain.ts'
import { diffCluster, type ObjectDiff } from '../../../src/diff/objects.ts'
import { diffsJson, type RenderOptions, renderDiffs } from '../../../src/diff/render.ts'
import type { LoadedObject } from '../../../src/model/types/loaded.ts'
import type { ModelObject } from '../../../src/model/types/object.ts'

function diffs(
  key: string,
  lastApplied: object | undefined,
  desired: object | undefined,
  live: object | undefined,
): ObjectDiff[] {
  const [kind = '', namespace = '', name = ''] = key.split('/')
  const object = (fields: object) =>
    ({ apiVersion: 'v1', kind, metadata: { name, namespace }, ...fields }) as unknown as ModelObject
  const loaded = (fields: object | undefined) =>
    new Map<string, LoadedObject>(
      fields && [[key, { object: object(fields), origin: { file: 'app.yaml', line: 4, revision: 'r' }, unenforced: [] }]],
    )
  return diffCluster(loaded(lastApplied), loaded(desired), new Map(live && [[key, object(live)]]))
}

function rendered(key: string, sides: (object | undefined)[], options?: RenderOptions): string[] {
  return renderDiffs(diffs(key, sides[0], sides[1], sides[2]), options).split('\n')
}

const settings = 'ConfigMap/shop/settings'
const data = (values: object) => ({ data: values })

for (const { name, key = settings, sides, options, want } of [
  {
    name: 'nothing to do says nothing',
    sides: [data({ a: '1' }), data({ a: '1' }), data({ a: '1', theirs: '2' })],
    want: [''],
  },
  {
    name: 'values that change, each with its cause',
    sides: [data({ a: '1', b: '1', c: '1' }), data({ a: '2', b: '1', d: '4' }), data({ a: '1', b: '9', c: '1' })],
    want: [
      'update ConfigMap/shop/settings (app.yaml:4)',
      "  - data.a: '1'",
      "  + data.a: '2'  # changed in git",
      "  - data.b: '9'",
      "  + data.b: '1'  # drift: changed",
      "  - data.c: '1'  # removed from git",
      "  + data.d: '4'  # added in git",
    ],
  },
  {
    name: 'foreign values when asked for',
    sides: [data({ a: '1' }), data({ a: '1' }), data({ a: '1', theirs: 'x' })],
    options: { foreign: true },
    want: ['keep ConfigMap/shop/settings (app.yaml:4)', '  = data.theirs: x  # foreign: stays'],
  },
  {
    name: 'a new object in full',
    sides: [undefined, data({ a: '1' }), undefined],
    want: [
      'create ConfigMap/shop/settings (app.yaml:4): added in git',
      '  + apiVersion: v1',
      '  + data:',
      "  +   a: '1'",
      '  + kind: ConfigMap',
      '  + metadata:',
      '  +   name: settings',
      '  +   namespace: shop',
    ],
  },
  {
    name: 'long objects are cut and counted',
    sides: [data({ a: '1' }), undefined, data({ a: '1' })],
    options: { maxLines: 2 },
    want: [
      'delete ConfigMap/shop/settings (app.yaml:4): removed from git',
      '  - apiVersion: v1',
      '  - data:',
      '  … 5 more lines',
    ],
  },
  {
    name: 'an object removed behind the back of Git',
    sides: [data({}), data({}), undefined],
    options: { maxLines: 1 },
    want: ['drift ConfigMap/shop/settings (app.yaml:4): drift: removed', '  + apiVersion: v1', '  … 5 more lines'],
  },
  {
    name: 'a map that comes',
    key: 'Deployment/shop/web',
    sides: [
      { spec: { template: { spec: { containers: [{ name: 'a' }] } } } },
      { spec: { template: { spec: { containers: [{ name: 'a' }, { name: 'b', tty: true }] } } } },
      { spec: { template: { spec: { containers: [{ name: 'a' }] } } } },
    ],
    want: [
      'update Deployment/shop/web (app.yaml:4)',
      '  + spec.template.spec.containers[name=b]:  # added in git',
      '  +   name: b',
      '  +   tty: true',
    ],
  },
  {
    name: 'texts of several lines, line by line',
    sides: [data({ 'n.conf': 'a\nb\nc\n' }), data({ 'n.conf': 'a\nB\nc\n' }), data({ 'n.conf': 'a\nb\nc\n' })],
    want: [
      'update ConfigMap/shop/settings (app.yaml:4)',
      '  ~ data["n.conf"]:  # changed in git',
      '    @@ -1,3 +1,3 @@',
      '     a',
      '    -b',
      '    +B',
      '     c',
    ],
  },
  {
    name: 'long lines, around where they differ',
    sides: [data({ a: `${'x'.repeat(300)}1` }), data({ a: `${'x'.repeat(300)}2` }), data({ a: `${'x'.repeat(300)}1` })],
    want: [
      'update ConfigMap/shop/settings (app.yaml:4)',
      `  - data.a: …${'x'.repeat(40)}1 (301 characters)`,
      `  + data.a: …${'x'.repeat(40)}2 (301 characters)  # changed in git`,
    ],
  },
  {
    name: 'what would control a terminal is written out',
    sides: [data({ a: 'x\n' }), data({ a: 'x\n\u001b[2J\u202e\n' }), data({ a: 'x\n' })],
    want: [
      'update ConfigMap/shop/settings (app.yaml:4)',
      '  ~ data.a:  # changed in git',
      '    @@ -1,1 +1,2 @@',
      '     x',
      '    +\\u001b[2J\\u202e',
    ],
  },
  {
    name: 'secrets by name alone',
    key: 'Secret/shop/db',
    sides: [data({ user: 'd1', old: 'd2' }), data({ user: 'd3', new: 'd4' }), data({ user: 'd1', old: 'd2' })],
    want: [
      'update Secret/shop/db (app.yaml:4)',
      '  + data.new: (hidden)  # added in git',
      '  - data.old: (hidden)  # removed from git',
      '  ~ data.user: (hidden)  # changed in git',
    ],
  },
] as { name: string; key?: string; sides: (object | undefined)[]; options?: RenderOptions; want: string[] }[]) {
  test(`renderDiffs: ${name}`, () => expect(rendered(key, sides, options)).toEqual(want))
}

test('no digest and no copy of a Secret is shown, in text or JSON, whatever happens to it', () => {
  const secret = (digest: string) => ({
    metadata: { name: 'db', namespace: 'shop', annotations: { 'kubectl.kubernetes.io/last-applied-configuration': digest } },
    data: { 'pass.word': digest },
    stringData: digest,
  })
  const sides = [undefined, secret('digest-1'), secret('digest-2'), data({}), data({ 'pass.word': null })]
  for (const lastApplied of sides)
    for (const desired of sides)
      for (const live of sides) {
        const all = diffs('Secret/shop/db', lastApplied, desired, live)
        expect(renderDiffs(all, { foreign: true }) + JSON.stringify(diffsJson(all))).not.toContain('digest')
      }
})

test('JSON holds every difference with its three values and cause, and leaves absent ones out', () => {
  const json = diffsJson(diffs(settings, data({ a: '1' }), data({ a: '2' }), data({ a: '1', b: '3' })))
  expect(JSON.parse(JSON.stringify(json))).toEqual([
    {
      key: settings,
      change: 'update',
      origin: { file: 'app.yaml', line: 4, revision: 'r' },
      differences: [
        { path: 'data.a', lastApplied: '1', desired: '2', observed: '1', action: 'set', owner: 'git', cause: 'changed in git' },
        { path: 'data.b', observed: '3', action: 'keep', owner: 'foreign', cause: 'foreign: stays' },
      ],
    },
  ])
})

for (const { want, ...difference } of [
  { lastApplied: 1, desired: 2, observed: 3, action: 'set', owner: 'git', want: 'changed in git, and had drifted' },
  { lastApplied: undefined, desired: 2, observed: 3, action: 'set', owner: 'git', want: 'set in git, found otherwise' },
  { lastApplied: 1, desired: null, observed: 1, action: 'remove', owner: 'git', want: 'cleared in git' },
  { lastApplied: null, desired: null, observed: 1, action: 'remove', owner: 'drift', want: 'drift: set, though git clears it' },
  { lastApplied: 1, desired: 1, observed: undefined, action: 'set', owner: 'drift', want: 'drift: removed' },
] as const) {
  test(`causeOf: ${want}`, () => expect(causeOf({ path: 'a', ...difference })).toBe(want))
}

test('summarizeDiffs counts what happens', () => {
  expect(summarizeDiffs([])).toBe('no objects')
  const some = [
    ...diffs(settings, undefined, data({}), undefined),
    ...diffs(settings, data({ a: '1' }), data({ a: '2' }), data({ a: '1' })),
    ...diffs(settings, data({}), undefined, data({})),
    ...diffs(settings, data({ a: '1' }), data({ a: '1' }), data({ a: '2' })),
    ...diffs(settings, data({}), data({}), data({})),
  ]
  expect(summarizeDiffs(some)).toBe('1 to create, 1 to update, 1 to delete, 1 drifted, 1 unchanged')
})

test('texts that share nothing are counted, not compared', () => {
  const text = (word: string) => Array.from({ length: 2_000 }, (_, index) => `${word} ${index}`).join('\n')
  const lines = rendered(settings, [data({ a: text('a') }), data({ a: text('b') }), data({ a: text('a') })])
  expect(lines.slice(2)).toEqual(['    -(2000 lines)', '    +(2000 lines, too different to compare line by line)'])
})
