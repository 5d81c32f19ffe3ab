/** Files of keys in the data directory, readable by their owner only. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'

/** `undefined` when there is no such file. */
export function readKey(path: string): Uint8Array | undefined {
  try {
    return new Uint8Array(readFileSync(path))
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined
    throw error
  }
}

/** Whole or not at all, also when the machine loses power: written beside, flushed, then renamed. */
export function writeKey(dir: string, path: string, key: Uint8Array): void {
  const beside = `${path}.new`
  const file = openSync(beside, 'w', 0o600)
  try {
    writeSync(file, key)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(beside, path)
  const folder = openSync(dir, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

/** A time as the name of a file that is moved aside ends with it. */
export function stampOf(at: number): string {
  return new Date(at).toISOString().replaceAll(/[-:]/g, '')
}
