import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { gitSource } from '../../../src/git/repository.ts'

const dir = mkdtempSync(join(tmpdir(), 'trireme-scope-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test('an overlay on a base beside it can be read with the whole repository around it', async () => {
  const repository = join(dir, 'repository')
  for (const folder of ['base', 'overlays/prod']) mkdirSync(join(repository, folder), { recursive: true })
  writeFileSync(join(repository, 'base/web.yaml'), 'a: 1\n')
  writeFileSync(join(repository, 'overlays/prod/kustomization.yaml'), 'resources: [../../base]\n')
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', repository, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { stdio: 'pipe' })
  git('init', '-q', '-b', 'main')
  git('add', '-A')
  git('commit', '-qm', 'first')
  const source = gitSource({
    name: 'scope',
    url: repository,
    branch: 'main',
    path: 'overlays/prod',
    mirrorDir: join(dir, 'mirrors'),
    timeoutMs: 20_000,
    environment: process.env,
  })
  const { signal } = new AbortController()
  const { revision } = await source.poll(signal)
  const below = await source.tree(revision.sha, signal)
  const whole = await source.tree(revision.sha, signal, 'whole')
  expect(below.files.map(({ path }) => path)).toEqual(['kustomization.yaml'])
  expect(whole.files.map(({ path }) => path)).toEqual(['base/web.yaml', 'overlays/prod/kustomization.yaml'])
})
