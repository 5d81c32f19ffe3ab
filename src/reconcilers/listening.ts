/**
 * Containers that have no probe to tell when they can serve: their declared TCP ports tell it. Each is asked until a
 * connection opens, once, so that a rollout sends nobody to a program that does not listen yet.
 */
import type { Container, Probe } from '../model/types/pod.ts'
import type { ContainerView } from '../runtime/engine.ts'
import type { ContainerProbes, PortKind, ProbeKind } from './observed.ts'

/**
 * A container waits no longer than this after its start, and then counts as ready as in Kubernetes: a manifest may declare
 * a port that its program never opens. As long as the default period of a probe, which a rollout has to expect anyway.
 */
export const LISTEN_MS = 10_000

/**
 * The TCP ports that a run of a container is asked on: every declared one, for nobody can tell which of them serve, until
 * its time is over. A container with a readiness or startup probe says itself when it is ready.
 */
export function portsAsked({ ports, readinessProbe, startupProbe }: Container, view: ContainerView, now: number): number[] {
  if (readinessProbe !== undefined || startupProbe !== undefined || now >= listenDeadline(view)) return []
  return [...new Set(ports.flatMap(({ protocol, containerPort }) => (protocol === 'TCP' ? [containerPort] : [])))]
}

/** Those of them that have not been seen to listen. */
export function portsAwaited(container: Container, view: ContainerView, probes: ContainerProbes, now: number): number[] {
  return portsAsked(container, view, now).filter((port) => probes[portKind(port)]?.result !== 'success')
}

/** When this run counts as ready whatever its ports say: ms since the epoch. */
export function listenDeadline(view: ContainerView): number {
  return view.startedAt + LISTEN_MS
}

export function portProbes(ports: readonly number[]): Partial<Record<ProbeKind, Probe>> {
  return Object.fromEntries(ports.map((port) => [portKind(port), portProbe(port)]))
}

function portKind(port: number): PortKind {
  return `port ${port}`
}

function portProbe(port: number): Probe {
  return {
    tcpSocket: { port },
    initialDelaySeconds: 0,
    timeoutSeconds: 1,
    periodSeconds: 1,
    successThreshold: 1,
    failureThreshold: 1,
  }
}
