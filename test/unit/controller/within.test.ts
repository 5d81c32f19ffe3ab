/** What has to be so in the volumes of a pod when one of its containers is made or started. */
import { describe, expect, test } from 'vitest'
import { runStep, type StepSite } from '../../../src/controller/steps.ts'
import type { Place, Step } from '../../../src/reconcilers/plan.ts'
import { FakeTimers } from '../runtime/faketimers.ts'

const place: Place = {
  volume: 'v',
  folder: '/trireme/data',
  parts: ['a b', 'c'],
  guarded: true,
  own: { gid: 7, onMismatch: true },
}

async function start(writers: readonly string[], answer = { exitCode: 0, output: '' }): Promise<unknown[]> {
  const asked: unknown[] = []
  const site = {
    engine: {
      startContainer: async (container: string) => void asked.push(['start', container]),
      exec: async (container: string, [, , , , ...words]: readonly string[]) => {
        asked.push([container, ...words])
        return answer
      },
    },
    writersAbove: () => writers,
    refresh: async () => {},
  } as unknown as StepSite
  const step = { node: 'n', target: 't', cause: 'c', op: 'start', container: 'app', within: { sandbox: 'pod', places: [place] } }
  await runStep(step as Step, site, { vault: {} as never, timers: new FakeTimers(), now: () => 0 })
  return asked
}

describe('a container with a part of a volume', () => {
  test('is started right after its places were seen to', async () => {
    expect(await start([])).toEqual([
      ['pod', '/trireme/data', '7', 'yes', 'a b', 'c'],
      ['start', 'app'],
    ])
  })

  test('is not started while another one could exchange it', async () => {
    await expect(start(['writer'])).rejects.toThrow('container writer can write to the folder above the subPath a b')
  })

  test('is not started when its place cannot be had', async () => {
    await expect(start([], { exitCode: 3, output: 'a link is in the way\n' })).rejects.toThrow(
      'volume data cannot be prepared: a link is in the way',
    )
  })
})
