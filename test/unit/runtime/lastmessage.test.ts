import { expect, test } from 'vitest'
import { packFiles } from '../../../src/runtime/archive.ts'
import { type Engine, EngineError, type LogLine, type LogOptions } from '../../../src/runtime/engine.ts'
import { readMessage } from '../../../src/runtime/lastmessage.ts'

interface Left {
  readonly file?: string | Uint8Array
  readonly log?: readonly string[]
  readonly error?: Error
}

const redact = (text: string): string => text.replaceAll('hunter2', '[redacted]')

/** What is told of a container that has left a file at its path and a log. */
async function message(left: Left, source = { path: '/tmp/message', fromLog: false }): Promise<string> {
  async function* logs(_id: string, { tail = 0 }: LogOptions): AsyncGenerator<LogLine> {
    for (const text of (left.log ?? []).slice(-tail)) yield { stream: 'stdout', timestamp: '', text }
  }
  const getArchive = async (_id: string, path: string): Promise<Uint8Array> => {
    if (left.error !== undefined) throw left.error
    if (left.file === undefined || path !== '/tmp/message') throw new EngineError('notFound', 'no such file')
    return packFiles([{ path: 'message', mode: 0o644, bytes: Buffer.from(left.file) }], { gid: 0 })
  }
  return readMessage({ logs, getArchive } as unknown as Engine, 'c1', source, redact)
}

const log = Array.from({ length: 100 }, (_, index) => `line ${index}`)
const fromLog = { path: '/tmp/message', fromLog: true }

for (const { name, left, source, want } of [
  { name: 'the file', left: { file: 'no space left\n' }, want: 'no space left' },
  { name: 'several lines of it, without terminal commands', left: { file: 'a\n\u001b[31mb\u001b[0m\u0007\n' }, want: 'a\nb' },
  { name: 'without the secrets in it', left: { file: 'password hunter2' }, want: 'password [redacted]' },
  {
    name: 'the end of a long one, and half a secret is none',
    left: { file: `hunter2${'x'.repeat(4095)}` },
    want: `]${'x'.repeat(4095)}`,
  },
  { name: 'whole characters of it', left: { file: `é${'x'.repeat(4095)}` }, want: 'x'.repeat(4095) },
  { name: 'nothing where there is no file', left: { log }, want: '' },
  { name: 'the file before the log', left: { file: 'said', log }, source: fromLog, want: 'said' },
  {
    name: 'the last 80 lines of the log where the file says nothing',
    left: { file: '\n', log },
    source: fromLog,
    want: log.slice(-80).join('\n'),
  },
  {
    name: 'not more than 2 KiB of the log',
    left: { log: ['x'.repeat(1500), 'y'.repeat(1500)] },
    source: fromLog,
    want: `${'x'.repeat(547)}\n${'y'.repeat(1500)}`,
  },
  {
    name: 'nothing from /dev, which is gone with the container',
    left: { error: new Error('asked') },
    source: { path: '/dev/termination-log', fromLog: false },
    want: '',
  },
])
  test(`a message is ${name}`, async () => expect(await message(left, source)).toBe(want))

test('other errors of the engine are told', async () => {
  await expect(message({ error: new EngineError('unreachable', 'no answer') })).rejects.toThrow('no answer')
})
