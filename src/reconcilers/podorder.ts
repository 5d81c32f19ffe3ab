/**
 * In what order the containers of a pod start and stop. They are one list: init containers and sidecars as they are
 * written, then main containers.
 * @see Kubernetes pkg/kubelet/kuberuntime: computeInitContainerActions, newTerminationOrdering
 */
import { isSidecar } from '../model/podresources.ts'
import type { Container, PodSpec } from '../model/types/pod.ts'

/** `sidecar`: an init container with `restartPolicy: Always`, which runs for as long as the main containers do. */
export type Role = 'init' | 'sidecar' | 'main'

/** What the order depends on. */
export interface Ordered {
  readonly role: Role
  /** nothing after it waits for it any more: an init container that has completed, a sidecar that has once started */
  readonly passed: boolean
  readonly stage: string
}

/** The containers of a pod in the order they start. */
export function inOrder(spec: PodSpec): { readonly role: Role; readonly container: Container }[] {
  return [
    ...spec.initContainers.map((container) => ({
      role: isSidecar(container) ? ('sidecar' as const) : ('init' as const),
      container,
    })),
    ...spec.containers.map((container) => ({ role: 'main' as const, container })),
  ]
}

/** Whether everything that has to be over or up before the main containers is. */
export function isInitialized(containers: readonly Ordered[]): boolean {
  return containers.every(({ role, passed }) => role === 'main' || passed)
}

/** Those whose turn it is: they may start, and start again. An init container that has completed never does. */
export function mayStart<T extends Ordered>(containers: readonly T[]): ReadonlySet<T> {
  const awaited = containers.findIndex(({ role, passed }) => role !== 'main' && !passed)
  const reached = awaited === -1 ? containers : containers.slice(0, awaited + 1)
  return new Set(reached.filter(({ role, passed }) => role !== 'init' || !passed))
}

/** Of those that run, the ones that may be stopped now: a sidecar once all that started after it have ended. */
export function mayStop<T extends Ordered>(containers: readonly T[]): ReadonlySet<T> {
  const last = containers.findLastIndex(runs)
  return new Set(containers.filter((one, index) => runs(one) && (one.role !== 'sidecar' || index === last)))
}

/** It has a process. */
export function runs({ stage }: Ordered): boolean {
  return stage === 'running' || stage === 'paused' || stage === 'restarting'
}
