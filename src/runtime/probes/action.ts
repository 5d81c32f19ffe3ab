/** One attempt of a probe, one run of a hook: which action it is decides who makes it. */
import type { Probe, ProbeAction } from '../../model/types.ts'
import type { Engine } from '../engine.ts'
import { pause, type Timers } from '../timers.ts'
import { failure, ownError, type ProbeAnswer, type ProbeBounds, type ProbeSite, success } from './answer.ts'
import { probeExec } from './exec.ts'
import { probeGrpc } from './grpc.ts'
import { probeHttp } from './http.ts'
import { probeTcp } from './tcp.ts'

/** Never throws: whatever goes wrong is an answer. */
export async function runProbe(action: ProbeAction, site: ProbeSite, bounds: ProbeBounds): Promise<ProbeAnswer> {
  if (action.httpGet !== undefined) return probeHttp(action.httpGet, site, bounds)
  if (action.tcpSocket !== undefined) return probeTcp(action.tcpSocket, site, bounds)
  if (action.exec !== undefined) return probeExec(action.exec.command, site, bounds)
  if (action.grpc !== undefined) return probeGrpc(action.grpc, site, bounds)
  return failure('the probe has no action')
}

/**
 * Runs a preStop or postStart hook to its end; never throws.
 *
 * An HTTP hook is fulfilled by a status from 200 to 399. `sleep` ends early, fulfilled, when its time or
 * `bounds.signal` ends it.
 */
export async function runHook(action: ProbeAction, site: ProbeSite, bounds: ProbeBounds, timers: Timers): Promise<ProbeAnswer> {
  if (action.sleep !== undefined) {
    const seconds = Math.min(action.sleep.seconds, bounds.timeoutMs / 1000)
    await pause(timers, seconds * 1000, bounds.signal)
    return success(`slept ${seconds} s`)
  }
  if (action.httpGet !== undefined) return probeHttp(action.httpGet, site, bounds)
  if (action.exec !== undefined) return probeExec(action.exec.command, site, bounds)
  return failure('a hook is exec, httpGet or sleep; Kubernetes fails every other one too')
}

/**
 * Attempts as the prober asks for them, at the probe's own timeout, with every secret value taken out of the answer.
 *
 * @param engineOf the node's engine, `undefined` for a node that is not known
 */
export function createProbeRunner(options: {
  readonly engineOf: (node: string) => Engine | undefined
  readonly redact: (text: string) => string
}): (target: Omit<ProbeSite, 'engine'> & { readonly node: string }, probe: Probe, signal: AbortSignal) => Promise<ProbeAnswer> {
  return async (target, probe, signal) => {
    const engine = options.engineOf(target.node)
    if (engine === undefined) return ownError(`node ${target.node} is not known`)
    const bounds = { timeoutMs: probe.timeoutSeconds * 1000, signal }
    const answer = await runProbe(probe, { ...target, engine }, bounds)
    return 'error' in answer ? ownError(options.redact(answer.error)) : { ok: answer.ok, answer: options.redact(answer.answer) }
  }
}
