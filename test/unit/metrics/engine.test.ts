import { expect, test } from 'vitest'
import { timedEngine } from '../../../src/metrics/engine.ts'
import { type Engine, EngineError } from '../../../src/runtime/engine.ts'

/** An engine with private state, as the real one has, and the calls told of it. */
function setup() {
  class Fake {
    readonly node = 'alpha'
    #started: string[] = []
    async startContainer(id: string) {
      if (id === '') throw new EngineError('notFound', 'no such container')
      this.#started.push(id)
    }
    async *logs() {
      yield this.#started.length
    }
    started() {
      return this.#started
    }
  }
  const fake = new Fake()
  const told: string[] = []
  let now = 0
  const engine = timedEngine(
    fake as unknown as Engine,
    { engineCall: (node, op, result, seconds) => told.push(`${node} ${op} ${result} ${seconds}`) },
    () => {
      now += 250
      return now
    },
  )
  return { engine, fake, told }
}

test('calls are timed by name and result, and answer as before', async () => {
  const { engine, fake, told } = setup()
  await engine.startContainer('c')
  expect(fake.started()).toEqual(['c'])
  await expect(engine.startContainer('')).rejects.toThrow('no such container')
  expect(told).toEqual(['alpha startContainer ok 0.25', 'alpha startContainer failed 0.25'])
  expect(engine.node).toBe('alpha')
})

test('streams are not timed', async () => {
  const { engine, told } = setup()
  for await (const line of engine.logs('c', {})) expect(line).toBe(0)
  expect(told).toEqual([])
})
