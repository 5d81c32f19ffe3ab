/**
 * Addresses of Endpoints and EndpointSlices.
 * @see Kubernetes pkg/apis/core/validation/validation.go, `ValidateNonSpecialIP`
 */
import { isIPv4 } from 'node:net'
import { mapsAt, type Raw, textAt, textsAt } from '../raw.ts'
import type { Report } from '../report.ts'
import type { FieldPath } from '../types/meta.ts'

/** What is only ever on the machine that asks: the router's own, and the address where clouds keep credentials. */
const SPECIAL = /^(0\.|127\.|169\.254\.|22[4-9]\.|23\d\.|255\.)/

export function checkEndpoints(body: Raw, report: Report): void {
  for (const [index, subset] of mapsAt(body, 'subsets').entries())
    for (const list of ['addresses', 'notReadyAddresses'])
      for (const [position, address] of mapsAt(subset, list).entries())
        checkAddress(textAt(address, 'ip') ?? '', ['subsets', index, list, position, 'ip'], report)
}

export function checkEndpointSlice(body: Raw, report: Report): void {
  if (textAt(body, 'addressType') !== 'IPv4') return
  for (const [index, endpoint] of mapsAt(body, 'endpoints').entries())
    for (const [position, ip] of textsAt(endpoint, 'addresses').entries())
      checkAddress(ip, ['endpoints', index, 'addresses', position], report)
}

function checkAddress(ip: string, at: FieldPath, report: Report): void {
  if (!isIPv4(ip)) report(at, 'BadAddress', `${JSON.stringify(ip)} is not an IPv4 address`)
  else if (SPECIAL.test(ip))
    report(at, 'BadAddress', `${ip} is an address of this machine alone, or of many: no Service can lead there`)
}
