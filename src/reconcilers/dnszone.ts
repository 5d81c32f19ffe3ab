import { createHash } from 'node:crypto'
import type { DnsRecord, RouteTable } from './routetable.ts'

/** The names of a route table as two zone files (RFC 1035): one for its domain, one for reverse names. */
export interface Zones {
  readonly forward: string
  readonly reverse: string
}

/** Seconds that a resolver may keep an answer; also how long it may keep a "no such name". */
const ttlSeconds = 5

/**
 * Zone files for the router's name server. Canonical: equal records in any order give equal text, and the
 * serial number follows from the text, so that what a server has loaded can be compared with a file.
 * Records outside both zones, and names that DNS cannot hold, are left out: one of them would make the
 * server refuse the whole file. The model refuses such names before they get here.
 *
 * @param serviceRange such as `10.88.128.0/17`; it decides the name of the reverse zone.
 */
export function compileZones(routes: RouteTable, serviceRange: string): Zones {
  const known = compiled.get(routes.dns)
  if (known?.domain === routes.domain && known.serviceRange === serviceRange) return known.zones
  const zones = makeZones(routes, serviceRange)
  compiled.set(routes.dns, { domain: routes.domain, serviceRange, zones })
  return zones
}

/** Kept with the records: most changes of a table change no name. */
const compiled = new WeakMap<
  RouteTable['dns'],
  { readonly domain: string; readonly serviceRange: string; readonly zones: Zones }
>()

function makeZones(routes: RouteTable, serviceRange: string): Zones {
  const forward = routes.dns.filter((record) => record.type !== 'PTR')
  const reverse = routes.dns.filter((record) => record.type === 'PTR')
  return {
    forward: zoneFile(routes.domain, routes.domain, forward),
    reverse: zoneFile(reverseZone(serviceRange), routes.domain, reverse),
  }
}

/**
 * The reverse zone of the pod network, whose upper half `serviceRange` is: `88.10.in-addr.arpa` for
 * `10.88.128.0/17`. Zones end at whole octets, so for a network such as a /20 it is the /16 around it.
 */
export function reverseZone(serviceRange: string): string {
  const [address = '', prefix = ''] = serviceRange.split('/')
  const octets = Math.max(1, Math.floor((Number(prefix) - 1) / 8))
  return [...address.split('.').slice(0, octets).reverse(), 'in-addr', 'arpa'].join('.')
}

function zoneFile(zone: string, domain: string, records: readonly DnsRecord[]): string {
  const data = [...new Set(records.filter((record) => isServable(record, zone)).map(recordLine))].sort()
  const serial = createHash('sha256').update(data.join('\n')).digest().readUInt32BE() >>> 1
  return [
    `${absolute(zone)} ${ttlSeconds} IN SOA ${absolute(`ns.dns.${domain}`)} ${absolute(`hostmaster.${domain}`)} ${serial} 7200 1800 86400 ${ttlSeconds}`,
    `${absolute(zone)} ${ttlSeconds} IN NS ${absolute(`ns.dns.${domain}`)}`,
    ...data,
    '',
  ].join('\n')
}

function recordLine(record: DnsRecord): string {
  return `${absolute(record.name)} ${ttlSeconds} IN ${record.type} ${recordData(record)}`
}

function recordData(record: DnsRecord): string {
  switch (record.type) {
    case 'A':
      return record.value
    case 'SRV':
      return `${record.priority} ${record.weight} ${record.port} ${absolute(record.target)}`
    case 'PTR':
    case 'CNAME':
      return absolute(record.value)
  }
}

function isServable(record: DnsRecord, zone: string): boolean {
  const inZone = plain(record.name).endsWith(`.${plain(zone)}`)
  if (!inZone || !isName(record.name)) return false
  if (record.type === 'A') return /^\d{1,3}(\.\d{1,3}){3}$/.test(record.value)
  return isName(record.type === 'SRV' ? record.target : record.value)
}

/** Only what Kubernetes allows in names, with `_` for SRV: nothing that a zone file reads as syntax. */
function isName(name: string): boolean {
  return name.length <= 254 && /^([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?$/i.test(name)
}

function absolute(name: string): string {
  return `${plain(name)}.`
}

function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}
