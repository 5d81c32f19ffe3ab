import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { createRouterLink, type RouterLink } from '../../../src/controller/routerlink.ts'
import type { ContainerView, Engine } from '../../../src/runtime/engine.ts'
import { FakeTimers, settled } from '../runtime/faketimers.ts'

interface Linked {
  readonly link: RouterLink
  readonly timers: FakeTimers
  readonly say: (line: string) => void
  /** the agent answers nothing from now on */
  readonly hush: () => void
}

/** A link to a router whose agent answers at once. */
async function linked(): Promise<Linked> {
  const timers = new FakeTimers()
  const output = new PassThrough()
  let mute = false
  const say = (line: string) => void output.write(`${line}\n`)
  const answers: Record<string, (id: string) => string> = {
    ping: (id) => `pong ${id}`,
    meta: (id) => `meta ${id} -`,
    check: (id) => `state ${id} same same`,
  }
  const write = async (data: string | Uint8Array) => {
    const [verb = '', id = ''] = data.toString().trim().split(' ')
    if (!mute) say(answers[verb]?.(id) ?? '')
  }
  const engine = { execStream: async () => ({ write, output, close: () => void output.end() }) } as unknown as Engine
  const link = createRouterLink({
    engine,
    serviceRange: '10.88.128.0/17',
    dnsAddress: '10.88.128.10',
    owner: 'first',
    timers,
    now: () => timers.now,
    changed: () => {},
  })
  link.sync({ id: 'router', state: 'running', startedAt: 1, labels: {}, networks: {} } as unknown as ContainerView)
  say('ready 1')
  await expect.poll(() => link.view().connected).toBe(true)
  const hush = () => {
    mute = true
  }
  return { link, timers, say, hush }
}

async function pass(timers: FakeTimers, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 500) {
    await timers.advance(500)
    for (let turn = 0; turn < 5; turn += 1) await settled()
  }
}

test('a daemon whose router answers is sure of it', async () => {
  const { link, timers } = await linked()
  await pass(timers, 60_000)
  expect([link.sure(), link.lockedBy()]).toEqual([true, ''])
})

test('a daemon that was held up is not sure of its router before it has an answer', async () => {
  const { link, timers } = await linked()
  // A process that is stopped and goes on: time has passed, and not one timer of it has fired yet.
  timers.now += 10_000
  expect(link.sure()).toBe(false)
  await pass(timers, 3_000)
  expect(link.sure()).toBe(true)
})

test('a daemon whose router says nothing is not sure of it', async () => {
  const { link, timers, hush } = await linked()
  await pass(timers, 3_000)
  hush()
  await pass(timers, 6_000)
  expect([link.sure(), link.view().connected]).toEqual([false, true])
})

test('a daemon that another one has taken over from says who, and is never sure again', async () => {
  const { link, timers, say } = await linked()
  timers.now += 10_000
  say('locked second')
  await expect.poll(link.lockedBy).toContain('second')
  expect([link.sure(), link.view().connected]).toEqual([false, false])
})
