/** What is being made, and is not whole yet. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'

/** Inside of `dir`, so that what is whole can be renamed into it. */
export function unfinishedIn(dir: string): string {
  return join(dir, 'unfinished')
}

/** Removes what a process that was killed has left there. Only for whoever is alone with `dir`. */
export function clearUnfinished(dir: string): void {
  rmSync(unfinishedIn(dir), { recursive: true, force: true })
}
