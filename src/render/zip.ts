/**
 * Reads one file out of a ZIP archive.
 *
 * Written by hand because Node inflates and checks sums but reads no archives, and this is all we need of the format:
 * stored and deflated entries, no encryption, no ZIP64.
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT sections 4.3.7, 4.3.12 and 4.3.16
 */
import { crc32, inflateRawSync } from 'node:zlib'

const endMark = 0x06054b50
const entryMark = 0x02014b50

/** The bytes of the entry called `name`. Throws when there is none, or when its checksum does not hold. */
export function readZipEntry(archive: Buffer, name: string): Buffer {
  let at = directoryOffset(archive)
  while (archive.readUInt32LE(at) === entryMark) {
    const nameLength = archive.readUInt16LE(at + 28)
    if (archive.toString('utf8', at + 46, at + 46 + nameLength) === name) return content(archive, at, name)
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32)
  }
  throw new Error(`the archive has no file ${name}`)
}

/** The end record stands at the very end, before a comment of at most 64 KiB. */
function directoryOffset(archive: Buffer): number {
  const lowest = Math.max(0, archive.length - 22 - 0xffff)
  for (let at = archive.length - 22; at >= lowest; at -= 1) {
    if (archive.readUInt32LE(at) === endMark) return archive.readUInt32LE(at + 16)
  }
  throw new Error('not a ZIP archive')
}

function content(archive: Buffer, entry: number, name: string): Buffer {
  const method = archive.readUInt16LE(entry + 10)
  const sum = archive.readUInt32LE(entry + 16)
  const size = archive.readUInt32LE(entry + 20)
  const header = archive.readUInt32LE(entry + 42)
  const start = header + 30 + archive.readUInt16LE(header + 26) + archive.readUInt16LE(header + 28)
  const packed = archive.subarray(start, start + size)
  if (method !== 0 && method !== 8) throw new Error(`${name} is packed by method ${method}, which is not known here`)
  const bytes = method === 0 ? packed : inflateRawSync(packed)
  if (crc32(bytes) !== sum) throw new Error(`the checksum of ${name} does not hold`)
  return bytes
}
