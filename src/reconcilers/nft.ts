import { createHash } from 'node:crypto'
import type { Backend, RoutePort, RouteTable, ServiceRoute } from './routetable.ts'
import { changedRoutes } from './tablediff.ts'

/**
 * The route table as nftables commands for the router's table `ip trireme`.
 *
 * Every port of a Service with backends is one element of the map `services`, which sends the first
 * packet of a connection to that port's chain. What has no element ends in the chain `input`, which
 * refuses it, so a Service without backends, an unknown port and an unknown address all answer at once.
 */

export interface NftOptions {
  /** the addresses that the router answers for, such as `10.88.128.0/17` */
  readonly serviceRange: string
  /** where the name server listens; may lie in the service range */
  readonly dnsAddress: string
}

/** A UDP flow that must be forgotten because its backend left: conntrack would keep feeding it. */
export interface StaleFlow {
  readonly address: string
  readonly port: number
  readonly backendIp: string
  readonly backendPort: number
}

interface Chain {
  /** `''` for a plain chain */
  readonly hook: string
  readonly rules: readonly string[]
}

interface Ruleset {
  readonly sets: ReadonlyMap<string, string>
  readonly chains: ReadonlyMap<string, Chain>
  /** key of the `services` map to chain name */
  readonly elements: ReadonlyMap<string, string>
  /** what `sets` and all `chains` but the base chains come from */
  readonly ports: readonly PortRules[]
}

const NOTHING: Ruleset = { sets: new Map(), chains: new Map(), elements: new Map(), ports: [] }

const table = 'ip trireme'
const affinitySetSize = 65_536

/**
 * One transaction that replaces whatever the table holds by `routes`. ClientIP affinity is forgotten.
 *
 * Pure; equal tables give equal text, whatever the order of their services.
 */
export function compileNft(routes: RouteTable, options: NftOptions): string {
  const { ports, elements } = rulesetOf(routes, options)
  const base = { ...NOTHING, chains: baseChains(options) }
  const head = [
    `add table ${table}`,
    `delete table ${table}`,
    `add table ${table}`,
    `add map ${table} services { type ipv4_addr . inet_proto . inet_service : verdict ; }`,
    ...changes(NOTHING, base),
  ]
  const sorted = ports.toSorted((a, b) => (a.owner < b.owner ? -1 : a.owner > b.owner ? 1 : 0))
  const leading = sorted.flatMap(({ keys, chain, leads }) =>
    leads.filter((_, index) => elements.get(keys[index] ?? '') === chain),
  )
  return lines(head) + sorted.map(textOf).join('') + lines(elementCommand('add', leading))
}

/**
 * One transaction that turns the table of `previous` into the table of `next`; `''` when nothing differs.
 * Only what differs is touched, so affinity of unchanged backends survives. Fails, changing nothing, when
 * the live table is not that of `previous`.
 */
export function compileNftChange(previous: RouteTable, next: RouteTable, options: NftOptions): string {
  return lines(changes(rulesetOf(previous, options), rulesetOf(next, options)))
}

/** UDP flows through backends that `next` no longer has, in a canonical order. */
export function staleFlows(previous: RouteTable, next: RouteTable): StaleFlow[] {
  const changed = changedRoutes(previous, next)
  const kept = udpFlows(changed.flatMap(({ after }) => after ?? []))
  return [...udpFlows(changed.flatMap(({ before }) => before ?? []))]
    .filter(([key]) => !kept.has(key))
    .sort(byKey)
    .map(([, flow]) => flow)
}

function udpFlows(services: readonly ServiceRoute[]): Map<string, StaleFlow> {
  const flows = new Map<string, StaleFlow>()
  for (const { service, port } of services.flatMap(portsOf)) {
    if (port.protocol !== 'udp') continue
    for (const address of service.addresses) {
      for (const { ip, port: backendPort } of port.backends) {
        flows.set(`${address} ${port.port} ${ip} ${backendPort}`, {
          address,
          port: port.port,
          backendIp: ip,
          backendPort,
        })
      }
    }
  }
  return flows
}

function portsOf(service: ServiceRoute): { readonly service: ServiceRoute; readonly port: RoutePort }[] {
  return service.ports.map((port) => ({ service, port }))
}

/** Both tables of a change are asked for again with the next one. */
const rulesets = new WeakMap<RouteTable, { readonly options: NftOptions; readonly ruleset: Ruleset }>()

function rulesetOf(routes: RouteTable, options: NftOptions): Ruleset {
  const known = rulesets.get(routes)
  if (known?.options.serviceRange === options.serviceRange && known.options.dnsAddress === options.dnsAddress)
    return known.ruleset
  const ruleset = makeRuleset(routes, options)
  rulesets.set(routes, { options, ruleset })
  return ruleset
}

