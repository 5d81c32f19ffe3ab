/** exec: a command in the container; exit code 0 is a success. */
import { EngineError } from '../engine.ts'
import {
  BODY_LIMIT_BYTES,
  failure,
  ownError,
  type ProbeAnswer,
  type ProbeBounds,
  type ProbeSite,
  success,
  timedOut,
} from './answer.ts'

/**
 * The engine cannot end a command that runs past its time, only stop waiting for it.
 *
 * @see Kubernetes pkg/probe/exec/exec.go
 */
export async function probeExec(command: readonly string[], site: ProbeSite, bounds: ProbeBounds): Promise<ProbeAnswer> {
  try {
    const result = await site.engine.exec(site.containerId, command, { ...bounds, maxBytes: BODY_LIMIT_BYTES })
    const said = result.output.trim() === '' ? '' : `: ${result.output}`
    return result.exitCode === 0 ? success(`exit code 0${said}`) : failure(`exit code ${result.exitCode}${said}`)
  } catch (error) {
    return engineAnswer(error, bounds.timeoutMs)
  }
}

/** The engine being out of reach, or the container being gone, is no answer of the command. */
function engineAnswer(error: unknown, timeoutMs: number): ProbeAnswer {
  const message = error instanceof Error ? error.message : String(error)
  if (!(error instanceof EngineError)) return ownError(message)
  if (error.kind === 'timeout') return timedOut(timeoutMs)
  // Some engines refuse a command that is not in the image instead of giving its exit code.
  const cannotRun = error.kind === 'invalid' || /executable file not found|OCI runtime exec failed/.test(message)
  return cannotRun ? failure(message) : ownError(message)
}
