import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Engine, EngineEvent } from '../../src/runtime/engine.ts'
import type { ContractLab } from './lab.ts'
import { programs } from './programs.ts'

export function eventContract(current: () => ContractLab): void {
  describe('events', () => {
    let lab: ContractLab
    let engine: Engine
    beforeEach(() => {
      lab = current()
      engine = lab.engine
    })
    afterEach(() => lab.removeContainers())

    /** Events from the subscription on, up to the first that `last` accepts; `during` runs once subscribed. */
    const collect = async (during: () => Promise<unknown>, last: (event: EngineEvent) => boolean): Promise<EngineEvent[]> => {
      const abort = new AbortController()
      const found: EngineEvent[] = []
      let running: Promise<unknown> | undefined
      for await (const event of engine.events(0, abort.signal)) {
        found.push(event)
        running ??= during()
        if (last(event)) abort.abort()
      }
      await running
      return found
    }

    test('the subscription comes first, then the life of a container in order', async () => {
      const config = lab.config(programs.idle, { labels: { role: 'web' } })
      let id = ''
      const found = await collect(
        async () => {
          id = await engine.createContainer(config)
          await engine.startContainer(id)
          await engine.stopContainer(id, 5)
          await engine.removeContainer(id)
        },
        (event) => event.action === 'destroy' && event.id === id,
      )
      expect(found[0]).toMatchObject({ type: 'other', action: 'subscribed' })
      const own = found.filter((event) => event.type === 'container' && event.id === id)
      const told = own.map(({ action }) => action).filter((action) => ['create', 'start', 'die', 'destroy'].includes(action))
      expect(told).toEqual(['create', 'start', 'die', 'destroy'])
      expect(own[0]!.attributes).toMatchObject({ role: 'web', name: config.name })
      expect(own[0]!.timeMs).toBeGreaterThan(0)
      expect(own.every(({ container }) => container === '')).toBe(true)
    })

    test('a network event names the container concerned', async () => {
      const network = await engine.createNetwork(lab.network({ subnet: '10.246.80.0/24' }))
      const id = await lab.start(programs.idle, { networkMode: network })
      const found = await collect(
        () => engine.disconnectNetwork(network, id),
        (event) => event.type === 'network' && event.container === id,
      )
      expect(found.at(-1)).toMatchObject({ type: 'network', action: 'disconnect', id: network, container: id })
      await engine.removeNetwork(network)
    })

    test('volumes come and go', async () => {
      const config = lab.volume()
      const found = await collect(
        () => engine.createVolume(config).then(() => engine.removeVolume(config.name)),
        (event) => event.type === 'volume' && event.action === 'destroy' && event.id === config.name,
      )
      const own = found.filter((event) => event.type === 'volume' && event.id === config.name)
      expect(own.map(({ action }) => action)).toEqual(['create', 'destroy'])
    })

    test('what happened since is told again', async () => {
      const id = await lab.create(programs.idle)
      const [created] = (
        await collect(
          () => engine.renameContainer(id, lab.name('moved')),
          (event) => event.action === 'rename' && event.id === id,
        )
      ).filter((event) => event.id === id)
      const abort = new AbortController()
      for await (const event of engine.events(created!.timeMs - 1, abort.signal)) {
        if (event.id !== id || event.action !== 'rename') continue
        expect(event.timeMs).toBe(created!.timeMs)
        abort.abort()
      }
      expect(abort.signal.aborted).toBe(true)
    })

    test('a signal that is aborted already ends them at once', async () => {
      for await (const event of engine.events(0, AbortSignal.abort())) throw new Error(`unexpected ${event.action}`)
    })
  })
}
