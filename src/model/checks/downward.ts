/** References to fields of the pod and resources of its containers, in variables and in files. */
import { nearest } from '../nearest.ts'
import { field, type Raw, textAt } from '../raw.ts'
import type { Report } from '../report.ts'
import type { FieldPath } from '../types/meta.ts'

/** What the downward API offers to variables. */
export const downwardFields: readonly string[] = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]

/** @param known fields that can be asked for here, beside single labels and annotations */
export function checkFieldRef(reference: Raw, known: readonly string[], at: FieldPath, report: Report): void {
  const path = textAt(reference, 'fieldPath')
  if (path === undefined || known.includes(path) || /^metadata\.(labels|annotations)\['[^']+'\]$/.test(path)) return
  report([...at, 'fieldPath'], 'UnknownValue', `${JSON.stringify(path)} is no field of a pod that can be asked for here`, {
    suggestion: nearest(path, known),
  })
}

const resources = ['limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory']
/** @see Kubernetes `validateContainerResourceDivisor` */
const divisors: Readonly<Record<string, readonly string[]>> = {
  cpu: ['0', '1', '1m'],
  memory: ['0', '1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'],
}

export function checkResourceRef(reference: Raw, at: FieldPath, report: Report): void {
  const resource = textAt(reference, 'resource') ?? ''
  if (!resources.includes(resource)) {
    const says = `${JSON.stringify(resource)} is no resource that can be asked for: expected ${resources.join(', ')}`
    report([...at, 'resource'], 'UnknownValue', says, { suggestion: nearest(resource, resources) })
    return
  }
  const divisor = String(field(reference, 'divisor') ?? '0')
  const allowed = divisors[resource.split('.')[1] ?? ''] ?? []
  if (!allowed.includes(divisor))
    report(
      [...at, 'divisor'],
      'UnknownValue',
      `${JSON.stringify(divisor)} is no divisor of ${resource}: expected ${allowed.join(', ')}`,
    )
}
