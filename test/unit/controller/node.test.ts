/** What a node keeps of its containers, and forgets with them, on the simulated engine. */
import { expect, onTestFinished, test } from 'vitest'
import { startNode } from '../../../src/controller/node.ts'
import { LABEL, SANDBOX } from '../../../src/reconcilers/names.ts'
import { bench, config } from '../../simulation/engine/bench.ts'
import { cluster } from '../../support/world.ts'

const labels = { [LABEL.cluster]: 'test', [LABEL.owner]: 'Deployment/shop/web', [LABEL.role]: 'pod' }

async function start(output: readonly string[] = []) {
  let runs = 0
  const { engine, time } = bench({
    programs: (_, run) => ({
      output: [{ afterMs: 0, stream: 'stdout', text: `${output[run] ?? runs++}\n` }],
    }),
  })
  const changed: (readonly string[] | 'all')[] = []
  const node = await startNode({
    engine,
    cluster: cluster(),
    owner: 'me',
    seccompRoot: '/nowhere',
    timers: time,
    now: () => time.now,
    redact: (text) => text,
    knows: () => true,
    changed: (keys) => changed.push(keys),
    failed: (what, error) => {
      throw new Error(what, { cause: error })
    },
  })
  onTestFinished(() => void node.stop())
  await time.advance(0)
  return { engine, time, node, changed }
}

test('whose container has changed is told with its owner', async () => {
  const { engine, time, changed } = await start()
  changed.length = 0
  await engine.createContainer(config('web', { labels }))
  await time.advance(0)
  expect(changed).toEqual([['Node//alpha', 'Deployment/shop/web']])
})

test('files that were read back are told when they differ from what was known', async () => {
  const { node } = await start()
  const read = ['1', '1', '2'].map((digest) => node.filesRead('conf', { a: digest }))
  expect(read).toEqual([true, false, true])
})

test('files of a sandbox that started anew are not known any more, for they were kept in memory', async () => {
  const { engine, time, node } = await start()
  const mount = { type: 'volume', source: 'conf', target: '/conf', readOnly: false } as const
  await engine.createVolume({ name: 'conf', driver: 'local', labels: {}, driverOpts: {} })
  const id = await engine.createContainer(
    config('pod', { labels: { ...labels, [LABEL.containerName]: SANDBOX }, mounts: [mount] }),
  )
  await engine.startContainer(id)
  await time.advance(0)
  node.filesRead('conf', { a: '1' })
  await time.advance(1_000)
  engine.world.exit(id, 0)
  await engine.startContainer(id)
  await time.advance(0)
  expect(node.view().files.has('conf')).toBe(false)
})

test('rules of an edge that started anew are waited for again', async () => {
  const { engine, time, node } = await start()
  const id = await engine.createContainer(config('edge', { labels: { ...labels, [LABEL.role]: 'edge' } }))
  await engine.startContainer(id)
  await time.advance(0)
  node.site.hooks.add('edge')
  await time.advance(1_000)
  engine.world.exit(id, 0)
  await engine.startContainer(id)
  await time.advance(0)
  expect(node.hooks.has('edge')).toBe(false)
})

test('the last words of a container are those of its last run', async () => {
  const { engine, time, node } = await start(['first', 'second'])
  const id = await engine.createContainer(config('web', { labels }))
  const words: (readonly string[])[] = []
  for (const _ of ['first', 'second']) {
    await engine.startContainer(id)
    await time.advance(1_000)
    engine.world.exit(id, 1)
    await time.advance(0)
    node.tail(id, [])
    await time.advance(1_000)
    words.push(node.tail(id, []).slice(-1))
  }
  expect(words).toEqual([['first'], ['second']])
})
