import tar from 'tar-stream'
import { expect, test } from 'vitest'
import { ArchiveError, packFiles, unpack, unpackFiles } from '../../../src/runtime/archive.ts'
import { tarOf } from '../../support/tars.ts'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const shown = (files: Awaited<ReturnType<typeof unpackFiles>>) =>
  files.map((file) => `${file.path} ${file.mode.toString(8)} ${Buffer.from(file.bytes).toString()}`)

async function headersOf(archive: Uint8Array): Promise<tar.Header[]> {
  const headers: tar.Header[] = []
  const extract = tar.extract()
  extract.end(Buffer.from(archive))
  for await (const entry of extract) {
    headers.push(entry.header)
    entry.resume()
  }
  return headers
}

const files = [
  { path: 'z.txt', mode: 0o600, bytes: text('last') },
  { path: 'conf.d/sub/a.conf', mode: 0o644, bytes: text('first') },
]

test('files come back as they were, sorted', async () => {
  const back = await unpackFiles(await packFiles(files, { gid: 0 }), { maxBytes: 100 })
  expect(shown(back)).toEqual(['conf.d/sub/a.conf 644 first', 'z.txt 600 last'])
})

test('parents come first, 0755, with root, the group and no time', async () => {
  const headers = await headersOf(await packFiles(files, { gid: 2000 }))
  expect(headers.map((header) => [header.name, header.type, header.mode?.toString(8)])).toEqual([
    ['conf.d', 'directory', '755'],
    ['conf.d/sub', 'directory', '755'],
    ['conf.d/sub/a.conf', 'file', '644'],
    ['z.txt', 'file', '600'],
  ])
  for (const header of headers) expect([header.uid, header.gid, header.mtime?.getTime()]).toEqual([0, 2000, 0])
})

test('files say when they were changed, where that is told', async () => {
  const [header] = await headersOf(await packFiles(files, { gid: 0, changedAt: 1_764_500_000_000 }))
  expect(header!.mtime?.getTime()).toBe(1_764_500_000_000)
})

test('equal files give equal bytes, in any order', async () => {
  const there = await packFiles(files, { gid: 0 })
  expect(await packFiles([...files].reverse(), { gid: 0 })).toEqual(there)
})

test('an empty volume is an empty archive, and a large file comes through', async () => {
  expect(await unpackFiles(await packFiles([], { gid: 0 }), { maxBytes: 1 })).toEqual([])
  const large = { path: 'large', mode: 0o644, bytes: new Uint8Array(3_000_000).fill(7) }
  const [back] = await unpackFiles(await packFiles([large], { gid: 0 }), { maxBytes: 3_000_000 })
  expect(Buffer.from(back!.bytes).equals(Buffer.from(large.bytes))).toBe(true)
})

for (const path of ['../up', 'a/../../up', '/etc/passwd', '', '.', 'a\0b']) {
  test(`a file at ${JSON.stringify(path)} is not packed`, () =>
    expect(packFiles([{ path, mode: 0o644, bytes: text('') }], { gid: 0 })).rejects.toThrow(ArchiveError))
}

for (const { name, archive } of [
  { name: 'a link that is outside', archive: () => tarOf({ name: 'a/../../b', type: 'symlink', linkname: 'a' }) },
  { name: 'a path that leads out', archive: () => tarOf({ name: '../../etc/shadow', body: 'x' }) },
  {
    name: 'more bytes than allowed',
    archive: () => tarOf({ name: 'a', body: 'x'.repeat(600) }, { name: 'b', body: 'x'.repeat(600) }),
  },
  { name: 'no tar', archive: async () => new Uint8Array(4096).fill(65) },
  { name: 'no tar but an end', archive: async () => new Uint8Array(4096).fill(65, 0, 2048) },
  { name: 'nothing', archive: async () => new Uint8Array(0) },
  {
    name: 'a size that is not there',
    archive: async () => {
      const whole = Buffer.from(await tarOf({ name: 'a', size: 900, body: 'x'.repeat(900) }))
      return Buffer.concat([whole.subarray(0, 512 + 100), Buffer.alloc(1024)])
    },
  },
]) {
  test(`unpackFiles refuses ${name}`, async () =>
    expect(unpackFiles(await archive(), { maxBytes: 1000 })).rejects.toThrow(ArchiveError))
}

test('an archive cut anywhere is refused, never half read', async () => {
  const whole = await packFiles(files, { gid: 0 })
  for (let length = 0; length <= whole.length - 1024; length += 256) {
    await expect(unpackFiles(whole.subarray(0, length), { maxBytes: 1000 }), `${length} bytes`).rejects.toThrow(ArchiveError)
  }
})

test('links, folders and devices are left out', async () => {
  const archive = await tarOf(
    { name: 'dir', type: 'directory' },
    { name: 'link', type: 'symlink', linkname: '/etc/passwd' },
    { name: 'hard', type: 'link', linkname: 'file' },
    { name: 'dev', type: 'character-device' },
    { name: './file', body: 'kept', mode: 0o100644 },
  )
  expect(shown(await unpackFiles(archive, { maxBytes: 1000 }))).toEqual(['file 644 kept'])
  expect((await unpack(archive, { maxBytes: 1000 })).links).toEqual([{ path: 'link', target: '/etc/passwd' }])
})
