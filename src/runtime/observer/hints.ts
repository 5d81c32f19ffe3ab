import { podOfVolume } from '../../reconcilers/names.ts'
import type { EngineEvent } from '../engine.ts'
import { CLUSTER_LABEL } from '../snapshot.ts'

/** Container events after which it may look different. Execs, health, attaching and archives are none. */
const telling = new Set(['create', 'start', 'restart', 'die', 'oom', 'stop', 'pause', 'unpause', 'rename', 'update', 'destroy'])

/** What an event makes worth a look: one container by id, the volumes of one pod, or all networks and volumes. */
export type Hint =
  | { readonly kind: 'container'; readonly id: string }
  | { readonly kind: 'volumes'; readonly podUid: string }
  | { readonly kind: 'shared' }

/** What is known already; events of foreign objects are recognised by not being in it. */
export interface Known {
  readonly cluster: string
  container(id: string): boolean
  network(name: string): boolean
  volume(name: string): boolean
}

/**
 * What to look at after `event`, `undefined` for nothing: decided without asking the engine, since foreign
 * containers and exec probes make most of the noise.
 */
export function hintOf(event: EngineEvent, known: Known): Hint | undefined {
  if (event.type === 'container') {
    const ours = event.attributes[CLUSTER_LABEL] === known.cluster || known.container(event.id)
    return ours && telling.has(event.action) ? { kind: 'container', id: event.id } : undefined
  }
  if (event.type === 'network' && event.container !== '') {
    return known.container(event.container) ? { kind: 'container', id: event.container } : undefined
  }
  if (!concernsShared(event, known)) return undefined
  const podUid = event.type === 'volume' ? podOfVolume(known.cluster, event.id) : undefined
  return podUid === undefined ? { kind: 'shared' } : { kind: 'volumes', podUid }
}

/** Networks and volumes do not tell their labels: a new one may be ours, one that goes is ours if known. */
function concernsShared({ type, action, id, attributes }: EngineEvent, known: Known): boolean {
  if (type !== 'network' && type !== 'volume') return false
  if (action === 'create') return true
  const gone = action === 'destroy' || action === 'remove'
  return gone && (type === 'volume' ? known.volume(id) : known.network(attributes.name ?? ''))
}
