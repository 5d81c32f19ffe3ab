/** The names of one Service. @see Kubernetes DNS-Based Service Discovery, https://github.com/kubernetes/dns/blob/master/docs/specification.md */
import type { PodEndpoint } from './endpoints.ts'
import { type PlacedService, targetPort } from './placement.ts'
import type { DnsRecord } from './routetable.ts'

export function serviceRecords(placed: PlacedService, endpoints: readonly PodEndpoint[], domain: string): DnsRecord[] {
  const { service, clusterIP } = placed
  const name = `${service.metadata.name}.${service.metadata.namespace}.svc.${domain}`.toLowerCase()
  if (service.spec.type === 'ExternalName')
    return [{ type: 'CNAME', name, value: (service.spec.externalName ?? '').toLowerCase().replace(/\.$/, '') }]
  if (clusterIP === '') return headlessRecords(placed, name, endpoints)
  return [
    { type: 'A', name, value: clusterIP },
    { type: 'PTR', name: reverseName(clusterIP), value: name },
    ...service.spec.ports
      .filter((port) => port.name !== '')
      .map((port) => srv(`_${port.name}._${port.protocol.toLowerCase()}.${name}`, port.port, name)),
  ]
}

/** An address per ready pod, a name per pod (its hostname where it asks for one under this Service), no more. */
function headlessRecords({ service }: PlacedService, name: string, endpoints: readonly PodEndpoint[]): DnsRecord[] {
  return endpoints.flatMap((pod): DnsRecord[] => {
    const own = pod.hostname !== '' && pod.subdomain === service.metadata.name
    const host = `${own ? pod.hostname.toLowerCase() : pod.ip.replaceAll('.', '-')}.${name}`
    const ports = service.spec.ports.flatMap((port) => {
      const target = port.name === '' ? undefined : targetPort(port, pod)
      return target === undefined ? [] : [srv(`_${port.name}._${port.protocol.toLowerCase()}.${name}`, target, host)]
    })
    const reverse: DnsRecord[] = own ? [{ type: 'PTR', name: reverseName(pod.ip), value: host }] : []
    return [{ type: 'A', name, value: pod.ip }, { type: 'A', name: host, value: pod.ip }, ...reverse, ...ports]
  })
}

function srv(name: string, port: number, target: string): DnsRecord {
  return { type: 'SRV', name: name.toLowerCase(), priority: 0, weight: 100, port, target }
}

function reverseName(ip: string): string {
  return `${ip.split('.').reverse().join('.')}.in-addr.arpa`
}
