import { readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type GitSourceOptions, gitSource } from '../../../src/git/repository.ts'
import type { Source, Tree } from '../../../src/git/source.ts'
import { makeRemote, type Remote, scratch, writeFiles } from './support.ts'

const never = new AbortController().signal

function sourceOf(remote: Remote, options: Partial<GitSourceOptions> = {}): Source {
  return gitSource({
    name: 'shop',
    url: remote.bare,
    branch: 'main',
    path: '.',
    mirrorDir: scratch(),
    timeoutMs: 15_000,
    environment: process.env,
    ...options,
  })
}

const texts = (tree: Tree) => Object.fromEntries(tree.files.map(({ path, bytes }) => [path, Buffer.from(bytes).toString()]))
const poll = (source: Source) => source.poll(never)

describe('poll', () => {
  test('the first poll finds the newest commit with author, message and time', async () => {
    const remote = makeRemote()
    remote.push({ 'a.yaml': 'one' })
    const sha = remote.push({ 'a.yaml': 'two' }, 'Second\n\nWhy it was done')
    const found = await poll(sourceOf(remote))
    expect(found.forced).toBe(false)
    expect(found.revision).toMatchObject({ sha, author: 'Ada <ada@example.org>', message: 'Second\n\nWhy it was done' })
    expect(found.revision.committedAt).toBe(Number(remote.git('log', '-1', '--format=%ct')) * 1000)
  })

  test('an unchanged branch gives the same revision, also to a source that was restarted', async () => {
    const remote = makeRemote()
    const sha = remote.push({ 'a.yaml': 'one' })
    const mirrorDir = scratch()
    const source = sourceOf(remote, { mirrorDir })
    const first = await poll(source)
    expect(await poll(source)).toEqual(first)
    expect(await poll(sourceOf(remote, { mirrorDir }))).toEqual(first)
    expect(first.revision.sha).toBe(sha)
  })

  test('a new commit, and twenty at once, continue the history', async () => {
    const remote = makeRemote()
    remote.push({ 'a.yaml': '0' })
    const source = sourceOf(remote)
    await poll(source)
    const second = remote.push({ 'a.yaml': '1' })
    expect(await poll(source)).toMatchObject({ revision: { sha: second }, forced: false })
    for (let n = 2; n < 22; n++) remote.git('commit', '--quiet', '--allow-empty', '-m', `c${n}`)
    const last = remote.push({ 'a.yaml': 'last' })
    expect(await poll(source)).toMatchObject({ revision: { sha: last }, forced: false })
  })

  test('a force-push is noticed once, also when it happened while nobody looked', async () => {
    const remote = makeRemote()
    const first = remote.push({ 'a.yaml': '0' })
    remote.push({ 'a.yaml': '1' })
    const mirrorDir = scratch()
    await poll(sourceOf(remote, { mirrorDir }))
    remote.git('reset', '--quiet', '--hard', first)
    const rewritten = remote.push({ 'a.yaml': 'other' })
    const source = sourceOf(remote, { mirrorDir })
    expect(await poll(source)).toMatchObject({ revision: { sha: rewritten }, forced: true })
    expect(await poll(source)).toMatchObject({ revision: { sha: rewritten }, forced: false })
  })

  test('going back to an older commit is a force-push, and a revert is not', async () => {
    const remote = makeRemote()
    const first = remote.push({ 'a.yaml': '0' })
    remote.push({ 'a.yaml': '1' })
    const source = sourceOf(remote)
    await poll(source)
    remote.git('revert', '--no-edit', 'HEAD')
    remote.push({})
    expect((await poll(source)).forced).toBe(false)
    remote.git('reset', '--quiet', '--hard', first)
    remote.push({ 'b.yaml': '0' })
    expect((await poll(source)).forced).toBe(true)
  })

  test('a branch that is not there is named, with those that are', async () => {
    const remote = makeRemote()
    remote.push({ 'a.yaml': '0' })
    await expect(poll(sourceOf(remote, { branch: 'live' }))).rejects.toMatchObject({
      kind: 'branchNotFound',
      message: expect.stringMatching(/no branch live; it has main/),
    })
  })

  test('an empty repository has no branches yet', async () => {
    await expect(poll(sourceOf(makeRemote()))).rejects.toMatchObject({
      kind: 'branchNotFound',
      message: expect.stringContaining('no branches yet'),
    })
  })

  test('a branch deleted later is reported, and the last good tree stays readable', async () => {
    const remote = makeRemote()
    const sha = remote.push({ 'a.yaml': 'good' })
    remote.git('push', '--quiet', remote.bare, 'HEAD:refs/heads/other')
    const source = sourceOf(remote)
    await poll(source)
    remote.git('push', '--quiet', remote.bare, '--delete', 'main')
    await expect(poll(source)).rejects.toMatchObject({ kind: 'branchNotFound' })
    expect(texts(await source.tree(sha, never))).toEqual({ 'a.yaml': 'good' })
  })

  test('a repository that is gone is unreachable, and the last good tree stays readable after a restart', async () => {
    const remote = makeRemote()
    const sha = remote.push({ 'a.yaml': 'good' })
    const mirrorDir = scratch()
    await poll(sourceOf(remote, { mirrorDir }))
    rmSync(remote.bare, { recursive: true })
    const source = sourceOf(remote, { mirrorDir })
    await expect(poll(source)).rejects.toMatchObject({ kind: 'unreachable', message: expect.stringContaining(remote.bare) })
    expect(texts(await source.tree(sha, never))).toEqual({ 'a.yaml': 'good' })
  })

  test('a folder that is no repository, and a file, are told apart', async () => {
    const remote = makeRemote()
    await expect(poll(sourceOf(remote, { url: scratch() }))).rejects.toMatchObject({ kind: 'unreachable' })
    const file = join(scratch(), 'bundle')
    writeFileSync(file, '# v2 git bundle\n')
    await expect(poll(sourceOf(remote, { url: file }))).rejects.toMatchObject({ kind: 'refused' })
  })

  test('a shallow clone is a repository too', async () => {
    const remote = makeRemote()
    remote.push({ 'a.yaml': '0' })
    const sha = remote.push({ 'a.yaml': '1' })
    const clone = join(scratch(), 'clone')
    remote.git('clone', '--quiet', '--depth=1', `file://${remote.bare}`, clone)
    const source = sourceOf(remote, { url: clone })
    expect((await poll(source)).revision.sha).toBe(sha)
    remote.gitAt('2030-01-01T00:00:00Z', '-C', clone, 'commit', '--quiet', '--allow-empty', '-m', 'next')
    expect((await poll(source)).forced).toBe(false)
  })

  test('a mirror removed while running is made anew', async () => {
    const remote = makeRemote()
    const sha = remote.push({ 'a.yaml': '0' })
    const mirrorDir = scratch()
    const source = sourceOf(remote, { mirrorDir })
    await poll(source)
    for (const name of readdirSync(mirrorDir)) rmSync(join(mirrorDir, name), { recursive: true })
    expect((await poll(source)).revision.sha).toBe(sha)
    expect(texts(await source.tree(sha, never))).toEqual({ 'a.yaml': '0' })
  })

  test('polls and trees at the same time do not disturb each other', async () => {
    const remote = makeRemote()
    const sha = remote.push({ 'a.yaml': '0' })
    const mirrorDir = scratch()
    await poll(sourceOf(remote, { mirrorDir }))
    const next = remote.push({ 'a.yaml': '1' })
    const source = sourceOf(remote, { mirrorDir })
    const [found, tree] = await Promise.all([poll(source), source.tree(sha, never)])
    expect(found.revision.sha).toBe(next)
    expect(texts(tree)).toEqual({ 'a.yaml': '0' })
  })

  test('a machine without Git says what to install', async () => {
    const remote = makeRemote()
    await expect(poll(sourceOf(remote, { environment: { PATH: scratch() } }))).rejects.toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('git is not installed'),
    })
  })

  test('a commit message cannot steer the terminal', async () => {
    const remote = makeRemote()
    remote.push({}, 'red \u001b[31m\n\n\tbody')
    expect((await poll(sourceOf(remote))).revision.message).toBe('red [31m\n\n\tbody')
  })

  test('a repository in SHA-256 format says so', async () => {
    const remote = makeRemote()
    remote.push({ 'a.yaml': '1' })
    const other = join(scratch(), 'sha256')
    remote.git('init', '--quiet', '--object-format=sha256', '--initial-branch=main', other)
    remote.git('-C', other, 'commit', '--quiet', '--allow-empty', '-m', 'x')
    await expect(poll(sourceOf(remote, { url: other }))).rejects.toMatchObject({ kind: 'refused' })
  })

  test('a stopped poll ends at once and says so', async () => {
    const remote = makeRemote()
    remote.push({ 'a.yaml': '0' })
    await expect(sourceOf(remote).poll(AbortSignal.abort())).rejects.toMatchObject({ kind: 'failed', message: /stopped/ })
  })

  test('a damaged mirror is moved aside and made anew', async () => {
    const remote = makeRemote()
    remote.push({ 'a.yaml': '0' })
    const mirrorDir = scratch()
    await poll(sourceOf(remote, { mirrorDir }))
    const [mirror] = readdirSync(mirrorDir).filter((name) => name.endsWith('.git'))
    for (const name of readdirSync(join(mirrorDir, mirror!, 'objects'), { recursive: true, encoding: 'utf8' })) {
      if (/\/[0-9a-f]{38}$|\.pack$/.test(name)) rmSync(join(mirrorDir, mirror!, 'objects', name))
    }
    const sha = remote.push({ 'a.yaml': '1' })
    const source = sourceOf(remote, { mirrorDir })
    await expect(poll(source)).rejects.toMatchObject({ kind: 'failed', message: expect.stringContaining('made anew') })
    expect((await poll(source)).revision.sha).toBe(sha)
  })

  test('locks left by a killed Git do not stop the next start', async () => {
    const remote = makeRemote()
    remote.push({ 'a.yaml': '0' })
    const mirrorDir = scratch()
    await poll(sourceOf(remote, { mirrorDir }))
    const [mirror] = readdirSync(mirrorDir).filter((name) => name.endsWith('.git'))
    writeFileSync(join(mirrorDir, mirror!, 'shallow.lock'), '')
    writeFileSync(join(mirrorDir, mirror!, 'refs/trireme/head.lock'), '')
    const sha = remote.push({ 'a.yaml': '1' })
    expect((await poll(sourceOf(remote, { mirrorDir }))).revision.sha).toBe(sha)
  })

  test('half packs left by a killed Git go with the next start', async () => {
    const remote = makeRemote()
    const sha = remote.push({ 'a.yaml': '0' })
    const mirrorDir = scratch()
    await poll(sourceOf(remote, { mirrorDir }))
    const [mirror] = readdirSync(mirrorDir).filter((name) => name.endsWith('.git'))
    const objects = join(mirrorDir, mirror!, 'objects')
    writeFiles(objects, { 'pack/tmp_pack_diQvvU': 'half', 'tmp_objdir-incoming-x/pack/tmp_pack_y': 'half' })
    expect((await poll(sourceOf(remote, { mirrorDir }))).revision.sha).toBe(sha)
    expect(readdirSync(objects, { recursive: true }).filter((name) => String(name).includes('tmp_'))).toEqual([])
  })
})

