import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Engine, ExecStream } from '../../src/runtime/engine.ts'
import { errorOf, kindOf } from './kinds.ts'
import type { ContractLab } from './lab.ts'
import { commands, programs } from './programs.ts'

const bounds = { timeoutMs: 20_000, maxBytes: 1024 }

export function execContract(current: () => ContractLab): void {
  describe('processes in containers', () => {
    let engine: Engine
    let id: string
    beforeAll(async () => {
      engine = current().engine
      id = await current().start(programs.idle)
    })
    afterAll(() => current().removeContainers())

    test('exit code and output, both streams in order', async () => {
      expect(await engine.exec(id, commands.both, bounds)).toEqual({ exitCode: 3, output: 'hi\nno\n' })
    })

    test('output is cut at its bound', async () => {
      expect(await engine.exec(id, commands.flood, bounds)).toEqual({ exitCode: 0, output: 'x'.repeat(1024) })
    })

    test('a deadline ends the wait', async () => {
      expect(await kindOf(engine.exec(id, commands.sleep, { ...bounds, timeoutMs: 300 }))).toBe('timeout')
    })

    test('an abort ends the wait', async () => {
      const abort = new AbortController()
      const running = errorOf(engine.exec(id, commands.sleep, { ...bounds, signal: abort.signal }))
      abort.abort()
      expect((await running).message).toContain('cancelled')
    })

    test('a container that does not run', async () => {
      const created = await current().create(programs.idle)
      expect(await kindOf(engine.exec(created, commands.both, bounds))).toBe('conflict')
      expect(await kindOf(engine.exec('f'.repeat(64), commands.both, bounds))).toBe('notFound')
      expect(await kindOf(engine.execStream('f'.repeat(64), commands.echo))).toBe('notFound')
    })

    test('a stream carries bytes there and back, in order, more than any buffer holds', async () => {
      const stream = await engine.execStream(id, commands.echo)
      const sent = Array.from({ length: 64 }, (_, i) => String.fromCharCode(97 + (i % 26)).repeat(16 * 1024))
      const writing = (async () => {
        for (const piece of sent) await stream.write(piece)
      })()
      const received = await read(stream, sent.join('').length)
      await writing
      expect(received === sent.join('')).toBe(true)
      stream.close()
      expect(await ended(stream)).toBe('')
    })

    test('a stream whose process ends badly says why', async () => {
      const stream = await engine.execStream(id, commands.fail)
      const end = errorOf(ended(stream))
      await stream.write('go\n')
      expect((await end).kind).toBe('failed')
      expect((await end).message).toContain('code 4: broken')
      expect(await kindOf(stream.write('more\n'))).toBe('failed')
    })
  })
}

async function read(stream: ExecStream, length: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  const output = stream.output[Symbol.asyncIterator]()
  while (size < length) {
    const { value, done } = await output.next()
    if (done) break
    chunks.push(value)
    size += value.length
  }
  return Buffer.concat(chunks).toString()
}

async function ended(stream: ExecStream): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream.output) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