function makeRuleset(routes: RouteTable, options: NftOptions): Ruleset {
  const sets = new Map<string, string>()
  const chains: Map<string, Chain> = baseChains(options)
  const elements = new Map<string, string>()
  const ports: PortRules[] = []
  for (const one of routes.services.flatMap(rulesOf)) {
    const free = one.keys.filter((key) => !elements.has(key))
    if (free.length === 0 || chains.has(one.chain)) continue
    ports.push(one)
    for (const key of free) elements.set(key, one.chain)
    for (const [name, set] of one.sets) sets.set(name, set)
    for (const [name, chain] of one.chains) chains.set(name, chain)
  }
  return { sets, chains, elements, ports }
}

/** What one port of a Service adds to the rules. */
interface PortRules {
  /** of the Service */
  readonly owner: string
  /** keys of the `services` map that lead to `chain` */
  readonly keys: readonly string[]
  /** the same as elements */
  readonly leads: readonly string[]
  readonly chain: string
  readonly sets: ReadonlyMap<string, string>
  readonly chains: ReadonlyMap<string, Chain>
}

/** Kept with the route: of a table of many Services, few are others than in the table before. */
const rulesByRoute = new WeakMap<ServiceRoute, readonly PortRules[]>()

function rulesOf(service: ServiceRoute): readonly PortRules[] {
  const known = rulesByRoute.get(service)
  if (known !== undefined) return known
  const made = portsOf(service)
    .filter(({ port }) => port.backends.length > 0)
    .map(({ port }) => portRules(service, port))
  rulesByRoute.set(service, made)
  return made
}

function portRules(service: ServiceRoute, port: RoutePort): PortRules {
  const id = portId(service, port)
  const sets = new Map<string, string>()
  const chains = new Map<string, Chain>()
  const backends = uniqueBackends(port.backends)
  if (service.affinitySeconds > 0) addSticky(sets, chains, id, port.protocol, backends, service.affinitySeconds)
  else chains.set(`svc-${id}`, { hook: '', rules: [spread(port.protocol, backends)] })
  const chain = `svc-${id}`
  const keys = service.addresses.map((address) => `${address} . ${port.protocol} . ${port.port}`)
  const leads = keys.map((key) => elementOf(key, chain))
  return { owner: `${service.namespace}/${service.name}`, keys, leads, chain, sets, chains }
}

/** Kept with the rules, as those are with their route. */
const texts = new WeakMap<PortRules, string>()

/** The commands that add a port's sets and chains. */
function textOf(rules: PortRules): string {
  const known = texts.get(rules)
  if (known !== undefined) return known
  const text = lines(changes(NOTHING, { ...NOTHING, sets: rules.sets, chains: rules.chains }))
  texts.set(rules, text)
  return text
}

function baseChains({ serviceRange, dnsAddress }: NftOptions): Map<string, Chain> {
  const dispatch = 'ip daddr . meta l4proto . th dport vmap @services'
  return new Map([
    ['prerouting', { hook: 'type nat hook prerouting priority -100 ;', rules: [dispatch] }],
    ['output', { hook: 'type nat hook output priority -100 ;', rules: [dispatch] }],
    // A packet that is under way while rules change may see the old rules and the new maps, in which the old
    // rules find nothing; measured at one new connection in some ten thousand. It gets a second, fresh look,
    // which all others never come to: they have their destination by then.
    ['prerouting-again', { hook: 'type nat hook prerouting priority -98 ;', rules: [dispatch] }],
    ['output-again', { hook: 'type nat hook output priority -98 ;', rules: [dispatch] }],
    // A backend on the same network would otherwise answer its client directly, from an address the client never asked.
    ['postrouting', { hook: 'type nat hook postrouting priority 100 ;', rules: ['oifname != "lo" ct status dnat masquerade'] }],
    [
      'input',
      {
        hook: 'type filter hook input priority 0 ;',
        // Refused here, before conntrack confirms it: else a UDP sender would stick to nothing after backends appear.
        rules: [
          `ip daddr ${dnsAddress} meta l4proto { tcp, udp } th dport 53 accept`,
          `ip daddr ${serviceRange} meta l4proto tcp reject with tcp reset`,
          `ip daddr ${serviceRange} meta l4proto udp reject with icmp port-unreachable`,
        ],
      },
    ],
  ])
}

