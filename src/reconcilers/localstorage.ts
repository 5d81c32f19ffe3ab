/** The limit of `ephemeral-storage`: a pod that goes beyond it is replaced. */
import { bytes } from '../model/quantity.ts'
import type { Container, Probe } from '../model/types.ts'
import type { ProbeKind } from './observed.ts'

/** Docker counts file by file, which for a large container takes a while. */
const PERIOD_SECONDS = 60
const TIMEOUT_SECONDS = 30

/** Asks what a container has written; none where there is no limit. */
export function storageProbe({ resources }: Container): Partial<Record<ProbeKind, Probe>> {
  const limit = resources.limits['ephemeral-storage']
  if (limit === undefined) return {}
  return {
    storage: {
      storage: { limitBytes: bytes(limit) },
      initialDelaySeconds: 0,
      timeoutSeconds: TIMEOUT_SECONDS,
      periodSeconds: PERIOD_SECONDS,
      successThreshold: 1,
      failureThreshold: 1,
    },
  }
}
