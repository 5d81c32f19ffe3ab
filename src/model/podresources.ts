/** What the containers of a pod take together. @see Kubernetes pkg/api/v1/resource, `PodRequests` */
import type { Container, PodSpec } from './types/pod.ts'

/** An init container that runs for as long as the main containers do. */
export function isSidecar({ restartPolicy }: Container): boolean {
  return restartPolicy === 'Always'
}

/**
 * The most of `of` at any one time: sidecars add up from where they start, an init container runs beside those before
 * it, and the main containers run beside all of them.
 */
export function podPeak({ initContainers, containers }: PodSpec, of: (container: Container) => bigint): bigint {
  let [beside, most] = [0n, 0n]
  for (const container of initContainers) {
    const now = beside + of(container)
    if (isSidecar(container)) beside = now
    if (now > most) most = now
  }
  const together = containers.reduce((sum, container) => sum + of(container), beside)
  return together > most ? together : most
}
