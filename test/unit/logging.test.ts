import { expect, test } from 'vitest'
import { createLogger } from '../../src/logging.ts'
import { createVault } from '../../src/runtime/vault.ts'

function capture(secrets: readonly string[] = [], level: 'info' | 'debug' = 'info') {
  const lines: string[] = []
  const vault = createVault(new Uint8Array(32))
  for (const secret of secrets) vault.put(secret, Buffer.from(secret))
  const logger = createLogger({
    level,
    base: { cluster: 'blue' },
    redact: vault.redactOwn,
    destination: { write: (line) => lines.push(line) },
    now: () => 1_767_225_600_000,
  })
  return { logger, lines, last: () => JSON.parse(lines.at(-1) ?? '') as Record<string, unknown> }
}

test('a line is JSON with time, level as a word, base fields and the cause', () => {
  const { logger, last } = capture()
  logger.info({ op: 'start', target: 'web-1/app', cause: 'missing replica' }, 'step')
  expect(last()).toEqual({
    level: 'info',
    time: '2026-01-01T00:00:00.000Z',
    cluster: 'blue',
    op: 'start',
    target: 'web-1/app',
    cause: 'missing replica',
    msg: 'step',
  })
})

test('lines below the level are not written', () => {
  const { logger, lines } = capture()
  logger.debug('quiet')
  expect(lines).toEqual([])
})

test('secrets are taken out wherever they are: messages, fields, errors, children', () => {
  const { logger, lines, last } = capture(['s3cr"et', 'longer-s3cr"et'])
  logger.info({ url: 'https://a:s3cr"et@host' }, 'used longer-s3cr"et')
  logger.error({ err: new Error('denied for s3cr"et') }, 'failed')
  logger.child({ who: 's3cr"et' }).warn('child')
  expect(lines.join('')).not.toMatch(/s3cr/)
  expect(last()).toMatchObject({ who: '[redacted]' })
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ msg: 'used [redacted]' })
})

test('fields that hold secrets by their name are taken out', () => {
  const { logger, last } = capture()
  logger.info({ password: 'x', auth: { username: 'ada', token: 'y' }, spec: { env: ['A=b'] } }, 'create')
  expect(last()).toMatchObject({ password: '[redacted]', auth: '[redacted]', spec: { env: '[redacted]' } })
})
