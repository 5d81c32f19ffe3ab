/** Field paths as text, the way `kubectl explain` and JSONPath users write them. */
import type { FieldPath } from './types/meta.ts'

/** Longest key shown whole, in characters; none of Kubernetes' own is longer than a prefix and a name together. */
const longestKey = 317

/** `spec.ports[0].name`; keys that are no plain words are quoted: `metadata.labels["app.kubernetes.io/name"]`. */
export function pathText(path: FieldPath): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else if (part.length <= longestKey && /^[A-Za-z_][\w-]*$/.test(part)) text += text === '' ? part : `.${part}`
    else text += `[${JSON.stringify(part.length > longestKey ? `${part.slice(0, longestKey)}...` : part)}]`
  }
  return text
}
