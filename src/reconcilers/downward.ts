/** What a pod is told about itself: fields of the pod and resources of its containers. */
import { bytes, cpuMillis } from '../model/quantity.ts'
import { ownOf } from '../model/raw.ts'
import type { Labels } from '../model/types/meta.ts'
import type { Container, PodTemplate } from '../model/types/pod.ts'
import type { ResourceField } from '../model/types/volume.ts'
import type { PodIdentity } from './names.ts'

export interface PodFacts extends PodIdentity {
  readonly ip: string
  readonly node: string
  readonly hostIp: string
  /** what a container without a limit may use */
  readonly nodeMemoryBytes: number
  readonly nodeCpus: number
  readonly template: PodTemplate
  /** the pod's own labels, its template hash included */
  readonly labels: Readonly<Record<string, string>>
}

/** `undefined` for a field that is not known. @see Kubernetes pkg/fieldpath */
export function podField(path: string, pod: PodFacts): string | undefined {
  const { annotations } = pod.template.metadata
  if (path === 'metadata.labels') return lines(pod.labels)
  if (path === 'metadata.annotations') return lines(annotations)
  const keyed = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path)
  if (keyed) return ownOf(keyed[1] === 'labels' ? pod.labels : annotations, keyed[2] ?? '') ?? ''
  const fields: Readonly<Record<string, string>> = {
    'metadata.name': pod.name,
    'metadata.namespace': pod.namespace,
    'metadata.uid': pod.uid,
    'spec.nodeName': pod.node,
    'spec.serviceAccountName': pod.template.spec.serviceAccountName,
    'status.hostIP': pod.hostIp,
    'status.hostIPs': pod.hostIp,
    'status.podIP': pod.ip,
    'status.podIPs': pod.ip,
  }
  return fields[path]
}

/** `key="value"` in each line, by key. @see Kubernetes fieldpath.FormatMap */
function lines(map: Labels): string {
  return Object.keys(map)
    .sort()
    .map((key) => `${key}=${JSON.stringify(map[key])}`)
    .join('\n')
}

/**
 * An amount in units of the divisor, rounded up. A limit that is not set is all that the node has.
 * @see Kubernetes pkg/api/v1/resource/helpers.go, `ExtractContainerResourceValue`
 */
export function containerResource(field: ResourceField, container: Container, pod: PodFacts): string {
  const [list = '', ...rest] = field.resource.split('.')
  const name = rest.join('.')
  const amount = ownOf(list === 'limits' ? container.resources.limits : container.resources.requests, name)
  if (name === 'cpu') {
    const millis = amount === undefined ? (list === 'limits' ? pod.nodeCpus * 1000 : 0) : cpuMillis(amount)
    return String(Math.ceil(millis / cpuMillis(field.divisor)))
  }
  const size = amount === undefined ? (list === 'limits' ? pod.nodeMemoryBytes : 0) : bytes(amount)
  return String(Math.ceil(size / bytes(field.divisor)))
}
