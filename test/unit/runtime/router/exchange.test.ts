import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { RouterError } from '../../../../src/runtime/router/error.ts'
import { type Exchange, openExchange } from '../../../../src/runtime/router/exchange.ts'

interface Setup {
  readonly exchange: Exchange
  readonly written: string[]
  readonly ends: RouterError[]
  /** what the agent says */
  readonly say: (text: string) => void
  readonly hangUp: () => void
  /** lets every running timer fire */
  readonly pass: () => void
}

function setup(): Setup {
  const output = new PassThrough()
  const written: string[] = []
  const ends: RouterError[] = []
  const timers = new Set<() => void>()
  const stream = {
    write: async (data: string | Uint8Array) => void written.push(data.toString()),
    output,
    close: () => void output.end(),
  }
  const exchange = openExchange(stream, {
    timeoutMs: 500,
    startTimer: (_delayMs, fire) => {
      timers.add(fire)
      return () => timers.delete(fire)
    },
    onEnd: (error) => ends.push(error),
  })
  const pass = () => {
    for (const fire of timers) fire()
  }
  return { exchange, written, ends, say: (text) => output.write(text), hangUp: () => output.end(), pass }
}

async function greeted(): Promise<Setup> {
  const made = setup()
  made.say('ready 1\n')
  expect(await made.exchange.greeting()).toBe('ready 1')
  return made
}

const ping = (id: number) => `ping ${id}\n`

describe('openExchange', () => {
  test('answers in order, one request at a time, whatever the pieces they come in', async () => {
    const { exchange, written, say } = await greeted()
    const both = Promise.all([exchange.ask(ping), exchange.ask((id) => `check ${id}\n`)])
    await expect.poll(() => written).toEqual(['ping 1\n'])
    say('po')
    say('ng 1\nsta')
    await expect.poll(() => written).toEqual(['ping 1\n', 'check 2\n'])
    say('te 2 same drift\n')
    expect(await both).toEqual([['pong'], ['state', 'same', 'drift']])
  })

  test('no answer in time: timeout, told once, and nothing can be asked after it', async () => {
    const { exchange, written, ends, pass } = await greeted()
    const asked = exchange.ask(ping)
    await expect.poll(() => written.length).toBe(1)
    pass()
    await expect(asked).rejects.toMatchObject({ kind: 'timeout' })
    await expect(exchange.ask(ping)).rejects.toMatchObject({ kind: 'timeout' })
    expect(ends.map(({ kind }) => kind)).toEqual(['timeout'])
  })

  test('the stream ends: lost, told once', async () => {
    const { exchange, ends, hangUp } = await greeted()
    const asked = exchange.ask(ping)
    hangUp()
    await expect(asked).rejects.toMatchObject({ kind: 'lost' })
    expect(ends.map(({ kind }) => kind)).toEqual(['lost'])
  })

  test('an answer to something else: lost', async () => {
    const { exchange, written, say } = await greeted()
    const asked = exchange.ask(ping)
    await expect.poll(() => written.length).toBe(1)
    say('pong 7\n')
    await expect(asked).rejects.toMatchObject({ kind: 'lost', message: expect.stringContaining('pong 7') })
  })

  test('another daemon has taken over: locked, told once with who it is, whatever was asked', async () => {
    const { exchange, written, ends, say } = await greeted()
    const asked = exchange.ask(ping)
    await expect.poll(() => written.length).toBe(1)
    say('locked the second daemon\n')
    await expect(asked).rejects.toMatchObject({ kind: 'locked', message: expect.stringContaining('the second daemon') })
    expect(ends.map(({ kind }) => kind)).toEqual(['locked'])
  })

  test('a request that cannot be made sends nothing, and the next one is served', async () => {
    const { exchange, written, say } = await greeted()
    const impossible = exchange.ask(() => {
      throw new RangeError('too large')
    })
    await expect(impossible).rejects.toThrow('too large')
    const asked = exchange.ask(ping)
    await expect.poll(() => written).toEqual(['ping 2\n'])
    say('pong 2\n')
    expect(await asked).toEqual(['pong'])
  })

  test('closed on purpose: what is asked fails, and nobody is told', async () => {
    const { exchange, ends } = await greeted()
    const asked = exchange.ask(ping)
    exchange.close()
    await expect(asked).rejects.toMatchObject({ kind: 'lost' })
    expect(ends).toEqual([])
  })
})