describe('tree', () => {
  test('files below the path, sorted, bytes as they are', async () => {
    const remote = makeRemote()
    const binary = Uint8Array.from([0, 255, 10, 13, 10, 0])
    const sha = remote.push({
      'deploy/b.yaml': 'b\r\n',
      'deploy/a/x.bin': binary,
      'deploy/ü m.yaml': '',
      'other.yaml': 'no',
      'deploy-2/c.yaml': 'no',
    })
    const source = sourceOf(remote, { path: './deploy/' })
    await poll(source)
    const tree = await source.tree(sha, never)
    expect(tree.files.map(({ path }) => path)).toEqual(['a/x.bin', 'b.yaml', 'ü m.yaml'])
    expect(tree.files[0]!.bytes).toEqual(binary)
    expect(texts(tree)['b.yaml']).toBe('b\r\n')
    expect(tree.refused).toEqual([])
  })

  test('the hash changes exactly when the files below the path do', async () => {
    const remote = makeRemote()
    const source = sourceOf(remote, { path: 'deploy' })
    const hashOf = async (files: Record<string, string>) => {
      const sha = remote.push(files)
      await poll(source)
      return (await source.tree(sha, never)).hash
    }
    const first = await hashOf({ 'deploy/a.yaml': '1' })
    expect(await hashOf({ 'README.md': 'x' })).toBe(first)
    expect(await hashOf({ 'deploy/a.yaml': '2' })).not.toBe(first)
    expect(await hashOf({ 'deploy/a.yaml': '1' })).toBe(first)
  })

  test('an older revision stays readable after a force-push, garbage collection and a restart', async () => {
    const remote = makeRemote()
    const base = remote.push({ 'a.yaml': '0' })
    const lost = remote.push({ 'a.yaml': 'lost' })
    const mirrorDir = scratch()
    const source = sourceOf(remote, { mirrorDir })
    await poll(source)
    remote.git('reset', '--quiet', '--hard', base)
    remote.push({ 'a.yaml': 'new' })
    await poll(source)
    const [mirror] = readdirSync(mirrorDir).filter((name) => name.endsWith('.git'))
    remote.git('--git-dir', join(mirrorDir, mirror!), 'gc', '--quiet', '--prune=now')
    expect(texts(await sourceOf(remote, { mirrorDir }).tree(lost, never))).toEqual({ 'a.yaml': 'lost' })
  })

  for (const { name, path, want } of [
    { name: 'a path that does not exist names path, revision and branch', path: 'nope', want: 'pathNotFound' },
    { name: 'a path that is a file', path: 'a.yaml', want: 'pathNotFound' },
    { name: 'a path that is a link', path: 'link', want: 'refused' },
  ]) {
    test(name, async () => {
      const remote = makeRemote()
      remote.push({ 'a.yaml': '0' })
      symlinkSync('/etc', join(remote.work, 'link'))
      const sha = remote.push({})
      const source = sourceOf(remote, { path })
      await poll(source)
      await expect(source.tree(sha, never)).rejects.toMatchObject({
        kind: want,
        message: expect.stringMatching(new RegExp(`path ${path} .*${sha.slice(0, 12)} of branch main`)),
      })
    })
  }

  test('links, submodules, LFS pointers and large files are refused by name; the rest is read', async () => {
    const remote = makeRemote()
    symlinkSync('/etc/passwd', join(remote.work, 'passwd.yaml'))
    const sha0 = remote.push({
      'a.yaml': 'ok',
      'big.yaml': 'x'.repeat(101),
      'lfs.bin': 'version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n',
    })
    remote.git('update-index', '--add', '--cacheinfo', `160000,${sha0},sub`)
    remote.git('commit', '--quiet', '-m', 'submodule')
    remote.git('push', '--quiet', remote.bare, 'HEAD')
    const source = sourceOf(remote, { maxFileBytes: 100 })
    const { revision } = await poll(source)
    const tree = await source.tree(revision.sha, never)
    expect(texts(tree)).toEqual({ 'a.yaml': 'ok' })
    expect(tree.refused.map(({ path, reason }) => `${path}: ${reason.split(':')[0]}`)).toEqual([
      'big.yaml: 101 bytes',
      'lfs.bin: a Git LFS pointer',
      'passwd.yaml: a symbolic link',
      'sub: a submodule',
    ])
  })

  for (const { name, limits } of [
    { name: 'too many files', limits: { maxFiles: 2 } },
    { name: 'too many bytes', limits: { maxTotalBytes: 5 } },
  ]) {
    test(`${name} refuse the tree as a whole`, async () => {
      const remote = makeRemote()
      const sha = remote.push({ 'a.yaml': '00', 'b.yaml': '11', 'c.yaml': '22' })
      const source = sourceOf(remote, limits)
      await poll(source)
      await expect(source.tree(sha, never)).rejects.toMatchObject({ kind: 'refused' })
    })
  }

  test('a revision that was never polled, and what is no commit id', async () => {
    const remote = makeRemote()
    remote.push({ 'a.yaml': '0' })
    const source = sourceOf(remote)
    await poll(source)
    await expect(source.tree('0'.repeat(40), never)).rejects.toMatchObject({ kind: 'failed' })
    await expect(source.tree('--output=/tmp/x', never)).rejects.toMatchObject({ kind: 'refused' })
    expect((await poll(source)).revision.sha).toBe(remote.git('rev-parse', 'HEAD'))
  })
})

