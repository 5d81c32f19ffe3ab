/** What happens when, from a seed: every act comes once before any comes again. */
import { type Chance, chance } from '../simulation/chance.ts'

export interface Scene {
  /** from 1 */
  readonly number: number
  /** name of an act */
  readonly act: string
  /** whether a commit that rolls the application is pushed first */
  readonly commit: boolean
  /** from the beginning of the scene to the act: ms */
  readonly actAtMs: number
  /** from the beginning of the scene to each `kill -9` of the daemon: ms, ascending */
  readonly killsAtMs: readonly number[]
  /** for whatever the act itself chooses */
  readonly chance: Chance
}

/** Within this time of a scene's beginning the act is done, and the daemon killed: ms. */
const ACT_WITHIN_MS = 1_000
const KILLS_WITHIN_MS = 3_000
const MOST_KILLS = 5
/** One scene in so many begins with a commit. */
const COMMIT_ONE_IN = 3

/** Scenes without end; the same for the same seed and acts. */
export function* script(seed: number, acts: readonly string[]): Generator<Scene, never> {
  const random = chance(seed)
  for (let number = 1; ; )
    for (const act of shuffled(acts, random)) {
      const kills = random.int(0, MOST_KILLS)
      yield {
        number,
        act,
        commit: random.oneIn(COMMIT_ONE_IN),
        actAtMs: random.int(0, ACT_WITHIN_MS),
        killsAtMs: Array.from({ length: kills }, () => random.int(0, KILLS_WITHIN_MS)).sort((a, b) => a - b),
        chance: random.fork(),
      }
      number += 1
    }
}

function shuffled<T>(items: readonly T[], random: Chance): T[] {
  const left = [...items]
  return items.map(() => left.splice(random.int(0, left.length - 1), 1)[0] as T)
}
