/** One seed, from beginning to end. */
import { converges, runsOnTime, staysQuiet, tellsNoSecret } from './liveness.ts'
import { Violation } from './safety.ts'
import { createWorld, type Tally, type World } from './world.ts'

export interface Outcome {
  readonly seed: number
  readonly violation: Violation | undefined
  /** what happened, a line each, with virtual seconds */
  readonly trace: readonly string[]
  readonly virtualMs: number
  readonly tally: Tally
}

/** Faults first, for safety; then none, for liveness. Errors: mistakes of the simulation itself. */
export async function runSeed(seed: number): Promise<Outcome> {
  const world = createWorld(seed)
  try {
    return outcome(world, await story(world))
  } finally {
    world.close()
  }
}

async function story(world: World): Promise<Violation | undefined> {
  try {
    world.storm()
    await world.run(world.climate.stormMs)
    world.calm()
    await converges(world)
    await runsOnTime(world)
    await staysQuiet(world)
    tellsNoSecret(world)
    return undefined
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    return error
  }
}

function outcome(world: World, violation: Violation | undefined): Outcome {
  return { seed: world.seed, violation, trace: world.trace, virtualMs: world.elapsed(), tally: world.tally }
}
