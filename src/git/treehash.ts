import { createHash } from 'node:crypto'
import type { TreeFile } from './source.ts'

/**
 * SHA-256 in hex over paths and bytes: equal exactly when the files are. Modes and order do not count.
 *
 * Lengths are hashed too, so that no two different lists run together into the same bytes.
 */
export function treeHash(files: readonly TreeFile[]): string {
  const hash = createHash('sha256')
  for (const file of sortedFiles(files)) {
    hash.update(`${Buffer.byteLength(file.path)}:${file.path}:${file.bytes.length}:`)
    hash.update(file.bytes)
  }
  return hash.digest('hex')
}

/** By code units of the path: the same order on any machine and locale. */
export function sortedFiles<T extends { readonly path: string }>(files: readonly T[]): T[] {
  return [...files].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
}
