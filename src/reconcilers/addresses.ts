/** IPv4 addresses and ranges as numbers. */
import { createHash } from 'node:crypto'

export interface Range {
  readonly first: number
  /** a power of two */
  readonly size: number
}

export function parseAddress(ip: string): number {
  const parts = ip.split('.').map(Number)
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255))
    throw new RangeError(`"${ip}" is not an IPv4 address`)
  return parts.reduce((sum, part) => sum * 256 + part, 0)
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.')
}

/** Parses `10.88.0.0/16`; throws a RangeError that names the text. */
export function parseRange(cidr: string): Range {
  const [ip = '', bits = ''] = cidr.split('/')
  const prefix = Number(bits)
  if (bits === '' || !Number.isInteger(prefix) || prefix < 8 || prefix > 30)
    throw new RangeError(`"${cidr}" is not an IPv4 range such as 10.88.0.0/16`)
  const size = 2 ** (32 - prefix)
  const address = parseAddress(ip)
  if (address % size !== 0)
    throw new RangeError(
      `"${cidr}" has bits set behind its prefix; the range starts at ${formatAddress(address - (address % size))}`,
    )
  return { first: address, size }
}

export function formatRange(range: Range): string {
  return `${formatAddress(range.first)}/${32 - Math.log2(range.size)}`
}

export function isInRange(ip: string, cidr: string): boolean {
  const range = parseRange(cidr)
  const address = parseAddress(ip)
  return address >= range.first && address < range.first + range.size
}

/** The first 32 bits of SHA-256: spreads ids evenly, the same on any machine. */
export function hashNumber(id: string): number {
  return createHash('sha256').update(id).digest().readUInt32BE(0)
}
