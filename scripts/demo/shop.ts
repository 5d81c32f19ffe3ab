/** The demo's Git side: a bare repository made of manifests/demo, and a clone of it to edit, commit and push in. */
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Place } from './place.ts'

const MANIFESTS = new URL('../../manifests/demo', import.meta.url)
/** What manifests/demo asks for; another one is written in when that is taken. */
const NODE_PORT = 30080
/** Each demo looks in a range of its own, so that two that start at once do not find the same port free. */
const PORTS_PER_DEMO = 20

/** One replacement in one file of the tree. */
export interface Edit {
  readonly file: string
  readonly from: string
  readonly to: string
}

export interface Shop {
  /** the bare repository */
  readonly repo: string
  /** a clone, with a committer's name of its own */
  readonly clone: string
  readonly nodePort: number
  /** Edits, commits and pushes; resolves to the commit's id. Errors: when a text to replace is not in its file. */
  commit(message: string, edits: readonly Edit[]): Promise<string>
  /** Undoes the last `count` commits by as many new ones, and pushes; resolves to the last one's id. */
  revert(count: number): Promise<string>
}

/** Makes both in the folder of `place`, with one commit pushed. */
export async function openShop({ dir, slot }: Pick<Place, 'dir' | 'slot'>): Promise<Shop> {
  const repo = join(dir, 'shop.git')
  const clone = join(dir, 'shop')
  const nodePort = await freeNodePort(NODE_PORT + slot * PORTS_PER_DEMO)
  const git = async (...args: string[]) => (await promisify(execFile)('git', ['-C', clone, ...args])).stdout.trim()
  const push = async () => {
    await git('push', '--quiet', 'origin', 'main')
    return git('rev-parse', 'HEAD')
  }

  mkdirSync(clone)
  cpSync(MANIFESTS, clone, { recursive: true })
  if (nodePort !== NODE_PORT) edit(clone, { file: 'web.yaml', from: `nodePort: ${NODE_PORT}`, to: `nodePort: ${nodePort}` })
  await promisify(execFile)('git', ['init', '--quiet', '--bare', '--initial-branch=main', repo])
  await git('init', '--quiet', '--initial-branch=main')
  await git('config', 'user.name', 'Demo')
  await git('config', 'user.email', 'demo@localhost')
  await git('config', 'commit.gpgsign', 'false')
  await git('remote', 'add', 'origin', repo)
  await git('add', '.')
  await git('commit', '--quiet', '--message', 'Open the shop')
  await git('push', '--quiet', '--set-upstream', 'origin', 'main')

  return {
    repo,
    clone,
    nodePort,
    async commit(message, edits) {
      for (const each of edits) edit(clone, each)
      await git('commit', '--quiet', '--all', '--message', message)
      return push()
    },
    async revert(count) {
      await git('revert', '--no-edit', `HEAD~${count}..HEAD`)
      return push()
    },
  }
}

function edit(clone: string, { file, from, to }: Edit): void {
  const path = join(clone, file)
  const text = readFileSync(path, 'utf8')
  if (!text.includes(from)) throw new Error(`${path} has no "${from}" to replace`)
  writeFileSync(path, text.replaceAll(from, to))
}

async function freeNodePort(first: number): Promise<number> {
  const ports = Array.from({ length: PORTS_PER_DEMO }, (_, index) => first + index)
  for (const port of ports) if (await isFree(port)) return port
  throw new Error(`no host port from ${first} to ${ports.at(-1)} is free`)
}

/** Whether nobody listens on the port, Docker included. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)))
  })
}
