/** Field paths as text, the way `kubectl explain` and JSONPath users write them. */
import type { FieldPath } from './types.ts'

/** `spec.ports[0].name`; keys that are no plain words are quoted: `metadata.labels["app.kubernetes.io/name"]`. */
export function pathText(path: FieldPath): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else if (/^[A-Za-z_][\w-]*$/.test(part)) text += text === '' ? part : `.${part}`
    else text += `[${JSON.stringify(part)}]`
  }
  return text
}
