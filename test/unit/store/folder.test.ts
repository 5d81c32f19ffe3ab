import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makePrivateFolder } from '../../../src/store/folder.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'trireme-folder-'))
})
afterEach(() => rmSync(root, { recursive: true }))

test('makes what is missing above it, for its owner alone, and again without complaint', () => {
  const dir = join(root, 'a/b/c')
  makePrivateFolder(dir)
  makePrivateFolder(dir)
  expect(statSync(join(root, 'a')).mode & 0o777).toBe(0o700)
  expect(statSync(dir).mode & 0o777).toBe(0o700)
})

test('a file in its place is told', () => {
  writeFileSync(join(root, 'file'), '')
  expect(() => makePrivateFolder(join(root, 'file'))).toThrow(/EEXIST/)
  expect(() => makePrivateFolder(join(root, 'file/below'))).toThrow(/ENOTDIR/)
})

test('a place where no folder can ever be is told at once', () => {
  expect(() => makePrivateFolder('/proc/trireme/data')).toThrow(/ENOENT/)
})
