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
  const kept = [compileNft(next, options), zones.forward, zones.reverse, metaText(next, options)].map(bytesOf)
  const sum = kept.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex')
  const stored = Buffer.concat([bytesOf(`${sum} ${sizes(kept)}\n`), ...kept])
  const flowLines = flows.map((flow) => `${flow.address} ${flow.port} ${flow.backendIp} ${flow.backendPort}\n`).join('')
  const parts = [bytesOf(change), bytesOf(flowLines), stored]
  const differ = zonesThatDiffer(before?.forward === zones.forward, before?.reverse === zones.reverse)
  const header = `apply ${id} ${previous ? 'change' : 'full'} ${differ} ${sizes(parts)}\n`
  const request = Buffer.concat([bytesOf(header), ...parts, bytesOf(`end ${id}\n`)])
  if (request.length > maxRequestBytes) {
    const message = `the route table takes ${request.length} bytes, more than ${maxRequestBytes}: use fewer Services`
    throw new RouterError('rejected', message)
  }
  return request
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

function bytesOf(text: string): Buffer {
  return Buffer.from(text)
}

function sizes(parts: readonly Uint8Array[]): string {
  return parts.map(({ length }) => length).join(' ')
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
