/** Networks: their ranges, and who has which address when. */
import type { NetworkAttachment, NetworkConfig, NetworkView } from '../../../src/runtime/engine.ts'
import { lowestFree, overlap, rangeOf, toNumber, toText } from './addresses.ts'
import { shuffled } from './chance.ts'
import { addressTaken, conflict, invalid, notFound, unreachable } from './errors.ts'
import type { Machine } from './machine.ts'
import { takePorts } from './ports.ts'
import { hasProcess, labelFilter, type RawContainer, type RawNetwork, sortedLabels } from './state.ts'

const PREDEFINED = ['bridge', 'host', 'none']
/** Docker's own choice of ranges: one after the other, whole /16s first. */
const DEFAULT_POOLS = [
  ...Array.from({ length: 15 }, (_, i) => `172.${17 + i}.0.0/16`),
  ...Array.from({ length: 16 }, (_, i) => `192.168.${i * 16}.0/20`),
]

export function addPredefinedNetworks(machine: Machine): void {
  const plain = { ipRange: '', labels: {}, options: {} }
  addNetwork(machine, { ...plain, name: 'bridge', driver: 'bridge', subnet: '172.17.0.0/16', gateway: '172.17.0.1' })
  addNetwork(machine, { ...plain, name: 'host', driver: 'host', subnet: '', gateway: '' })
  addNetwork(machine, { ...plain, name: 'none', driver: 'null', subnet: '', gateway: '' })
}

export function listNetworks(machine: Machine, labels: readonly string[]): NetworkView[] {
  const matches = labelFilter(labels)
  return [...machine.networks.values()].map(({ view }) => view).filter((view) => matches(view.labels))
}

/** Errors: conflict (name or range taken), invalid. */
export function createNetwork(machine: Machine, config: NetworkConfig): string {
  if (machine.findNetwork(config.name)?.view.name === config.name) {
    throw conflict(`network with name ${config.name} already exists`)
  }
  const network = addNetwork(machine, config)
  machine.emitNetwork(network, 'create')
  return network.view.id
}

function addNetwork(machine: Machine, config: NetworkConfig): RawNetwork {
  const addressed = config.driver === 'bridge'
  const subnet = addressed && config.subnet === '' ? freePool(machine) : config.subnet
  const range = addressed ? rangeOf(subnet) : undefined
  if (addressed && range === undefined) throw invalid(`failed to allocate gateway: invalid subnet ${subnet}`)
  if (range !== undefined && overlapsOther(machine, subnet)) {
    throw conflict('Pool overlaps with other one on this address space')
  }
  const choice = config.ipRange === '' ? range : rangeOf(config.ipRange)
  const gateway = range === undefined ? '' : config.gateway || toText(range.first + 1)
  const used = range === undefined ? [] : [range.first, range.last, toNumber(gateway)]
  const network: RawNetwork = {
    view: Object.freeze({
      id: machine.newId(),
      name: config.name,
      driver: config.driver,
      labels: sortedLabels(config.labels),
      subnets:
        range === undefined
          ? []
          : [{ subnet, ipRange: config.ipRange, gateway: config.gateway || (config.subnet ? '' : gateway) }],
    }),
    pool: range && choice ? { ...range, from: choice.first, to: choice.last } : undefined,
    used: new Set(used),
    members: new Set(),
  }
  machine.networks.set(network.view.id, network)
  return network
}

function overlapsOther(machine: Machine, subnet: string): boolean {
  const range = rangeOf(subnet)!
  return [...machine.networks.values()].some(({ pool }) => pool !== undefined && overlap(pool, range))
}

function freePool(machine: Machine): string {
  const free = DEFAULT_POOLS.find((pool) => !overlapsOther(machine, pool))
  if (free === undefined)
    throw invalid('could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network')
  return free
}

/** Already gone is success. Errors: conflict while a running container is attached. */
export function removeNetwork(machine: Machine, idOrName: string): void {
  const network = machine.findNetwork(idOrName)
  if (network === undefined) return
  const { id, name } = network.view
  if (PREDEFINED.includes(name)) throw conflict(`${name} is a pre-defined network and cannot be removed`)
  if (network.members.size > 0) throw conflict(`error while removing network: network ${name} id ${id} has active endpoints`)
  machine.networks.delete(id)
  machine.emitNetwork(network, 'destroy')
}

/**
 * Gives a starting container its address on each of its networks, one after the other, and its ports with the first.
 * `bridge` is first, the others come in no order.
 * Errors: notFound, addressTaken, portTaken, invalid; what it has by then is kept for `releaseAll`.
 */
export function attachAll(machine: Machine, container: RawContainer): void {
  if (container.networkMode.startsWith('container:')) return
  const { bridge = [], others = [] } = Object.groupBy(container.endpoints, ([name]) => (name === 'bridge' ? 'bridge' : 'others'))
  const order = [...bridge, ...shuffled(others, machine.options.random)]
  for (const [index, [name, endpoint]] of order.entries()) {
    const network = attach(machine, container, name, endpoint)
    if (index === 0) takePorts(machine, container)
    machine.emitNetwork(network, 'connect', container.id)
  }
}

