/**
 * What has drifted of a container that exists: the few things about it that somebody else can change
 * while it lives. Everything else about a container is fixed when it is made.
 */
import { normalQuantity } from '../model/quantity.ts'
import type { ContainerSpec, DriftKind } from '../reconcilers/plan.ts'
import type { ContainerView, NetworkAttachment, ResourceLimits, RestartPolicy } from '../runtime/engine.ts'

/** One thing that is not as it was made; `null` stands for absent or unlimited. */
export interface ContainerDifference {
  readonly kind: Extract<DriftKind, 'paused' | 'renamed' | 'resources' | 'restartPolicy' | 'network'>
  /** in the view's terms: `resources.memoryBytes`, `networks[pods].ip` */
  readonly path: string
  readonly expected: string | number | null
  readonly observed: string | number | null
  /** fit for the cause of the step that mends it: `drift: memory limit is 128Mi, not 64Mi` */
  readonly phrase: string
}

/** What of a container's spec can drift while it lives. */
export type Driftable = Pick<ContainerSpec, 'name' | 'resources' | 'networkMode' | 'ip' | 'restartPolicy'>

/**
 * How `view` differs from the container `spec` describes, in a fixed order; `[]` when it does not.
 *
 * Compares the name, the resource limits, the restart policy, the attachment to the network it was made
 * on with its address there, and whether it is paused. Networks that somebody attached in addition are
 * foreign and stay. Whether it runs at all is for the caller to judge: a crash is no drift.
 *
 * @param restartPolicy what Docker's own policy should be now, where that is not what it was made with
 */
export function diffContainer(
  spec: Driftable,
  view: ContainerView,
  restartPolicy: RestartPolicy = spec.restartPolicy,
): ContainerDifference[] {
  return [
    ...diffPaused(view),
    ...diffName(spec.name, view.name),
    ...diffNetwork(spec, view),
    ...diffResources(spec.resources, view.resources),
    ...diffRestartPolicy(restartPolicy, view.restartPolicy),
  ]
}

function diffPaused(view: ContainerView): ContainerDifference[] {
  if (view.state !== 'paused') return []
  return [{ kind: 'paused', path: 'state', expected: 'running', observed: 'paused', phrase: 'drift: paused' }]
}

function diffName(expected: string, observed: string): ContainerDifference[] {
  if (expected === observed) return []
  return [{ kind: 'renamed', path: 'name', expected, observed, phrase: `drift: name is ${observed}, not ${expected}` }]
}

function diffRestartPolicy(expected: RestartPolicy, observed: RestartPolicy): ContainerDifference[] {
  if (expected === observed) return []
  const phrase = `drift: restart policy is ${observed}, not ${expected}`
  return [{ kind: 'restartPolicy', path: 'restartPolicy', expected, observed, phrase }]
}

const limits: readonly {
  readonly field: keyof ResourceLimits
  readonly say: (observed: string, expected: string) => string
  readonly show: (value: number) => string
}[] = [
  { field: 'memoryBytes', say: (is, not) => `memory limit is ${is}, not ${not}`, show: (bytes) => normalQuantity(bytes) },
  // A quota is in microseconds per 100 000 µs, so a hundred of them are a thousandth of a core.
  { field: 'cpuQuota', say: (is, not) => `cpu limit is ${is}, not ${not}`, show: (quota) => normalQuantity(`${quota / 100}m`) },
  { field: 'cpuShares', say: (is, not) => `cpu shares are ${is}, not ${not}`, show: String },
]

function diffResources(expected: ResourceLimits, observed: ResourceLimits): ContainerDifference[] {
  return limits.flatMap(({ field, say, show }) => {
    const want = limitOf(field, expected[field])
    const have = limitOf(field, observed[field])
    if (want === have) return []
    const none = field === 'cpuShares' ? 'the default' : 'unlimited'
    const phrase = `drift: ${say(have === null ? none : show(have), want === null ? none : show(want))}`
    return [{ kind: 'resources', path: `resources.${field}`, expected: want, observed: have, phrase }]
  })
}

/** The kernel's own weight: asking for it and not asking are one. */
const defaultShares = 1024

/** The engine says "no limit" as nothing, as 0, or, after an update that lifted one, as -1. */
function limitOf(field: keyof ResourceLimits, value: number | undefined): number | null {
  if (value === undefined || value <= 0) return null
  return field === 'cpuShares' && value === defaultShares ? null : value
}

function diffNetwork(spec: Driftable, view: ContainerView): ContainerDifference[] {
  const network = spec.networkMode
  // A shared or absent namespace has no attachment of its own, and it is fixed when the container is made.
  if (network === 'none' || network === 'host' || network.startsWith('container:')) return []
  const attachment = Object.hasOwn(view.networks, network) ? view.networks[network] : undefined
  if (attachment === undefined) {
    const phrase = `drift: not attached to network ${network}`
    return [{ kind: 'network', path: `networks[${network}]`, expected: network, observed: null, phrase }]
  }
  return spec.ip === undefined ? [] : diffAddress(network, spec.ip, attachment)
}

function diffAddress(network: string, expected: string, attachment: NetworkAttachment): ContainerDifference[] {
  // A container that does not run has no address; what it will have is the one that was asked for.
  const observed = attachment.ip === '' ? attachment.requestedIp : attachment.ip
  if (observed === expected) return []
  const phrase = `drift: address is ${observed === '' ? 'left to Docker' : observed}, not ${expected}`
  return [{ kind: 'network', path: `networks[${network}].ip`, expected, observed: observed || null, phrase }]
}
