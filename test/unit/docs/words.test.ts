import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { root } from './pages.ts'

/** Committed files, but those that were not written here. */
const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
  .split('\0')
  .filter((file) => file !== '' && !/^(LICENSE|package-lock\.json|src\/model\/schema\/kubernetes\.json)$/.test(file))
  .filter((file) => existsSync(new URL(file, root)))

const lines = files.flatMap((file) =>
  readFileSync(new URL(file, root), 'utf8')
    .split('\n')
    .map((text, index) => ({ where: `${file}:${index + 1}`, text })),
)

function found(pattern: RegExp): readonly string[] {
  return lines.filter(({ text }) => pattern.test(text)).map(({ where, text }) => `${where}: ${text.trim().slice(0, 120)}`)
}

test('no path of one machine', () => {
  expect(found(/(^|[^\w.$})*-])\/(work|shared|root|Users|mnt)\//)).toEqual([])
  // The one home that tests make up.
  expect(found(/\/home\/(?!ada\b)/)).toEqual([])
})

/** Hosts that pages and code may name: reserved for examples, or public and meant. */
const publicHosts = new Set([
  'docs.docker.com',
  'git-lfs.github.com',
  'github.com',
  'index.docker.io',
  'kubernetes.io',
  'pkware.cachefly.net',
  'registry-1.docker.io',
  'semver.org',
  'sqlite.org',
])

test('no host but examples and public ones', () => {
  const hosts = lines.flatMap(({ where, text }) =>
    [...text.matchAll(/\b(?:https?|ssh|git|npm):\/\/(?:[^/@\s'"`]*@)?([a-z0-9-]+(?:\.[a-z0-9-]+)+)/gi)].map(([, host]) => ({
      where,
      host: (host ?? '').toLowerCase(),
    })),
  )
  const unknown = hosts.filter(
    ({ host }) =>
      !publicHosts.has(host) &&
      !/(^|\.)(example|invalid|test|local|default|example\.(org|com|net))$/.test(host) &&
      !/^\d+(\.\d+){3}$/.test(host),
  )
  expect(unknown).toEqual([])
})

test('nothing is left for later in a comment', () => {
  // Written backwards, or this file would be found.
  const marks = ['ODOT', 'EMXIF', 'KCAH'].map((word) => [...word].reverse().join(''))
  expect(found(new RegExp(`\\b(${marks.join('|')})\\b`))).toEqual([])
})
