import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { checkBranch, checkPath, entryRefusal } from '../../../src/git/names.ts'

const goodBranches = ['main', 'release/1.2', 'feature/a-b_c', 'v1', 'x@y', 'ü', 'a.b', '{x', 'a--b', 'x/refs/heads']
const badBranches = [
  '',
  '-x',
  '--upload-pack=touch',
  'a..b',
  'a b',
  'a~1',
  'a^',
  'a:b',
  'a?',
  'a*',
  'a[b',
  'a\\b',
  'a@{1}',
  '.a',
  'a/.b',
  'a.lock',
  'a.lock/b',
  'a/',
  '/a',
  'a//b',
  'a.',
  'a\nb',
  'a\u007f',
]

describe('checkBranch', () => {
  for (const branch of goodBranches) test(`accepts ${branch}`, () => expect(checkBranch(branch)).toBe(branch))
  for (const branch of [...badBranches, '@', 'HEAD', 'refs/heads/main']) {
    test(`refuses ${JSON.stringify(branch)} by name`, () => {
      expect(() => checkBranch(branch)).toThrow(`branch ${JSON.stringify(branch)} is refused: `)
    })
  }
  test("agrees with Git's own check", () => {
    const verdict = (branch: string) =>
      spawnSync('git', ['check-ref-format', '--branch', branch], { stdio: 'ignore' }).status === 0
    for (const branch of goodBranches) expect(verdict(branch), branch).toBe(true)
    for (const branch of badBranches) expect(verdict(branch), branch).toBe(false)
  })
})

describe('checkPath', () => {
  for (const [path, want] of [
    ['.', ''],
    ['', ''],
    ['./', ''],
    ['deploy', 'deploy'],
    ['./deploy//prod/', 'deploy/prod'],
    ['-x', '-x'],
    [':(top)x', ':(top)x'],
    ['..a/b..', '..a/b..'],
  ] as const) {
    test(`${JSON.stringify(path)} is ${JSON.stringify(want)}`, () => expect(checkPath(path)).toBe(want))
  }
  for (const path of ['/etc', '..', 'a/../..', '../x', 'a/..', '.git', 'a/.GIT/hooks', 'a\\..\\b', 'a\nb', 'a\0b']) {
    test(`refuses ${JSON.stringify(path)} by name`, () => {
      expect(() => checkPath(path)).toThrow(`path ${JSON.stringify(path)} is refused: `)
    })
  }
})

describe('entryRefusal', () => {
  for (const path of ['a.yaml', 'a b/ü.yaml', '..a', 'x/.gitignore']) {
    test(`accepts ${path}`, () => expect(entryRefusal(path)).toBeUndefined())
  }
  for (const path of ['../a', 'a/../b', '/a', 'a//b', './a', '.git/config', 'a/.Git', 'a\nb', 'a\ufffdb']) {
    test(`refuses ${JSON.stringify(path)}`, () => expect(entryRefusal(path)).toEqual(expect.any(String)))
  }
})
