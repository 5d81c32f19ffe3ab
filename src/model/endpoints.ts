/**
 * Endpoints and EndpointSlices: where a Service without a selector leads.
 * @see https://kubernetes.io/docs/concepts/services-networking/service/#services-without-selectors
 */
import { flagAt, mapAt, mapsAt, numberAt, type Raw, textAt, textsAt } from './raw.ts'
import type { OtherObject } from './types/object.ts'
import type { GivenEndpoint } from './types/service.ts'

/** The label that ties a slice to its Service. */
const SERVICE_NAME = 'kubernetes.io/service-name'

/** The Service it is for, in its own namespace, and its addresses; `undefined` for any other kind. */
export function givenEndpoints({
  kind,
  metadata,
  body,
}: OtherObject): { service: string; endpoints: GivenEndpoint[] } | undefined {
  if (kind === 'Endpoints') return { service: metadata.name, endpoints: mapsAt(body, 'subsets').flatMap(subset) }
  const service = kind === 'EndpointSlice' ? metadata.labels[SERVICE_NAME] : undefined
  if (service === undefined || textAt(body, 'addressType') !== 'IPv4') return undefined
  return { service, endpoints: mapsAt(body, 'endpoints').flatMap((endpoint) => sliced(endpoint, portsOf(body))) }
}

function subset(raw: Raw): GivenEndpoint[] {
  const ports = portsOf(raw)
  const of = (list: string, ready: boolean): GivenEndpoint[] =>
    mapsAt(raw, list).map((address) => ({
      ip: textAt(address, 'ip') ?? '',
      ready,
      hostname: textAt(address, 'hostname') ?? '',
      ports,
    }))
  return [...of('addresses', true), ...of('notReadyAddresses', false)]
}

/** An endpoint that does not say is ready. Of several addresses only the first counts, as for kube-proxy. */
function sliced(endpoint: Raw, ports: GivenEndpoint['ports']): GivenEndpoint[] {
  const [ip] = textsAt(endpoint, 'addresses')
  const ready = flagAt(mapAt(endpoint, 'conditions'), 'ready') ?? true
  return ip === undefined ? [] : [{ ip, ready, hostname: textAt(endpoint, 'hostname') ?? '', ports }]
}

function portsOf(raw: Raw): GivenEndpoint['ports'] {
  return mapsAt(raw, 'ports').map((port) => ({
    name: textAt(port, 'name') ?? '',
    protocol: textAt(port, 'protocol') || 'TCP',
    port: numberAt(port, 'port') ?? 0,
  }))
}
