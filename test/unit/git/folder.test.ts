import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type FolderSourceOptions, folderSource } from '../../../src/git/folder.ts'
import type { Source, Tree } from '../../../src/git/source.ts'
import { scratch, writeFiles } from './support.ts'

const never = new AbortController().signal
const open: Source[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((source) => source.close()))
})

function sourceOf(dir: string, options: Partial<FolderSourceOptions> = {}): Source {
  const source = folderSource({ name: 'dev', dir, now: () => performance.now(), ...options })
  open.push(source)
  return source
}

async function treeOf(source: Source): Promise<Tree> {
  return source.tree((await source.poll(never)).revision.sha, never)
}

const pathsOf = (tree: Tree) => tree.files.map(({ path }) => path)
const refusedOf = (tree: Tree) => tree.refused.map(({ path, reason }) => `${path}: ${reason}`)

describe('revision', () => {
  test('is named after the content and told with its folder', async () => {
    const dir = scratch()
    writeFiles(dir, { 'a.yaml': '1' })
    const { revision, forced } = await sourceOf(dir, { now: () => 42 }).poll(never)
    expect(revision).toEqual({
      sha: expect.stringMatching(/^folder-[0-9a-f]{12}$/),
      author: '',
      message: `working tree of ${dir}`,
      committedAt: 42,
    })
    expect(forced).toBe(false)
  })

  test('changes with the content alone: saving the same again is nothing', async () => {
    const dir = scratch()
    writeFiles(dir, { 'a.yaml': '1' })
    const source = sourceOf(dir)
    const first = await source.poll(never)
    writeFiles(dir, {
      'a.yaml': '1',
      'a.yaml~': 'backup',
      '.a.yaml.swp': 'x',
      '.git/HEAD': 'x',
      'node_modules/x/y.yaml': 'x',
      '4913': '',
    })
    expect(await source.poll(never)).toEqual(first)
    writeFiles(dir, { 'a.yaml': '2' })
    const second = await source.poll(never)
    expect(second.revision.sha).not.toBe(first.revision.sha)
    renameSync(join(dir, 'a.yaml'), join(dir, 'b.yaml'))
    expect((await source.poll(never)).revision.sha).not.toBe(second.revision.sha)
  })

  test('stays readable after the next saves, and after a restart while the folder holds it', async () => {
    const dir = scratch()
    writeFiles(dir, { 'a.yaml': '1' })
    const source = sourceOf(dir)
    const { sha } = (await source.poll(never)).revision
    expect((await sourceOf(dir).tree(sha, never)).files).toHaveLength(1)
    writeFiles(dir, { 'a.yaml': '2' })
    await source.poll(never)
    expect(Buffer.from((await source.tree(sha, never)).files[0]!.bytes).toString()).toBe('1')
    await expect(sourceOf(dir).tree(sha, never)).rejects.toMatchObject({ kind: 'failed', message: expect.stringContaining(sha) })
  })
})

describe('tree', () => {
  test('files sorted, bytes as they are', async () => {
    const dir = scratch()
    const bytes = Uint8Array.from([0, 255, 13, 10])
    writeFiles(dir, { 'b/z.yaml': 'z', 'b.yaml': bytes, 'a/ü.yaml': '' })
    const tree = await treeOf(sourceOf(dir))
    expect(pathsOf(tree)).toEqual(['a/ü.yaml', 'b.yaml', 'b/z.yaml'])
    expect(tree.files[1]!.bytes).toEqual(bytes)
  })

  test('links inside are followed; links out, to nothing, in a loop, and what is no file are refused', async () => {
    const dir = scratch()
    const outside = scratch()
    writeFiles(outside, { 'secret.yaml': 'x' })
    writeFiles(dir, { 'base/a.yaml': 'a', 'big.yaml': 'x'.repeat(20) })
    // A folder whose name begins like the root's is outside all the same.
    const neighbour = `${dir}-other`
    mkdirSync(neighbour)
    writeFiles(neighbour, { 'n.yaml': 'n' })
    symlinkSync('base', join(dir, 'copy'))
    symlinkSync(join(outside, 'secret.yaml'), join(dir, 'out.yaml'))
    symlinkSync(neighbour, join(dir, 'neighbour'))
    symlinkSync('nothing', join(dir, 'dangling'))
    symlinkSync('..', join(dir, 'base/up'))
    symlinkSync('self', join(dir, 'self'))
    execFileSync('mkfifo', [join(dir, 'pipe')])
    const tree = await treeOf(sourceOf(dir, { maxFileBytes: 10 }))
    rmSync(neighbour, { recursive: true })
    expect(pathsOf(tree)).toEqual(['base/a.yaml', 'copy/a.yaml'])
    expect(refusedOf(tree)).toEqual([
      'base/up: a symbolic link that leads out of the folder',
      'big.yaml: 20 bytes: over the limit of 10 bytes a file',
      'copy/up: a symbolic link that leads out of the folder',
      'dangling: a symbolic link to nothing',
      'neighbour: a symbolic link that leads out of the folder',
      'out.yaml: a symbolic link that leads out of the folder',
      'pipe: not a regular file',
      'self: a symbolic link that leads to itself',
    ])
  })

  test('folders that link to each other end', async () => {
    const dir = scratch()
    writeFiles(dir, { 'a/x.yaml': 'x', 'b/y.yaml': 'y' })
    symlinkSync('../b', join(dir, 'a/b'))
    symlinkSync('../a', join(dir, 'b/a'))
    const tree = await treeOf(sourceOf(dir))
    expect(pathsOf(tree)).toEqual(['a/b/y.yaml', 'a/x.yaml', 'b/a/x.yaml', 'b/y.yaml'])
    expect(tree.refused.map(({ path }) => path)).toEqual(['a/b/a', 'b/a/b'])
  })

  test('a mounted ConfigMap gives each file once', async () => {
    const dir = scratch()
    mountRevision(dir, '1', { 'a.yaml': 'a', 'b.yaml': 'b' })
    const tree = await treeOf(sourceOf(dir))
    expect(pathsOf(tree)).toEqual(['a.yaml', 'b.yaml'])
    expect(tree.refused).toEqual([])
  })

  for (const { name, make, want } of [
    { name: 'a folder that is not there', make: (dir: string) => join(dir, 'no'), want: { kind: 'pathNotFound' } },
    {
      name: 'a file',
      make: (dir: string) => {
        writeFileSync(join(dir, 'f'), '')
        return join(dir, 'f')
      },
      want: { kind: 'pathNotFound', message: expect.stringContaining('is a file') },
    },
  ]) {
    test(`${name} is named`, async () => {
      await expect(sourceOf(make(scratch())).poll(never)).rejects.toMatchObject(want)
    })
  }

  for (const { name, limits } of [
    { name: 'files', limits: { maxFiles: 1 } },
    { name: 'bytes', limits: { maxTotalBytes: 3 } },
  ]) {
    test(`too many ${name} refuse the tree as a whole`, async () => {
      const dir = scratch()
      writeFiles(dir, { 'a.yaml': '00', 'b.yaml': '11' })
      await expect(sourceOf(dir, limits).poll(never)).rejects.toMatchObject({ kind: 'refused' })
    })
  }
})

