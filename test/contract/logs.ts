import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Engine, LogLine, LogOptions } from '../../src/runtime/engine.ts'
import { kindOf } from './kinds.ts'
import type { ContractLab } from './lab.ts'
import { programs } from './programs.ts'

export function logContract(current: () => ContractLab): void {
  describe('logs', () => {
    let lab: ContractLab
    let engine: Engine
    beforeEach(() => {
      lab = current()
      engine = lab.engine
    })
    afterEach(() => lab.removeContainers())

    const lines = async (id: string, options: LogOptions = {}, signal?: AbortSignal): Promise<LogLine[]> => {
      const found: LogLine[] = []
      for await (const line of engine.logs(id, options, signal)) found.push(line)
      return found
    }
    const texts = (found: readonly LogLine[], stream: string) =>
      found.filter((line) => line.stream === stream).map(({ text }) => text)

    test('both streams of a dead container, each in order', async () => {
      const id = await lab.ended(programs.talk)
      const found = await lines(id)
      expect(texts(found, 'stdout')).toEqual(['one', 'two', 'three'])
      expect(texts(found, 'stderr')).toEqual(['oops'])
      expect(found.every(({ timestamp }) => timestamp === '')).toBe(true)
    })

    test('the tail, and since', async () => {
      const id = await lab.ended(programs.talk)
      expect(texts(await lines(id, { tail: 1 }), 'stdout')).toEqual(['three'])
      const stamped = await lines(id, { timestamps: true })
      const last = stamped.at(-1)!
      expect(last).toMatchObject({ stream: 'stdout', text: 'three' })
      expect(last.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/)
      expect(texts(await lines(id, { sinceMs: Date.parse(last.timestamp) }), 'stdout')).toEqual(['three'])
      expect(await lines(id, { sinceMs: Date.parse(last.timestamp) + 60_000 })).toEqual([])
    })

    test('a long line is one line, with and without timestamps', async () => {
      const id = await lab.ended(programs.talkLong)
      for (const timestamps of [false, true]) {
        const [line, ...rest] = await lines(id, { timestamps })
        expect(rest).toEqual([])
        expect(line!.text).toBe('x'.repeat(40_000))
      }
    })

    test('a terminal is one stream, and a line that is JSON stays a line', async () => {
      const id = await lab.ended(programs.talkJson, { tty: true })
      expect(await lines(id)).toEqual([{ stream: 'stdout', timestamp: '', text: '{"level":"info"}' }])
    })

    test('following ends with the container, and with the signal', async () => {
      const talker = await lab.start(programs.talk)
      expect(texts(await lines(talker, { follow: true }), 'stdout')).toEqual(['one', 'two', 'three'])
      const idle = await lab.start(programs.idle)
      const abort = new AbortController()
      const following = lines(idle, { follow: true }, abort.signal)
      abort.abort()
      expect(await following).toEqual([])
    })

    test('a container that never ran has none; one that is not there is notFound', async () => {
      expect(await lines(await lab.create(programs.talk))).toEqual([])
      expect(await kindOf(lines('f'.repeat(64)))).toBe('notFound')
    })
  })
}
