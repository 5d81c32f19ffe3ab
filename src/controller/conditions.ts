/** Takes down what somebody says of a pod: remembered with the pod, and looked at at once. */
import type { PodCondition } from '../api/conditions.ts'
import { ApiError } from '../api/error.ts'
import { ownOf } from '../model/raw.ts'
import { type ObjectKey, splitKey } from '../model/types/meta.ts'
import { gateTypes, recordGate } from '../reconcilers/gates.ts'
import type { PodRecord, WorkloadMemory } from '../reconcilers/memory.ts'
import { StoreError } from '../store/error.ts'
import type { Store } from '../store/store.ts'
import type { Running } from './assemble.ts'

/** Errors: `ApiError` 404 for no such pod, 400 for a condition that it does not wait for, 503 while nothing can be remembered. */
export function takeCondition(running: Running | undefined, store: Store, { pod, type, status }: PodCondition): void {
  const { loop } = holding(running)
  const { key, memory, record } = findPod(store, pod)
  checkGate(pod, type, memory, record)
  if (ownOf(record.gates ?? {}, type) === status) return
  keep(() => store.setWorkload(key, recordGate(memory, record.uid, type, status)))
  loop.queue.add(key)
}

/** Whoever does not hold the routers may be about to find out that another daemon does. */
function holding(running: Running | undefined): Running {
  if (running?.nodes.every((node) => node.sure() && node.view().router.connected)) return running
  throw new ApiError(503, 'Unavailable', 'the daemon does not hold its routers at the moment: try again')
}

interface Found {
  readonly key: ObjectKey
  readonly memory: WorkloadMemory
  readonly record: PodRecord
}

function findPod(store: Store, pod: string): Found {
  const [namespace, podName] = pod.split('/')
  for (const [key, memory] of store.workloads()) {
    if (splitKey(key).namespace !== namespace) continue
    const record = memory.pods.find(({ name }) => name === podName)
    if (record !== undefined) return { key, memory, record }
  }
  throw new ApiError(404, 'NotFound', `there is no pod ${pod}`)
}

function checkGate(pod: string, type: string, { sets }: WorkloadMemory, { set }: PodRecord): void {
  const template = sets.find(({ name }) => name === set)?.template
  const types = template === undefined ? [] : gateTypes(template)
  if (types.includes(type)) return
  const has = types.length === 0 ? 'it has none' : `it has ${types.join(', ')}`
  throw new ApiError(400, 'BadRequest', `pod ${pod} has no such readiness gate: ${has}`)
}

function keep(write: () => void): void {
  try {
    write()
  } catch (error) {
    if (error instanceof StoreError) throw new ApiError(503, 'Unavailable', `it cannot be remembered: ${error.message}`)
    throw error
  }
}
