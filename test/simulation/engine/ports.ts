/** Ports of the engine's host: one owner each, and an address of `0.0.0.0` is all of them. */
import { portTaken } from './errors.ts'
import type { Machine } from './machine.ts'
import type { RawContainer } from './state.ts'

const everywhere = (hostIp: string): boolean => hostIp === '' || hostIp === '0.0.0.0'

/** Takes the ports of a starting container, all or none. Errors: portTaken. */
export function takePorts(machine: Machine, container: RawContainer): void {
  if (container.endpoints.size === 0 || container.networkMode === 'none') return
  for (const { protocol, hostPort, hostIp } of container.config.portBindings) {
    if (hostPort !== 0) takePort(machine, { port: `${protocol}/${hostPort}`, hostIp, owner: container.id, name: container.name })
  }
}

function takePort(
  machine: Machine,
  {
    port,
    hostIp,
    owner,
    name,
  }: { readonly port: string; readonly hostIp: string; readonly owner: string; readonly name: string },
): void {
  const holders = machine.ports.get(port) ?? []
  const taken = holders.some((holder) => everywhere(holder.hostIp) || everywhere(hostIp) || holder.hostIp === hostIp)
  if (taken) {
    releasePorts(machine, owner)
    const address = `${everywhere(hostIp) ? '0.0.0.0' : hostIp}:${port.split('/')[1]}`
    throw portTaken(
      `driver failed programming external connectivity on endpoint ${name} (${owner}): Bind for ${address} failed: port is already allocated`,
    )
  }
  machine.ports.set(port, [...holders, { hostIp, owner }])
}

export function releasePorts(machine: Machine, owner: string): void {
  for (const [port, holders] of machine.ports) {
    if (!holders.some((holder) => holder.owner === owner)) continue
    machine.ports.set(
      port,
      holders.filter((holder) => holder.owner !== owner),
    )
  }
}
