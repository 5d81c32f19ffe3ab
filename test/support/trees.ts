/** Trees of files for tests of the render. */
import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { Tree } from '../../src/git/source.ts'
import { findTools } from '../../src/render/tools.ts'

export function treeOf(files: Readonly<Record<string, string | Uint8Array>>, refused: Tree['refused'] = []): Tree {
  const list = Object.entries(files).map(([path, content]) => ({ path, bytes: Buffer.from(content) }))
  const hash = createHash('sha256')
  for (const { path, bytes } of list) hash.update(`${path}\0${bytes.length}\0`).update(bytes)
  const revision = { sha: 'r1', author: '', message: '', committedAt: 0 }
  return { revision, hash: hash.digest('hex'), files: list, refused }
}

/** The pinned kustomize and helm, unpacked once for all test runs of a checkout. */
export const tools = findTools({
  cacheDir: fileURLToPath(new URL('../../node_modules/.cache/trireme-tools', import.meta.url)),
  path: '',
})