describe('hostile repositories', () => {
  test('configuration, hooks, attributes and filters of the repository run nothing', async () => {
    const remote = makeRemote()
    const trap = join(scratch(), 'ran')
    const touch = `touch ${trap}; cat`
    const sha = remote.push({
      'a.yaml': 'plain',
      '.gitattributes': '* filter=evil diff=evil text eol=crlf export-subst\n',
      '.gitconfig': `[core]\n\tsshCommand = ${touch}\n`,
      '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = https://example.invalid/x\n',
    })
    for (const [key, value] of [
      ['filter.evil.smudge', touch],
      ['filter.evil.clean', touch],
      ['core.fsmonitor', touch],
      ['core.hooksPath', join(remote.bare, 'hooks')],
      ['uploadpack.packObjectsHook', touch],
      ['core.pager', touch],
    ] as const) {
      remote.git('--git-dir', remote.bare, 'config', key, value)
    }
    for (const hook of ['post-update', 'reference-transaction', 'post-checkout', 'pre-auto-gc', 'post-index-change']) {
      writeFileSync(join(remote.bare, 'hooks', hook), `#!/bin/sh\n${touch}\n`, { mode: 0o755 })
    }
    const source = sourceOf(remote)
    await poll(source)
    expect(texts(await source.tree(sha, never))['a.yaml']).toBe('plain')
    expect(() => readFileSync(trap)).toThrow(/ENOENT/)
  })

  test('configuration around the data directory and of the user is not read', async () => {
    const remote = makeRemote()
    const sha = remote.push({ 'a.yaml': '0' })
    const mirrorDir = join(remote.work, 'data')
    remote.git('config', `url./nowhere/.insteadOf`, remote.bare)
    const home = scratch()
    writeFileSync(join(home, '.gitconfig'), `[url "/nowhere/"]\n\tinsteadOf = ${remote.bare}\n`)
    const environment = {
      PATH: process.env.PATH,
      HOME: home,
      GIT_CONFIG_GLOBAL: join(home, '.gitconfig'),
      GIT_SSH_COMMAND: 'false',
    }
    const { revision } = await poll(sourceOf(remote, { mirrorDir, environment }))
    expect(revision.sha).toBe(sha)
  })

  test('a commit that git fsck refuses is refused, and nothing changes', async () => {
    const remote = makeRemote()
    const good = remote.push({ 'a.yaml': 'good' })
    const source = sourceOf(remote)
    await poll(source)
    remote.push({ '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = -u./payload\n' })
    await expect(poll(source)).rejects.toMatchObject({ kind: 'refused', message: expect.stringContaining('git fsck') })
    expect(texts(await source.tree(good, never))).toEqual({ 'a.yaml': 'good' })
    remote.git('reset', '--quiet', '--hard', good)
    const next = remote.push({ 'a.yaml': 'better' })
    expect(await poll(source)).toMatchObject({ revision: { sha: next }, forced: false })
  })
})
