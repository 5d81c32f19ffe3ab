import { expect, test } from 'vitest'
import { sequence } from '../../contract/differential/operations.ts'
import { keepBook, Side } from '../../contract/differential/side.ts'
import { contractEngine, SimulatedLab, seededRandom } from '../../contract/simulated.ts'
import type { SimulatedEngine } from './engine.ts'

const length = 60

/** Everything that is said and shown in one random sequence; what must hold is checked after each operation. */
async function journal(seed: number): Promise<string[]> {
  const { engine, time } = contractEngine(seed)
  const ended = new AbortController()
  const events = await keepBook(engine, ended.signal)
  const side = new Side({ lab: new SimulatedLab('sequences', engine), events, prefix: `s${seed}`, subnet: '10.247.1' })
  const said: string[] = []
  for (const operation of sequence(seededRandom(seed), length)) {
    const outcome = await side.perform(operation)
    await time.settled()
    expect(contradictions(engine)).toEqual([])
    said.push(JSON.stringify([operation, outcome, await side.state(), side.told(), [...engine.raw.containers.keys()]]))
  }
  ended.abort()
  return said
}

/** What cannot be: an address given twice or kept by what does not run, a name or a mount without its container. */
function contradictions({ raw }: SimulatedEngine): string[] {
  const found: string[] = []
  const addresses = new Map<string, string>()
  for (const { id, name, endpoints, run, state } of raw.containers.values()) {
    if ((run !== undefined) !== (state === 'running' || state === 'paused')) found.push(`${name} is ${state}`)
    if (raw.names.get(name) !== id) found.push(`${name} is not known by its name`)
    for (const { ip } of endpoints.values()) {
      if (ip === '') continue
      if (run === undefined) found.push(`${name} has ${ip} and does not run`)
      if (addresses.has(ip)) found.push(`${name} and ${addresses.get(ip)} have ${ip}`)
      addresses.set(ip, name)
    }
  }
  if (raw.names.size !== raw.containers.size) found.push('a name without a container')
  for (const { view, members } of raw.networks.values())
    for (const id of members) if (raw.containers.get(id)?.run === undefined) found.push(`${id} is a member of ${view.name}`)
  for (const { view, mountedBy } of raw.volumes.values())
    for (const id of mountedBy) if (raw.containers.get(id)?.run === undefined) found.push(`${id} mounts ${view.name}`)
  return found
}

test('random sequences contradict nothing, and the same seed gives the same sequence to the letter', async () => {
  for (let seed = 1; seed <= 60; seed += 1) expect(await journal(seed)).toEqual(await journal(seed))
})