describe('watch', () => {
  /** Watches until the first look is done, so that what the test does next is a change. */
  async function watched(dir: string, options: Partial<FolderSourceOptions> = {}) {
    const source = sourceOf(dir, options)
    const changed = vi.fn()
    const stop = source.watch(changed)
    const probe = join(dir, 'probe.yaml')
    await vi.waitFor(() => {
      writeFileSync(probe, String(performance.now()))
      expect(changed).toHaveBeenCalled()
    }, 5000)
    await quiet(changed)
    changed.mockClear()
    return { source, changed, stop }
  }

  const quietFor = 250
  /** Waits until nothing was told for a while. */
  async function quiet(changed: ReturnType<typeof vi.fn>) {
    for (let calls = -1; calls !== changed.mock.calls.length; ) {
      calls = changed.mock.calls.length
      await new Promise((done) => setTimeout(done, quietFor))
    }
  }

  const slowRescan = { rescanMs: 60_000 }

  for (const { name, act } of [
    { name: 'a save in place', act: (dir: string) => writeFileSync(join(dir, 'a.yaml'), '2') },
    {
      name: 'an atomic save by rename',
      act: (dir: string) => {
        writeFileSync(join(dir, '.a.yaml.swp'), '2')
        renameSync(join(dir, '.a.yaml.swp'), join(dir, 'a.yaml'))
      },
    },
    { name: 'a new file in a new folder', act: (dir: string) => writeFiles(dir, { 'new/b.yaml': '1' }) },
    { name: 'a removed file', act: (dir: string) => unlinkSync(join(dir, 'a.yaml')) },
  ]) {
    test(`${name} is told once, well within a second`, async () => {
      const dir = scratch()
      writeFiles(dir, { 'a.yaml': '1' })
      const { changed } = await watched(dir, slowRescan)
      const startedAt = performance.now()
      act(dir)
      await vi.waitFor(() => expect(changed).toHaveBeenCalled(), { timeout: 5000, interval: 10 })
      expect(performance.now() - startedAt).toBeLessThan(900)
      await quiet(changed)
      expect(changed.mock.calls.length).toBeLessThanOrEqual(2)
    })
  }

  test('what editors and Git leave behind is not told', async () => {
    const dir = scratch()
    writeFiles(dir, { 'a.yaml': '1', '.git/HEAD': 'x' })
    const { changed } = await watched(dir)
    writeFiles(dir, { '.git/index': 'x', 'a.yaml~': 'x', '.a.yaml.swp': 'x', 'node_modules/m/x.yaml': 'x' })
    await quiet(changed)
    expect(changed).not.toHaveBeenCalled()
  })

  test('the swap of a mounted ConfigMap is told, and gives the new content', async () => {
    const dir = scratch()
    mountRevision(dir, '1', { 'a.yaml': 'old' })
    const { source, changed } = await watched(dir, { rescanMs: 100 })
    mountRevision(dir, '2', { 'a.yaml': 'new' })
    await vi.waitFor(() => expect(changed).toHaveBeenCalled(), 5000)
    const tree = await treeOf(source)
    expect(Buffer.from(tree.files[0]!.bytes).toString()).toBe('new')
  })

  test('after stop and close nothing is told', async () => {
    const dir = scratch()
    const { source, changed, stop } = await watched(dir, { rescanMs: 50 })
    stop()
    writeFiles(dir, { 'a.yaml': '3' })
    await source.close()
    await quiet(changed)
    expect(changed).not.toHaveBeenCalled()
  })
})

/** As the kubelet does it: a dated folder, `..data` swapped to it by rename, and links through it. */
function mountRevision(dir: string, id: string, files: Record<string, string>): void {
  writeFiles(join(dir, `..2024_${id}`), files)
  symlinkSync(`..2024_${id}`, join(dir, '..data_tmp'))
  renameSync(join(dir, '..data_tmp'), join(dir, '..data'))
  for (const name of Object.keys(files)) {
    rmSync(join(dir, name), { force: true })
    symlinkSync(`..data/${name}`, join(dir, name))
  }
}
