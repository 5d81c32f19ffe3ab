/** What somebody says of a pod: a condition that its readiness waits for. */
import type { GateStatus } from '../reconcilers/memory.ts'
import { ApiError } from './error.ts'
import { checkParameters } from './request.ts'

const statuses: readonly GateStatus[] = ['True', 'False', 'Unknown']

export interface PodCondition {
  /** `namespace/name` */
  readonly pod: string
  /** as a readiness gate of the pod has it */
  readonly type: string
  readonly status: GateStatus
}

/** Errors: `ApiError` 400. */
export function readCondition(query: URLSearchParams): PodCondition {
  checkParameters(query, ['pod', 'type', 'status'])
  const [pod, type] = [query.get('pod') ?? '', query.get('type') ?? '']
  const status = statuses.find((known) => known === query.get('status'))
  if (!/^[^/]+\/[^/]+$/.test(pod)) throw new ApiError(400, 'BadRequest', 'say of which pod with pod=namespace/name')
  if (type === '') throw new ApiError(400, 'BadRequest', 'say which condition with type=')
  if (status === undefined) throw new ApiError(400, 'BadRequest', `status must be one of ${statuses.join(', ')}`)
  return { pod, type, status }
}
