/** Chance that is new for every commit and the same for the same one: what fails can be run again, and what has passed stays so. */
import { execFileSync } from 'node:child_process'

/**
 * The first digits of what is checked out, a number of 32 bits; of the time where there is no Git. A copy of the project without
 * its history is told by `TRIREME_COMMIT` what it is a copy of.
 */
export function commitSeed(): number {
  try {
    const sha = process.env.TRIREME_COMMIT ?? headCommit()
    return Number.parseInt(sha.slice(0, 8), 16)
  } catch {
    return Date.now() % 2 ** 32
  }
}

/** Errors: there is no Git, or no commit. */
export function headCommit(): string {
  return execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
}