function attach(machine: Machine, container: RawContainer, name: string, endpoint: NetworkAttachment): RawNetwork {
  const network = machine.findNetwork(name)
  if (network === undefined) throw notFound(`network ${name} not found`)
  const ip = allocate(network, endpoint.requestedIp)
  network.members.add(container.id)
  container.endpoints.set(name, Object.freeze({ ...endpoint, networkId: network.view.id, ip }))
  return network
}

function allocate(network: RawNetwork, requested: string): string {
  const { pool, used } = network
  if (pool === undefined) return ''
  if (requested === '') {
    const address = lowestFree({ first: pool.from, last: pool.to }, used)
    if (address === undefined) throw addressTaken("no available IPv4 addresses on this network's address pools")
    used.add(address)
    return toText(address)
  }
  const address = toNumber(requested)
  if (address < pool.first || address > pool.last) {
    throw invalid(`invalid address ${requested}: It does not belong to any of this network's subnets`)
  }
  if (used.has(address)) throw addressTaken('Address already in use')
  used.add(address)
  return requested
}

/** Takes the addresses of a container that ends. What was asked for stays asked for. */
export function releaseAll(machine: Machine, container: RawContainer): void {
  for (const name of [...container.endpoints.keys()]) {
    const network = release(machine, container, name)
    if (network !== undefined) machine.emitNetwork(network, 'disconnect', container.id)
  }
}

function release(machine: Machine, container: RawContainer, name: string): RawNetwork | undefined {
  const endpoint = container.endpoints.get(name)!
  const network = machine.networks.get(endpoint.networkId)
  if (network?.members.delete(container.id) !== true) return undefined
  if (endpoint.ip !== '') network.used.delete(toNumber(endpoint.ip))
  container.endpoints.set(name, Object.freeze({ ...endpoint, ip: '' }))
  return network
}

/** Errors: notFound, conflict (attached already), addressTaken, invalid (shares a namespace, or has none). */
export function connectNetwork(machine: Machine, idOrName: string, containerId: string, ip: string | undefined): void {
  const container = machine.container(containerId)
  const network = machine.findNetwork(idOrName)
  if (container.removing || container.state === 'dead')
    throw conflict(`Container ${container.id} is marked for removal and cannot be connected`)
  const name = network?.view.name ?? idOrName
  const asked = Object.freeze({ networkId: '', ip: '', requestedIp: ip ?? '' })
  const running = hasProcess(container)
  if (network === undefined && !running) {
    connectToNothing(container, idOrName, asked)
    return
  }
  if (network === undefined) throw notFound(`network ${idOrName} not found`)
  refuseMixed(machine, container, network, running)
  if (!running) {
    if (!container.endpoints.has(name)) container.endpoints.set(name, asked)
    container.networked = true
    container.view = undefined
    return
  }
  if (network.members.has(container.id)) {
    throw conflict(`endpoint with name ${container.name} already exists in network ${name}`)
  }
  attach(machine, container, name, asked)
  container.view = undefined
  machine.emitNetwork(network, 'connect', container.id)
}

/** A network that is not there is missed at the next start. Docker 20.10 falls over a container that never had one of its own. */
function connectToNothing(container: RawContainer, name: string, asked: NetworkAttachment): void {
  if (!container.networked) throw unreachable('connectNetwork: socket hang up')
  container.endpoints.set(name, asked)
  container.view = undefined
}

/** Only what runs may not share; what does not run takes anything that goes with what it has. */
function refuseMixed(machine: Machine, container: RawContainer, network: RawNetwork, running: boolean): void {
  const { networkMode, endpoints } = container
  if (running && (networkMode.startsWith('container:') || networkMode === 'host')) {
    throw invalid('container sharing network namespace with another container or host cannot be connected to any other network')
  }
  const others = [...endpoints.keys()].filter((name) => name !== network.view.name).map((name) => machine.findNetwork(name))
  if (others.some((other) => other !== undefined && (isNone(other) || isNone(network)))) {
    throw invalid('container cannot be connected to multiple networks with one of the networks in private (none) mode')
  }
}

const isNone = ({ view }: RawNetwork): boolean => view.driver === 'null'

/** Errors: notFound (no such network, container or attachment). */
export function disconnectNetwork(machine: Machine, idOrName: string, containerId: string): void {
  const container = machine.findContainer(containerId)
  if (container === undefined) throw notFound(`endpoint ${containerId} not found`)
  const network = machine.findNetwork(idOrName)
  const name = network?.view.name ?? idOrName
  if (!container.endpoints.has(name)) throw notFound(`container ${container.id} is not connected to the network ${name}`)
  const attached = release(machine, container, name)
  container.endpoints.delete(name)
  container.view = undefined
  if (network === undefined) return
  // Docker tells it twice of a running container.
  if (attached !== undefined) machine.emitNetwork(network, 'disconnect', container.id)
  machine.emitNetwork(network, 'disconnect', container.id)
}
