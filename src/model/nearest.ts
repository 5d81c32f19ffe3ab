/** The nearest spelling of a mistyped word. */
import { distance } from 'fastest-levenshtein'

/** No field or value of Kubernetes is longer, and comparing long texts costs their product. */
const longest = 64

/**
 * The candidate nearest to `word`, or `undefined` when none is near: letters of the other case count nothing, and at
 * most `limit` letters may differ, a third of the word unless told. Ties go to the candidate that comes first.
 */
export function nearest(
  word: string,
  candidates: Iterable<string>,
  limit = Math.max(1, Math.floor(word.length / 3)),
): string | undefined {
  if (word.length > longest) return undefined
  let best: string | undefined
  let bestDistance = limit + 1
  const lower = word.toLowerCase()
  for (const candidate of candidates) {
    const far = distance(lower, candidate.toLowerCase())
    if (far < bestDistance) {
      best = candidate
      bestDistance = far
    }
  }
  return best
}
