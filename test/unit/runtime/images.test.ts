import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { contentVersion } from '../../../images/version.mjs'
import { NODE_IMAGE } from '../../../src/runtime/images.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trireme-images-'))
  writeFileSync(join(folder, 'Dockerfile'), 'FROM scratch\n')
})
afterEach(() => rmSync(folder, { recursive: true }))

test('the node image is named after the content of its folder', () => {
  expect(NODE_IMAGE).toBe(`trireme/node:${contentVersion('images/node')}`)
})

test('contentVersion: stays while nothing changes', () => {
  expect(contentVersion(folder)).toMatch(/^[0-9a-f]{12}$/)
  expect(contentVersion(folder)).toBe(contentVersion(folder))
})

for (const { name, change } of [
  { name: 'a changed byte', change: () => writeFileSync(join(folder, 'Dockerfile'), 'FROM Scratch\n') },
  { name: 'a new file, though empty', change: () => writeFileSync(join(folder, 'empty.sh'), '') },
  {
    name: 'a file under another name',
    change: () => {
      rmSync(join(folder, 'Dockerfile'))
      writeFileSync(join(folder, 'dockerfile'), 'FROM scratch\n')
    },
  },
]) {
  test(`contentVersion: another version after ${name}`, () => {
    const before = contentVersion(folder)
    change()
    expect(contentVersion(folder)).not.toBe(before)
  })
}

test('contentVersion: another base is another version', () => {
  expect(contentVersion(folder, ['debian:12'])).not.toBe(contentVersion(folder, ['debian:13']))
})
