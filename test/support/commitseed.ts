/** Chance that is new for every commit and the same for the same one: what fails can be run again, and what has passed stays so. */
import { execFileSync } from 'node:child_process'

/** The first digits of what is checked out, a number of 32 bits; of the time where there is no Git. */
export function commitSeed(): number {
  try {
    const sha = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return Number.parseInt(sha.slice(0, 8), 16)
  } catch {
    return Date.now() % 2 ** 32
  }
}
