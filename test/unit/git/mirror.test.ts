import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Git, GitExit, hardenedGit } from '../../../src/git/command.ts'
import { gitConfig, gitEnvironment } from '../../../src/git/environment.ts'
import { ancestryOf, fetchBranch, isMirrorDamaged, openMirror, readHead, recordRevision } from '../../../src/git/mirror.ts'
import { makeRemote, type Remote, scratch } from './support.ts'

async function mirrorOf(remote: Remote): Promise<{ git: Git; dir: string }> {
  const dir = scratch()
  const transport = { transport: 'file', address: remote.bare, origin: '' } as const
  const environment = gitEnvironment({
    remote: transport,
    login: undefined,
    credentials: {},
    homeDir: dir,
    gitDir: dir,
    knownHostsFile: join(dir, 'known_hosts'),
    inherited: process.env,
  })
  const config = gitConfig({ remote: transport, caFile: undefined, timeoutMs: 10_000 })
  const git = hardenedGit({ dir, environment, config }, new AbortController().signal)
  await openMirror(git, dir)
  return { git, dir }
}

/** Empty commits, pushed; returns all of the branch, oldest first. */
function commits(remote: Remote, count: number): string[] {
  for (let n = 0; n < count; n++) remote.git('commit', '--quiet', '--allow-empty', '-m', `c${n}`)
  remote.git('push', '--quiet', '--force', remote.bare, 'HEAD')
  return remote.git('rev-list', '--reverse', 'HEAD').split('\n')
}

describe('recordRevision', () => {
  test('keeps the newest twenty, and one that returns counts as new', async () => {
    const remote = makeRemote()
    const shas = commits(remote, 22)
    const { git } = await mirrorOf(remote)
    await fetchBranch(git, remote.bare, 'main', 22)
    for (const sha of shas) await recordRevision(git, sha)
    expect(await recordRevision(git, shas[5]!)).toBe(23)
    const pins = (await git.text(['for-each-ref', '--format=%(refname:lstrip=3)', 'refs/trireme/revisions'])).trim().split('\n')
    const kept = [...shas.slice(2).filter((sha) => sha !== shas[5]), shas[5]!]
    expect(pins.map((pin) => pin.slice(9))).toEqual(kept)
    expect(await readHead(git)).toBe(shas[5])
  })
})

describe('ancestryOf', () => {
  test('is unknown where history is cut too early, and known once it is deep enough', async () => {
    const remote = makeRemote()
    const [first] = commits(remote, 1)
    const { git, dir } = await mirrorOf(remote)
    await fetchBranch(git, remote.bare, 'main', 1)
    commits(remote, 10)
    const after = await fetchBranch(git, remote.bare, 'main', 4)
    expect(await ancestryOf(git, dir, first!, after)).toBe('unknown')
    await fetchBranch(git, remote.bare, 'main', 16)
    expect(await ancestryOf(git, dir, first!, after)).toBe('ancestor')
    expect(await ancestryOf(git, dir, after, first!)).toBe('rewritten')
  })

  test('is rewritten without looking deeper where every cut is long before', async () => {
    const remote = makeRemote()
    for (let n = 0; n < 6; n++) remote.gitAt('2020-01-01T00:00:00Z', 'commit', '--quiet', '--allow-empty', '-m', `old ${n}`)
    const base = remote.git('rev-parse', 'HEAD')
    const [before] = commits(remote, 1).slice(-1)
    const { git, dir } = await mirrorOf(remote)
    await fetchBranch(git, remote.bare, 'main', 1)
    remote.git('reset', '--quiet', '--hard', base)
    remote.push({ 'a.yaml': 'other' })
    const after = await fetchBranch(git, remote.bare, 'main', 3)
    expect(await ancestryOf(git, dir, before!, after)).toBe('rewritten')
  })
})

describe('isMirrorDamaged', () => {
  const complaint = new GitExit(128, 'fatal: bad object abc')

  test('does not blame a sound mirror for what a remote says', async () => {
    const remote = makeRemote()
    commits(remote, 1)
    const { git } = await mirrorOf(remote)
    await recordRevision(git, await fetchBranch(git, remote.bare, 'main', 1))
    expect(await isMirrorDamaged(git, complaint)).toBe(false)
  })

  test('finds the damage of one that is not', async () => {
    const remote = makeRemote()
    commits(remote, 1)
    const { git, dir } = await mirrorOf(remote)
    await recordRevision(git, await fetchBranch(git, remote.bare, 'main', 1))
    writeFileSync(join(dir, 'refs/trireme/head'), `${'1'.repeat(40)}\n`)
    expect(await isMirrorDamaged(git, complaint)).toBe(true)
    expect(await isMirrorDamaged(git, new GitExit(128, 'fatal: Connection refused'))).toBe(false)
  })
})
