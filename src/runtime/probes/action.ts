/** One attempt of a probe, one run of a hook: which action it is decides who makes it. */
import type { Probe, ProbeAction } from '../../model/types.ts'
import type { Engine } from '../engine.ts'
import { pause, type Timers } from '../timers.ts'
import { failure, fitAnswer, ownError, type ProbeAnswer, type ProbeBounds, type ProbeSite, success } from './answer.ts'
import { probeExec } from './exec.ts'
import { probeGrpc } from './grpc.ts'
import { probeHttp } from './http.ts'
import { probeStorage } from './storage.ts'
import { probeTcp } from './tcp.ts'
import { createVolumeCounts, probeUsage } from './volumes.ts'

export interface ProbeTools {
  /** takes secret values out of an answer */
  readonly redact: (text: string) => string
  readonly timers: Timers
}

/** One attempt; never throws: whatever goes wrong is an answer, of one line. */
export async function runProbe(
  action: ProbeAction,
  site: ProbeSite,
  bounds: ProbeBounds,
  tools: Pick<ProbeTools, 'redact'>,
): Promise<ProbeAnswer> {
  return fitAnswer(await attempt(action, site, bounds), tools.redact)
}

/**
 * Runs a preStop or postStart hook to its end; never throws.
 *
 * An HTTP hook is fulfilled by a status from 200 to 399. `sleep` ends early, fulfilled, when its time or
 * `bounds.signal` ends it.
 */
export async function runHook(
  action: ProbeAction,
  site: ProbeSite,
  bounds: ProbeBounds,
  tools: ProbeTools,
): Promise<ProbeAnswer> {
  if (action.sleep !== undefined) return sleep(action.sleep.seconds, bounds, tools.timers)
  if (action.httpGet !== undefined || action.exec !== undefined) return runProbe(action, site, bounds, tools)
  return failure('a hook is exec, httpGet or sleep; Kubernetes fails every other one too')
}

async function attempt(action: ProbeAction, site: ProbeSite, bounds: ProbeBounds): Promise<ProbeAnswer> {
  if (action.httpGet !== undefined) return probeHttp(action.httpGet, site, bounds)
  if (action.tcpSocket !== undefined) return probeTcp(action.tcpSocket, site, bounds)
  if (action.exec !== undefined) return probeExec(action.exec.command, site, bounds)
  if (action.grpc !== undefined) return probeGrpc(action.grpc, site, bounds)
  if (action.storage !== undefined) return probeStorage(action.storage, site)
  return failure('the probe has no action')
}

async function sleep(seconds: number, bounds: ProbeBounds, timers: Timers): Promise<ProbeAnswer> {
  await pause(timers, Math.min(seconds * 1000, bounds.timeoutMs), bounds.signal)
  return success(`slept ${seconds} s`)
}

/**
 * Attempts as the prober asks for them, at the probe's own timeout.
 *
 * @param options.engineOf the node's engine, `undefined` for a node that is not known
 */
export function createProbeRunner(
  options: ProbeTools & { readonly engineOf: (node: string) => Engine | undefined },
): (target: Omit<ProbeSite, 'engine'> & { readonly node: string }, probe: Probe, signal: AbortSignal) => Promise<ProbeAnswer> {
  const counts = createVolumeCounts(options.timers)
  return async (target, probe, signal) => {
    const engine = options.engineOf(target.node)
    if (engine === undefined) return ownError(`node ${target.node} is not known`)
    const site = { ...target, engine }
    if (probe.usage !== undefined) return fitAnswer(await probeUsage(probe.usage, site, counts), options.redact)
    return runProbe(probe, site, { timeoutMs: probe.timeoutSeconds * 1000, signal }, options)
  }
}
