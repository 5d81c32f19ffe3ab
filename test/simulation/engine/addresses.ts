/** Docker's address book: the lowest free address of a range, at once reused. */

export interface Range {
  readonly first: number
  readonly last: number
}

export function toNumber(ip: string): number {
  return ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

export function toText(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.')
}

/** First and last address of `10.0.0.0/24`; `undefined` when that is not a range. */
export function rangeOf(cidr: string): Range | undefined {
  const match = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/.exec(cidr)
  if (match === null || Number(match[2]) > 32) return undefined
  const size = 2 ** (32 - Number(match[2]))
  const first = Math.floor(toNumber(match[1]!) / size) * size
  return { first, last: first + size - 1 }
}

export const overlap = (a: Range, b: Range): boolean => a.first <= b.last && b.first <= a.last

export function lowestFree({ first, last }: Range, used: ReadonlySet<number>): number | undefined {
  for (let address = first; address <= last; address += 1) if (!used.has(address)) return address
  return undefined
}
