/** Making a folder that only its owner may look into. */
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes `dir` and what is missing above it, mode 0700. Not by Node's own `recursive`, which tries for ever where a file
 * system (such as /proc) says of a new folder that it does not exist.
 *
 * Errors: those of `mkdirSync`, and `EEXIST` where a file is in its place.
 */
export function makePrivateFolder(dir: string): void {
  if (tryMake(dir)) return
  makePrivateFolder(dirname(dir))
  mkdirSync(dir, { mode: 0o700 })
}

/** `false` when the folder above is missing. */
function tryMake(dir: string): boolean {
  try {
    mkdirSync(dir, { mode: 0o700 })
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && statSync(dir).isDirectory()) return true
    if (code !== 'ENOENT' || dirname(dir) === dir) throw error
    return false
  }
}
