/** The subnet of a cluster: the one its network has, the one that was asked for, or the first that is free. */
import { formatRange, parseRange, type Range } from '../reconcilers/addresses.ts'
import { LABEL } from '../reconcilers/names.ts'
import type { Engine, NetworkView } from '../runtime/engine.ts'

/** 10.88.0.0/16 to 10.127.0.0/16: away from Docker's own pools and from common office networks. */
const CANDIDATES = Array.from({ length: 40 }, (_, index) => `10.${88 + index}.0.0/16`)

/** @throws Error when the wanted subnet is not the existing one, overlaps with another network, or none is free */
export async function findSubnet(engine: Engine, cluster: string, wanted: string | undefined): Promise<string> {
  const networks = await engine.listNetworks([])
  const own = networks.find(({ labels }) => labels[LABEL.cluster] === cluster)?.subnets[0]?.subnet
  if (own !== undefined && wanted !== undefined && formatRange(parseRange(wanted)) !== own)
    throw new Error(
      `cluster "${cluster}" already uses ${own}: remove it with "trireme down" before its podCidr can become ${wanted}`,
    )
  if (own !== undefined) return own
  const taken = networks.flatMap(takenRanges)
  if (wanted !== undefined) {
    const clash = taken.find(({ range }) => overlaps(range, parseRange(wanted)))
    if (clash !== undefined)
      throw new Error(
        `podCidr ${wanted} overlaps with the Docker network "${clash.name}" (${formatRange(clash.range)}): choose another`,
      )
    return formatRange(parseRange(wanted))
  }
  const free = CANDIDATES.find((candidate) => !taken.some(({ range }) => overlaps(range, parseRange(candidate))))
  if (free === undefined) throw new Error('no free subnet from 10.88.0.0/16 to 10.127.0.0/16: give one with --pod-cidr')
  return free
}

function takenRanges(network: NetworkView): { name: string; range: Range }[] {
  return network.subnets.flatMap(({ subnet }) => {
    // IPv6 subnets cannot overlap with ours.
    if (!/^\d+\.\d+\.\d+\.\d+\/\d+$/.test(subnet)) return []
    return [{ name: network.name, range: parseRange(subnet) }]
  })
}

function overlaps(a: Range, b: Range): boolean {
  return a.first < b.first + b.size && b.first < a.first + a.size
}
