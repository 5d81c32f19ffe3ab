/**
 * Variables that tell a pod of the Services of its namespace (`enableServiceLinks`). A pod is told of those that there
 * are when it is made, and its sandbox carries them in a label, so that a container which starts again has the same.
 */
import { byText } from '../diff/order.ts'
import type { Service } from '../model/types/service.ts'
import type { EnvEntry } from './plan.ts'

interface Placed {
  readonly service: Service
  readonly clusterIP: string
}

/** A sandbox carries them all in one label, so there has to be an end: of more Services, the first by name. */
export const MOST_LINKS = 250

/** `redis=10.88.128.5:6379/TCP/main,9121/TCP` for each, by name, with a space between them; `''` for none. */
export function linksText(services: Iterable<Placed>): string {
  const links = [...services].filter(hasAddress).map(({ service: { metadata, spec }, clusterIP }) => {
    const ports = spec.ports.map(({ port, protocol, name }) => `${port}/${protocol}${name === '' ? '' : `/${name}`}`)
    return `${metadata.name}=${clusterIP}:${ports.join(',')}`
  })
  return links.sort(byText).slice(0, MOST_LINKS).join(' ')
}

/**
 * What `linksText` says, as variables; what it cannot have said is left out, for labels can be written by others.
 * @see Kubernetes pkg/kubelet/envvars/envvars.go
 */
export function linkVariables(text: string): EnvEntry[] {
  return text.split(' ').flatMap((link) => {
    const [, name, ip, ports] = /^([a-z0-9-]+)=([0-9.]+):(.+)$/.exec(link) ?? []
    return name === undefined || ip === undefined || ports === undefined
      ? []
      : variablesOf(name, ip, ports.split(',').map(portOf))
  })
}

interface LinkPort {
  readonly port: string
  readonly protocol: string
  readonly name: string
}

function portOf(text: string): LinkPort {
  const [port = '', protocol = '', name = ''] = text.split('/')
  return { port, protocol, name }
}

/** The first port has names of its own, as links of Docker once had. */
function variablesOf(service: string, ip: string, ports: readonly LinkPort[]): EnvEntry[] {
  const prefix = variable(service)
  const url = ({ port, protocol }: LinkPort): string => `${protocol.toLowerCase()}://${ip}:${port}`
  const first = ports.slice(0, 1)
  return [
    { name: `${prefix}_SERVICE_HOST`, value: ip },
    ...first.map(({ port }) => ({ name: `${prefix}_SERVICE_PORT`, value: port })),
    ...ports.flatMap(({ port, name }) =>
      name === '' ? [] : [{ name: `${prefix}_SERVICE_PORT_${variable(name)}`, value: port }],
    ),
    ...first.map((one) => ({ name: `${prefix}_PORT`, value: url(one) })),
    ...ports.flatMap((one) => {
      const own = `${prefix}_PORT_${one.port}_${one.protocol}`
      return [
        { name: own, value: url(one) },
        { name: `${own}_PROTO`, value: one.protocol.toLowerCase() },
        { name: `${own}_PORT`, value: one.port },
        { name: `${own}_ADDR`, value: ip },
      ]
    }),
  ]
}

function variable(name: string): string {
  return name.replaceAll('-', '_').toUpperCase()
}

function hasAddress({ clusterIP }: Placed): boolean {
  return clusterIP !== ''
}
