/** What is known of one node at one moment. */
import type { ContainerView, EngineInfo, NetworkView, VolumeView } from './engine.ts'

/** The label whose value is the cluster an object belongs to; without it an object is foreign. */
export const CLUSTER_LABEL = 'trireme.cluster'

/**
 * One node as last observed: only objects of our cluster, all frozen. The maps are live: whoever reads them does so
 * between two changes, as a pass does, or makes a copy.
 *
 * While the engine cannot be reached the objects are the last known ones. A container that has not
 * changed is the same value in the next snapshot.
 */
export interface NodeSnapshot {
  readonly node: string
  readonly reachable: boolean
  /** ms since the epoch of the last change of `reachable` */
  readonly since: number
  /** why it is not reachable, `''` when it is */
  readonly error: string
  /** as of the last time the engine was listed */
  readonly info: EngineInfo | undefined
  /** by id */
  readonly containers: ReadonlyMap<string, ContainerView>
  /** by name */
  readonly networks: ReadonlyMap<string, NetworkView>
  /** by name */
  readonly volumes: ReadonlyMap<string, VolumeView>
}
