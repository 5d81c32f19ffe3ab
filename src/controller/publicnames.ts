/** What an application tells everybody by its names: none of it can be kept a secret. */
import { keyOf } from '../model/types/meta.ts'
import type { ModelObject } from '../model/types/object.ts'
import type { Container, PodSpec } from '../model/types/pod.ts'
import type { Workload } from '../model/types/workload.ts'
import { isWorkload } from './kinds.ts'

/** Names, namespaces, containers and images of these objects. */
export function publicNames(objects: Iterable<ModelObject>): Set<string> {
  const names = new Set<string>()
  for (const object of objects) {
    names.add(object.metadata.name).add(object.metadata.namespace)
    for (const { name, image } of containersOf(object)) names.add(name).add(image)
  }
  return names
}

function containersOf(object: ModelObject): readonly Container[] {
  if (!isWorkload(keyOf(object))) return []
  const workload = object as Workload
  const { initContainers, containers } = podSpecOf(workload)
  return [...initContainers, ...containers]
}

function podSpecOf(workload: Workload): PodSpec {
  if (workload.kind === 'CronJob') return workload.spec.jobTemplate.spec.template.spec
  const { spec } = workload
  return 'template' in spec ? spec.template.spec : spec
}
