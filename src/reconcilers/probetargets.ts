/** Which containers of a workload are to be probed, and how. */
import type { Container, Probe } from '../model/types/pod.ts'
import type { ContainerNow } from './containerstate.ts'
import { portProbes, portsAsked } from './listening.ts'
import { storageProbe, usageProbe } from './localstorage.ts'
import type { ProbeKind } from './observed.ts'
import type { PodNow } from './podstate.ts'

/** A running container and its probes. */
export interface ProbeTarget {
  readonly containerId: string
  readonly node: string
  /** ms since the epoch, by the engine's clock */
  readonly startedAt: number
  /** the pod's address */
  readonly address: string
  readonly namedPorts: Readonly<Record<string, number>>
  readonly probes: Readonly<Partial<Record<ProbeKind, Probe>>>
  /** not attempted for now */
  readonly suspend: readonly ProbeKind[]
}

/** In termination liveness and startup probes stop, readiness goes on. */
export function probeTargets(pod: PodNow): ProbeTarget[] {
  const { node } = pod.context
  if (pod.sandbox !== 'running' || !node.reachable) return []
  return [...sandboxTarget(pod), ...containerTargets(pod)]
}

/** What is asked of a pod as a whole. */
function sandboxTarget(pod: PodNow): ProbeTarget[] {
  const { record, node, observed } = pod.context
  const probes = usageProbe(pod)
  if (observed?.sandbox === undefined || Object.keys(probes).length === 0) return []
  const { id: containerId, startedAt } = observed.sandbox
  return [{ containerId, node: node.name, startedAt, address: record.ip, namedPorts: {}, probes, suspend: [] }]
}

function containerTargets(pod: PodNow): ProbeTarget[] {
  const { record, node, now } = pod.context
  return pod.containers.flatMap((one) => {
    if (one.latest === undefined || one.stage !== 'running' || !one.hooked) return []
    const { container } = one.compiled
    const ports = one.role === 'init' ? [] : portsAsked(container, one.latest, now)
    const probes = { ...ownProbes(container), ...storageProbe(container), ...portProbes(ports) }
    if (Object.keys(probes).length === 0) return []
    return [
      {
        containerId: one.latest.id,
        node: node.name,
        startedAt: one.latest.startedAt,
        address: record.ip,
        namedPorts: namedPorts(one),
        probes,
        suspend: record.deletion === undefined ? [] : (['liveness', 'startup'] as const),
      },
    ]
  })
}

function ownProbes(container: Container): Partial<Record<ProbeKind, Probe>> {
  return {
    ...(container.livenessProbe === undefined ? {} : { liveness: container.livenessProbe }),
    ...(container.readinessProbe === undefined ? {} : { readiness: container.readinessProbe }),
    ...(container.startupProbe === undefined ? {} : { startup: container.startupProbe }),
  }
}

export function namedPorts({ compiled: { container } }: ContainerNow): Record<string, number> {
  return Object.fromEntries(
    container.ports.flatMap(({ name, containerPort }) => (name === undefined ? [] : [[name, containerPort]])),
  )
}
