/** An application as somebody else wrote it: its documents after rendering, and what Trireme says to each. */
import { createHash } from 'node:crypto'
import { cp, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { folderSource } from '../../../src/git/folder.ts'
import { loadManifests } from '../../../src/model/load.ts'
import type { Allowance } from '../../../src/model/policy.ts'
import type { DocumentVerdict, Problem } from '../../../src/model/types/loaded.ts'
import { renderTree } from '../../../src/render/render.ts'
import { tools } from '../trees.ts'
import { type Document, defaultNamespace } from './manifests.ts'

export interface Application {
  readonly name: string
  readonly documents: readonly Document[]
  /** of the documents as they are run */
  readonly verdicts: readonly DocumentVerdict[]
  readonly problems: readonly Problem[]
}

/** Renders a folder, or a file by itself, as a source of that content would be. */
export async function readApplication(path: string, allow: Allowance): Promise<Application> {
  const full = resolve(path)
  if ((await stat(full)).isDirectory()) return renderFolder(full, basename(full), allow)
  const alone = await mkdtemp(join(tmpdir(), 'trireme-application-'))
  try {
    await cp(full, join(alone, basename(full)))
    return await renderFolder(alone, /^rendered\./.test(basename(full)) ? basename(dirname(full)) : basename(full), allow)
  } finally {
    await rm(alone, { recursive: true })
  }
}

async function renderFolder(dir: string, name: string, allow: Allowance): Promise<Application> {
  const source = folderSource({ name, dir, now: () => 0 })
  const signal = AbortSignal.timeout(60_000)
  try {
    const { revision } = await source.poll(signal)
    const tree = await source.tree(revision.sha, signal)
    const rendered = await renderTree(tree, { name, namespace: defaultNamespace }, tools)
    const documents = rendered.manifests.map(({ body }) => body as Document)
    const { verdicts, problems } = loadManifests(rendered.manifests, {
      revision: revision.sha,
      defaultNamespace,
      digest: (bytes) => createHash('sha256').update(bytes).digest('hex'),
      vault: () => undefined,
      allow,
      brokenFiles: rendered.brokenFiles,
      extraProblems: rendered.problems,
    })
    return { name, documents, verdicts, problems }
  } finally {
    await source.close()
  }
}