function spread(protocol: string, backends: readonly Backend[]): string {
  const first = backends[0]
  if (first && backends.length === 1) return `meta l4proto ${protocol} dnat to ${first.ip}:${first.port}`
  const targets = backends.map((backend, i) => `${i} : ${backend.ip} . ${backend.port}`).join(', ')
  return `meta l4proto ${protocol} dnat to numgen random mod ${backends.length} map { ${targets} }`
}

/** As kube-proxy does: each backend has the set of clients that last used it, and its chain renews them. */
function addSticky(
  sets: Map<string, string>,
  chains: Map<string, Chain>,
  id: string,
  protocol: string,
  backends: readonly Backend[],
  seconds: number,
): void {
  const names = backends.map(({ uid, ip, port }) => `${id.slice(0, 12)}-${digest(uid, ip, port, seconds)}`)
  for (const [i, backend] of backends.entries()) {
    const name = names[i]
    sets.set(`aff-${name}`, `{ type ipv4_addr ; size ${affinitySetSize} ; flags dynamic,timeout ; timeout ${seconds}s ; }`)
    chains.set(`ep-${name}`, {
      hook: '',
      rules: [`update @aff-${name} { ip saddr }`, `meta l4proto ${protocol} dnat to ${backend.ip}:${backend.port}`],
    })
  }
  const choices = names.map((name, i) => `${i} : goto ep-${name}`).join(', ')
  chains.set(`svc-${id}`, {
    hook: '',
    rules: [
      ...names.map((name) => `ip saddr @aff-${name} goto ep-${name}`),
      `numgen random mod ${backends.length} vmap { ${choices} }`,
    ],
  })
}

/** Commands from one ruleset to another: first what is added, then what nothing refers to any more. */
function changes(previous: Ruleset, next: Ruleset): string[] {
  const staleSets = missing(previous.sets, next.sets)
  const staleChains = missing(previous.chains, next.chains)
  const newChains = missing(next.chains, previous.chains)
  const changed = [...next.chains.keys()]
    .filter((name) => previous.chains.has(name) && !sameRules(previous.chains.get(name), next.chains.get(name)))
    .sort()
  const gone = [...previous.elements].filter(([key, chain]) => next.elements.get(key) !== chain).map(([key]) => key)
  const added = [...next.elements].filter(([key, chain]) => previous.elements.get(key) !== chain).sort(byKey)
  return [
    ...missing(next.sets, previous.sets).map((name) => `add set ${table} ${name} ${next.sets.get(name)}`),
    ...newChains.map((name) => addChain(name, next.chains.get(name)?.hook ?? '')),
    ...changed.map((name) => `flush chain ${table} ${name}`),
    ...[...newChains, ...changed].flatMap((name) =>
      (next.chains.get(name)?.rules ?? []).map((rule) => `add rule ${table} ${name} ${rule}`),
    ),
    ...elementCommand('delete', gone.sort()),
    ...elementCommand(
      'add',
      added.map(([key, chain]) => elementOf(key, chain)),
    ),
    ...staleChains.map((name) => `flush chain ${table} ${name}`),
    ...staleChains.map((name) => `delete chain ${table} ${name}`),
    ...staleSets.map((name) => `delete set ${table} ${name}`),
  ]
}

function addChain(name: string, hook: string): string {
  return hook ? `add chain ${table} ${name} { ${hook} }` : `add chain ${table} ${name}`
}

function elementOf(key: string, chain: string): string {
  return `${key} : goto ${chain}`
}

function elementCommand(verb: 'add' | 'delete', elements: readonly string[]): string[] {
  return elements.length === 0 ? [] : [`${verb} element ${table} services { ${elements.join(', ')} }`]
}

function missing(from: ReadonlyMap<string, unknown>, other: ReadonlyMap<string, unknown>): string[] {
  return [...from.keys()].filter((name) => !other.has(name)).sort()
}

function sameRules(a: Chain | undefined, b: Chain | undefined): boolean {
  return a === b || a?.rules.join('\n') === b?.rules.join('\n')
}

function uniqueBackends(backends: readonly Backend[]): Backend[] {
  const byAddress = new Map(backends.map((backend) => [`${backend.ip}:${backend.port}`, backend]))
  return [...byAddress].sort(byKey).map(([, backend]) => backend)
}

/** The digest tells ports apart; the rest is for people, and cut because nft bounds names at 128 characters. */
function portId({ namespace, name }: ServiceRoute, { protocol, port }: RoutePort): string {
  return `${digest(namespace, name, protocol, port)}-${namespace}/${name}/${protocol}/${port}`.slice(0, 100)
}

function digest(...parts: readonly (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12)
}

function byKey(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0
}

function lines(commands: readonly string[]): string {
  return commands.map((command) => `${command}\n`).join('')
}
