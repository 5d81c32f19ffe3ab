import { expect, test } from 'vitest'
import { connect } from '../../../../src/runtime/docker/connect.ts'
import { kindOf } from '../../../contract/kinds.ts'
import { Answers, json } from '../../../support/answers.ts'

const ask = { op: 'info', subject: 'engine', method: 'GET', path: '/info' } as const

test('an engine that shuts down is unreachable at once, though it still answers on connections that are open', async () => {
  const answers = new Answers()
  answers.answer({ 'GET /info': json({ Name: 'n' }) })
  const connection = connect({ host: answers.host, timeoutMs: 1_000 })
  expect(await connection.json(ask)).toEqual({ Name: 'n' })
  answers.shutDown()
  // One finds the open connection free, the other needs a new one.
  const both = await Promise.all([connection.json(ask), kindOf(connection.json(ask))])
  expect(both).toEqual([{ Name: 'n' }, 'unreachable'])
  expect(await kindOf(connection.json(ask))).toBe('unreachable')
  await answers.close()
})
