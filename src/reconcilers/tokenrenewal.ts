/** When the tokens in the volumes of pods are written anew, and what they wait for. @see Kubernetes pkg/kubelet/token/token_manager.go */
import type { PodTemplate } from '../model/types/pod.ts'
import { isAhead } from './clock.ts'
import type { NodeView } from './observed.ts'
import type { PodVolume } from './volumes.ts'

/** A token older than this is written anew, however long it is good for: ms. */
const LONGEST_MS = 24 * 3_600_000
/** The share of its lifetime after which a token is written anew. */
const RENEWED_AFTER = 0.8

/** The ServiceAccount that every namespace of Kubernetes has, whether anybody has declared it or not. */
const DEFAULT_ACCOUNT = 'default'

/** When the tokens of a volume are to be written anew: ms since the epoch; `undefined` for a volume that has none. */
export function renewAt(volume: PodVolume, node: NodeView): number | undefined {
  if (volume.kind !== 'projectedSecret') return undefined
  const lifetimes = volume.files.flatMap(({ content }) => ('token' in content ? [content.token.expirationSeconds] : []))
  if (lifetimes.length === 0) return undefined
  // One that another daemon has written: nobody knows how old it is, or whose key signed it.
  const signed = node.tokens.get(volume.source) ?? 0
  return signed + Math.min(LONGEST_MS, Math.min(...lifetimes) * 1000 * RENEWED_AFTER)
}

/** Also one that was signed before the clock was set back: it would not be good yet. */
export function isRenewalDue(volume: PodVolume, node: NodeView, now: number): boolean {
  const at = renewAt(volume, node)
  return at !== undefined && (now >= at || isAhead(node.tokens.get(volume.source) ?? 0, now))
}

/** Who asks for a token of a ServiceAccount that nobody has declared, as a sentence. */
export function missingAccount(
  { spec }: PodTemplate,
  namespace: string,
  exists: (namespace: string, name: string) => boolean,
): string[] {
  const name = spec.serviceAccountName
  const asking = spec.volumes.find(({ projected }) => projected?.sources.some((source) => source.serviceAccountToken))
  if (asking === undefined || name === DEFAULT_ACCOUNT || exists(namespace, name)) return []
  return [`ServiceAccount ${namespace}/${name} does not exist (token in volume ${asking.name})`]
}
