/** The engine, and the daemon's connection to it. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Act } from '../act.ts'
import type { Theatre } from '../theatre.ts'
import { WAYS } from '../ways.ts'

const DOWN = 'the engine was down'
const CONTAINERS = 'the engine stopped every container'

/** With live-restore containers go on, but the engine's own proxy of published ports and its rules do not. */
function engineEnded(name: string, how: 'stop' | 'kill9'): Act {
  return {
    name,
    mayLose: 'published ports are of the engine itself',
    async perform(theatre, chance) {
      let up = false
      theatre.excuse(DOWN, ['published'], async () => up)
      await theatre.restartEngine(how, chance.int(0, 1500))
      up = true
    },
  }
}

async function restartWithout(theatre: Theatre): Promise<void> {
  const { engine } = theatre
  await engine.configure({ 'live-restore': false })
  const since = Date.now()
  let up = false
  theatre.excuse(CONTAINERS, WAYS, async () => up && (await theatre.unrouted(since)))
  await engine.stop()
  await engine.start()
  up = true
  theatre.keptByEngine = new Set()
  await engine.configure({ 'live-restore': true })
}

export const engineActs: readonly Act[] = [
  engineEnded('engine restarted', 'stop'),
  engineEnded('engine killed', 'kill9'),
  { name: 'engine restarted without live-restore', mayLose: CONTAINERS, perform: restartWithout },
  {
    name: 'engine cut off',
    mayLose: '',
    async perform({ relay }, chance) {
      await relay.close()
      await delay(chance.int(200, 2000))
      await relay.open()
    },
  },
  {
    name: 'connections to the engine cut',
    mayLose: '',
    async perform({ relay }, chance) {
      for (let cut = chance.int(1, 6); cut > 0; cut -= 1) {
        await delay(chance.int(50, 400))
        relay.cut()
      }
    },
  },
  {
    name: 'engine silent',
    mayLose: '',
    async perform({ relay }, chance) {
      relay.silence(true)
      await delay(chance.int(500, 2500))
      relay.silence(false)
      relay.cut()
    },
  },
]
