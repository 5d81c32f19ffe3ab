/**
 * What one node's router serves: Service addresses to pod addresses, and names to addresses.
 * Plain frozen data in a canonical order, so that equal tables have equal text and equal hashes.
 */

/** A pod behind a port. The uid is what identity is checked by: addresses are reused. */
export interface Backend {
  readonly uid: string
  readonly pod: string
  readonly ip: string
  readonly port: number
}

export interface RoutePort {
  readonly name: string
  readonly protocol: 'tcp' | 'udp'
  readonly port: number
  /** sorted by ip, then port; empty means: refuse at once */
  readonly backends: readonly Backend[]
}

export interface ServiceRoute {
  readonly namespace: string
  readonly name: string
  /** addresses that answer for this Service: its cluster address, then any others */
  readonly addresses: readonly string[]
  readonly ports: readonly RoutePort[]
  /** seconds of ClientIP affinity; 0 for none */
  readonly affinitySeconds: number
}

export type DnsRecord =
  | { readonly type: 'A'; readonly name: string; readonly value: string }
  | { readonly type: 'PTR'; readonly name: string; readonly value: string }
  | { readonly type: 'CNAME'; readonly name: string; readonly value: string }
  | {
      readonly type: 'SRV'
      readonly name: string
      readonly priority: number
      readonly weight: number
      readonly port: number
      readonly target: string
    }

export interface RouteTable {
  /** sorted by namespace, then name */
  readonly services: readonly ServiceRoute[]
  /** names are fully qualified, lower case, without the last dot; sorted by name, type, value */
  readonly dns: readonly DnsRecord[]
  /** such as `cluster.local` */
  readonly domain: string
}
