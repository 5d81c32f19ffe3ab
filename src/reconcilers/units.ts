/**
 * Units of extended resources: each is held by one pod, from before its sandbox is made until nothing of it is left. A unit
 * is a device of the node (`/dev/ttyUSB0`), a GPU (`gpu:0`), or a mere number.
 * @see Kubernetes pkg/kubelet/cm/devicemanager
 */
import { isExtendedResource } from '../model/extended.ts'
import { isSidecar, podPeak } from '../model/podresources.ts'
import { parseQuantity } from '../model/quantity.ts'
import type { Container, PodSpec } from '../model/types/pod.ts'
import type { ContainerConfig } from '../runtime/engine.ts'

/** By resource, in the order that the operator has them. */
export type Units = Readonly<Record<string, readonly string[]>>

/** How many units of each resource a pod has to have, by name; those that it asks none of are left out. */
export function unitsNeeded(spec: PodSpec): ReadonlyMap<string, number> {
  const names = new Set([...spec.initContainers, ...spec.containers].flatMap(extendedOf))
  const needed = [...names].sort().map((name) => [name, Number(podPeak(spec, (one) => BigInt(countOf(one, name))))] as const)
  return new Map(needed.filter(([, count]) => count > 0))
}

/** How a unit that a pod holds is known among all that are held on a node. */
export function unitKeys(units: Units = {}): string[] {
  return Object.entries(units).flatMap(([name, own]) => own.map((unit) => unitKey(name, unit)))
}

/**
 * What of the units of its pod a container is made with. Main containers and sidecars have theirs to themselves; init
 * containers use what those after them get.
 */
export function unitsOf(spec: PodSpec, container: Container, units: Units): Pick<ContainerConfig, 'devices' | 'gpus'> {
  const own = extendedOf(container).flatMap((name) => {
    const first = beforeOf(spec, container).reduce((sum, one) => sum + countOf(one, name), 0)
    return (units[name] ?? []).slice(first, first + countOf(container, name))
  })
  const devices = own.filter((unit) => unit.startsWith('/'))
  const gpus = own.filter((unit) => unit.startsWith(GPU)).map((unit) => unit.slice(GPU.length))
  return { ...(devices.length > 0 ? { devices } : {}), ...(gpus.length > 0 ? { gpus } : {}) }
}

/** What a unit begins with that is a GPU, by the number or the id that NVIDIA's driver gives it. */
const GPU = 'gpu:'

/** Those that hold theirs while this container runs. */
function beforeOf({ initContainers, containers }: PodSpec, container: Container): readonly Container[] {
  const index = containers.indexOf(container)
  if (index >= 0) return [...initContainers.filter(isSidecar), ...containers.slice(0, index)]
  return initContainers.slice(0, initContainers.indexOf(container)).filter(isSidecar)
}

export function unitKey(name: string, unit: string): string {
  return `${name}=${unit}`
}

function extendedOf({ resources: { limits } }: Container): string[] {
  return Object.keys(limits).filter(isExtendedResource).sort()
}

/** Validation has seen that limits of such resources are whole, and requests no other. */
function countOf({ resources: { limits } }: Container, name: string): number {
  return Number(parseQuantity(limits[name] ?? 0).nanos / 1_000_000_000n)
}
