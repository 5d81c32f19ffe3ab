import { expect, test } from 'vitest'
import { type Engine, EngineError, type LogLine, type LogOptions } from '../../../src/runtime/engine.ts'
import { readTail } from '../../../src/runtime/tails.ts'

function engineSaying(lines: string[], error?: Error): Engine {
  async function* logs(_id: string, options: LogOptions): AsyncGenerator<LogLine> {
    if (error !== undefined) throw error
    for (const text of lines.slice(-(options.tail ?? lines.length))) yield { stream: 'stdout', timestamp: '', text }
  }
  return { logs } as unknown as Engine
}
const redact = (text: string): string => text.replaceAll('hunter2', '[redacted]')
const tail = (lines: string[], change: { lines?: number; maxLineBytes?: number } = {}) =>
  readTail({ engine: engineSaying(lines), containerId: 'c1', redact, ...change })

test('the last ten lines', async () => {
  const lines = Array.from({ length: 30 }, (_, i) => `line ${i}`)
  expect(await tail(lines)).toEqual(lines.slice(-10))
  expect(await tail(lines, { lines: 2 })).toEqual(['line 28', 'line 29'])
  expect(await tail([])).toEqual([])
})

for (const { name, line, maxLineBytes, want } of [
  { name: 'a secret', line: 'password hunter2!', maxLineBytes: 400, want: 'password [redacted]!' },
  { name: 'a secret at the cut', line: 'password hunter2', maxLineBytes: 12, want: 'password [re…' },
  { name: 'colours and control characters', line: '\u001b[31mred\u001b[0m\u0007 a\tb\r', maxLineBytes: 400, want: 'red a\tb' },
  { name: 'a cut within a character', line: 'aé€', maxLineBytes: 4, want: 'aé…' },
  { name: 'exactly as long as allowed', line: 'aé€', maxLineBytes: 6, want: 'aé€' },
]) {
  test(`a line with ${name}`, async () => expect(await tail([line], { maxLineBytes })).toEqual([want]))
}

test('no container, no words; other errors are told', async () => {
  const read = (error: Error) => readTail({ engine: engineSaying([], error), containerId: 'c1', redact })
  expect(await read(new EngineError('notFound', 'gone'))).toEqual([])
  await expect(read(new EngineError('unreachable', 'no answer'))).rejects.toThrow('no answer')
})
