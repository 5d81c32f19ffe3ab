/** Steps that failed, and when they may be tried again: per step, so that one poisonous object never stops another. */

import { isAhead } from '../reconcilers/clock.ts'
import type { Failure } from '../reconcilers/observed.ts'
import type { Step } from '../reconcilers/plan.ts'
import { EngineError } from '../runtime/engine.ts'
import { MountError } from '../runtime/hostpaths.ts'
import { ConfigError } from '../runtime/resolve.ts'

interface Backoff {
  readonly firstMs: number
  readonly maxMs: number
}

/** @see Kubernetes pkg/kubelet image_manager: pulls back off from 10 s to 5 min */
const PULL: Backoff = { firstMs: 10_000, maxMs: 300_000 }
const OTHER: Backoff = { firstMs: 1_000, maxMs: 60_000 }

/** Whether a step is not to be tried yet; a failure from before the clock was set back holds nothing. */
export function isHeld({ lastAt, nextAt }: Failure, now: number): boolean {
  return nextAt > now && !isAhead(lastAt, now)
}

export interface Failures {
  readonly all: ReadonlyMap<string, Failure>
  record(id: string, step: Step, error: unknown, now: number): Failure
  clear(id: string): void
  /** Failures whose cause may be gone: all of one kind, or all of steps on a key's lanes. */
  forgive(matches: (id: string, failure: Failure) => boolean): void
}

export function createFailures(redact: (text: string) => string): Failures {
  const all = new Map<string, Failure>()
  return {
    all,
    record(id, step, error, now) {
      const known = all.get(id)
      const count = (known?.count ?? 0) + 1
      const { firstMs, maxMs } = step.op === 'pull' ? PULL : OTHER
      const failure: Failure = {
        count,
        kind: failureKind(error),
        message: redact(error instanceof Error ? error.message : String(error)),
        firstAt: known?.firstAt ?? now,
        lastAt: now,
        nextAt: now + Math.min(maxMs, firstMs * 2 ** Math.min(count - 1, 10)),
      }
      all.set(id, failure)
      return failure
    },
    clear: (id) => void all.delete(id),
    forgive(matches) {
      for (const [id, failure] of all) if (matches(id, failure)) all.delete(id)
    },
  }
}

function failureKind(error: unknown): Failure['kind'] {
  if (error instanceof ConfigError || error instanceof MountError) return error.kind
  return error instanceof EngineError ? error.kind : 'failed'
}
