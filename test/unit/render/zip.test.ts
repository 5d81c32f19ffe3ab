import { crc32, deflateRawSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { readZipEntry } from '../../../src/render/zip.ts'

interface Entry {
  readonly name: string
  readonly text: string
  readonly method?: number
  readonly sum?: number
}

function zip(entries: readonly Entry[], comment = ''): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const { name, text, method = 8, sum } of entries) {
    const packed = method === 8 ? deflateRawSync(text) : Buffer.from(text)
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(name.length, 26)
    const central = Buffer.alloc(46)
    central.writeUInt32LE(0x02014b50, 0)
    central.writeUInt16LE(method, 10)
    central.writeUInt32LE(sum ?? crc32(text), 16)
    central.writeUInt32LE(packed.length, 20)
    central.writeUInt32LE(text.length, 24)
    central.writeUInt16LE(name.length, 28)
    central.writeUInt32LE(offset, 42)
    parts.push(local, Buffer.from(name), packed)
    directory.push(central, Buffer.from(name))
    offset += 30 + name.length + packed.length
  }
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt32LE(offset, 16)
  end.writeUInt16LE(comment.length, 20)
  return Buffer.concat([...parts, ...directory, end, Buffer.from(comment)])
}

const archive = zip(
  [
    { name: 'a', text: 'first' },
    { name: 'b/c', text: 'x'.repeat(10_000) },
    { name: 'd', text: 'stored', method: 0 },
  ],
  'a comment',
)

test.each([
  ['a', 'first'],
  ['b/c', 'x'.repeat(10_000)],
  ['d', 'stored'],
])('%s', (name, want) => expect(readZipEntry(archive, name).toString()).toBe(want))

describe('refused', () => {
  test('a name that is not there', () => expect(() => readZipEntry(archive, 'z')).toThrow('the archive has no file z'))
  test('a wrong checksum', () =>
    expect(() => readZipEntry(zip([{ name: 'a', text: 'x', sum: 1 }]), 'a')).toThrow('checksum of a'))
  test('another packing', () => expect(() => readZipEntry(zip([{ name: 'a', text: 'x', method: 12 }]), 'a')).toThrow('method 12'))
  test('no archive', () =>
    expect(() => readZipEntry(Buffer.from('not an archive at all, but longer'), 'a')).toThrow('not a ZIP archive'))
})
