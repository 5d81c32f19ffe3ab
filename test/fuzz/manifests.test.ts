import fc from 'fast-check'
import { dump } from 'js-yaml'
import { describe, expect, test } from 'vitest'
import { FuzzCluster } from './cluster.ts'
import { applications, configs, demoTexts, documents } from './corpus.ts'
import { patienceMs, tryAll } from './fuzz.ts'
import { mutated, noise, oddText, torn } from './nasty.ts'

/** As JSON, which is YAML and keeps every key, or as a List. */
const written = (bodies: readonly unknown[]) => bodies.map((body) => `---\n${JSON.stringify(body)}\n`).join('')
const asList = (items: readonly unknown[]) => JSON.stringify({ apiVersion: 'v1', kind: 'List', items })

test('what the mutations start from is valid, and runs', async () => {
  const cluster = new FuzzCluster()
  const { problems, objects } = await cluster.commit({ 'all.yaml': written(documents) }, 12)
  expect(problems.filter(({ severity }) => severity !== 'notice')).toEqual([])
  expect(objects.size).toBeGreaterThan(12)
  expect(cluster.stage.running().length).toBeGreaterThan(2)
})

describe('a commit of anything is planned or refused, and never throws', () => {
  test(
    'single documents with values swapped, dropped, renamed and doubled',
    () =>
      tryAll(mutated(documents), 1500, async (body) => {
        await new FuzzCluster().commit({ 'a.yaml': written([body]), 'config.yaml': written(configs) }, 6)
      }),
    patienceMs,
  )

  test(
    'whole applications, and then the next commit',
    () =>
      tryAll(fc.tuple(mutated(applications, 2), mutated(applications, 6)), 150, async ([first, second]) => {
        const cluster = new FuzzCluster()
        for (const bodies of [first, second]) await cluster.commit({ 'a.yaml': Array.isArray(bodies) ? asList(bodies) : '{}' })
      }),
    patienceMs,
  )

  test(
    'torn text',
    () =>
      tryAll(torn(fc.constantFrom(...demoTexts, ...documents.map((body) => dump(body)))), 1000, async (text) => {
        await new FuzzCluster().commit({ 'a.yaml': text }, 2)
      }),
    patienceMs,
  )

  test(
    'bytes without meaning, under any name',
    () =>
      tryAll(
        fc.dictionary(fc.oneof(fc.constantFrom('a.yaml', 'b.json', 'x/y.yml', 'Chart.yaml/a'), oddText), noise),
        500,
        async (files) => {
          await new FuzzCluster().commit(files, 1)
        },
      ),
    patienceMs,
  )
})
