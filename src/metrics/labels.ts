/**
 * Which object labels become metric labels. Any label would make the number of series the repository's
 * choice, so it is the recommended ones and the customary ones only.
 */
import type { Labels } from '../model/types/meta.ts'

const exposed = [
  'app',
  'component',
  'environment',
  'k8s-app',
  'name',
  'release',
  'team',
  'tier',
  'version',
  'app.kubernetes.io/component',
  'app.kubernetes.io/instance',
  'app.kubernetes.io/managed-by',
  'app.kubernetes.io/name',
  'app.kubernetes.io/part-of',
  'app.kubernetes.io/version',
]

/** Names of the metric labels, such as `label_app_kubernetes_io_name`. */
export const labelNames: readonly string[] = exposed.map(metricLabel)

export function labelsOf(labels: Labels): Record<string, string> {
  const present = exposed.filter((key) => Object.hasOwn(labels, key))
  return Object.fromEntries(present.map((key) => [metricLabel(key), labels[key] ?? '']))
}

/** As kube-state-metrics spells it. */
function metricLabel(key: string): string {
  return `label_${key.replace(/[^a-zA-Z0-9]/g, '_')}`
}
