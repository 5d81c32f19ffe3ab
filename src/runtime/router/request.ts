import { createHash } from 'node:crypto'
import { compileZones } from '../../reconcilers/dnszone.ts'
import { compileNft, compileNftChange, type NftOptions, staleFlows } from '../../reconcilers/nft.ts'
import type { RouteTable } from '../../reconcilers/routetable.ts'
import { RouterError } from './error.ts'

/** Bytes that one request may have; a table of 10,000 Services and 150,000 pods takes two thirds of it. */
const maxRequestBytes = 64 * 1024 * 1024

/** What the router keeps for the daemon. Another version, or other options, and nothing in it is built on. */
interface Meta {
  readonly version: 1
  readonly options: NftOptions
  readonly table: RouteTable
}

/**
 * The bytes of one `apply` request, as images/node/agent.sh reads it.
 *
 * @param previous the table that the router serves now; `undefined` makes everything from nothing.
 * @throws RouterError `rejected` when the table is too large to send.
 */
export function applyRequest(id: number, previous: RouteTable | undefined, next: RouteTable, options: NftOptions): Uint8Array {
  const zones = compileZones(next, options.serviceRange)
  const before = previous && compileZones(previous, options.serviceRange)
  const change = previous ? compileNftChange(previous, next, options) : ''
  const flows = staleFlows(previous ?? { services: [], dns: [], domain: next.domain }, next)
  const flowLines = flows.map((flow) => `${flow.address} ${flow.port} ${flow.backendIp} ${flow.backendPort}\n`).join('')
  const kept = [compileNft(next, options), zones.forward, zones.reverse, metaText(next, options)]
  const keptBytes = kept.map((part) => Buffer.byteLength(part))
  const stored = ` ${keptBytes.join(' ')}\n`
  const storedBytes = SUM_BYTES + stored.length + total(keptBytes)
  const differ = zonesThatDiffer(before?.forward === zones.forward, before?.reverse === zones.reverse)
  const header = `apply ${id} ${previous ? 'change' : 'full'} ${differ} ${Buffer.byteLength(change)} ${flowLines.length} ${storedBytes}\n`
  const head = `${header}${change}${flowLines}`
  const tail = `end ${id}\n`
  const bytes = Buffer.byteLength(head) + storedBytes + tail.length
  if (bytes > maxRequestBytes) {
    const message = `the route table takes ${bytes} bytes, more than ${maxRequestBytes}: use fewer Services`
    throw new RouterError('rejected', message)
  }
  return withSum(head, [stored, ...kept, tail], kept.length, bytes)
}

/** A `Meta` as JSON. Most of a table is the same value as in the one before, and so is its text. */
function metaText(table: RouteTable, { serviceRange, dnsAddress }: NftOptions): string {
  const services = `[${table.services.map(textOf).join()}]`
  const head = JSON.stringify({ version: 1, options: { serviceRange, dnsAddress } } satisfies Omit<Meta, 'table'>)
  return `${head.slice(0, -1)},"table":{"services":${services},"dns":${textOf(table.dns)},"domain":${JSON.stringify(table.domain)}}}`
}

const texts = new WeakMap<object, string>()

function textOf(value: object): string {
  const known = texts.get(value)
  if (known !== undefined) return known
  const text = JSON.stringify(value)
  texts.set(value, text)
  return text
}

/** Of a SHA-256 in hexadecimal. */
const SUM_BYTES = 64

/**
 * `head`, the checksum of the `summed` parts after the first, and the parts. Written into one buffer, made once: a large
 * request in several copies would have the whole heap collected each time.
 */
function withSum(head: string, parts: readonly string[], summed: number, bytes: number): Uint8Array {
  const request = Buffer.allocUnsafe(bytes)
  const sumAt = request.write(head, 0)
  const ends: number[] = []
  for (const part of parts) {
    const at = ends.at(-1) ?? sumAt + SUM_BYTES
    ends.push(at + request.write(part, at))
  }
  const sum = createHash('sha256').update(request.subarray(ends[0], ends[summed])).digest('hex')
  request.write(sum, sumAt)
  return request
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0)
}

function zonesThatDiffer(sameForward: boolean, sameReverse: boolean): string {
  if (sameForward) return sameReverse ? 'none' : 'reverse'
  return sameReverse ? 'forward' : 'both'
}

/** The table in the answer to `meta`; `undefined` when there is none that changes could be built on. */
export function tableOf(base64: string, options: NftOptions): RouteTable | undefined {
  if (base64 === '-') return undefined
  try {
    const meta = JSON.parse(Buffer.from(base64, 'base64').toString('utf8')) as Partial<Meta> | null
    const same = meta?.options?.serviceRange === options.serviceRange && meta.options.dnsAddress === options.dnsAddress
    return meta?.version === 1 && same ? meta.table : undefined
  } catch {
    return undefined
  }
}
