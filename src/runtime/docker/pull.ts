import { EngineError, type RegistryAuth } from '../engine.ts'
import type { Connection } from './connect.ts'
import { pullError } from './errors.ts'
import { isRecord, record, text } from './json.ts'
import { jsonLines } from './lines.ts'
import { imageView } from './views.ts'

/**
 * Pulls an image and resolves with its id, from `POST /images/create`.
 *
 * The engine answers 200 before it has asked the registry, and tells of failure inside the stream. There
 * is no deadline while it tells of progress: a large image takes what it takes. `signal` ends the wait and the pull.
 * Errors: imageNotFound, imageDenied, noSpace, invalid, unreachable, timeout, failed.
 *
 * @param stallMs how long it may go on without any progress
 */
export async function pullImage(
  connection: Connection,
  ref: string,
  auth: RegistryAuth | undefined,
  signal: AbortSignal | undefined,
  stallMs: number,
): Promise<string> {
  const stalled = new AbortController()
  const timer = setTimeout(() => stalled.abort(), stallMs)
  const alive = signal === undefined ? stalled.signal : AbortSignal.any([signal, stalled.signal])
  try {
    await followPull(connection, ref, auth, alive, () => timer.refresh())
  } catch (cause) {
    if (signal?.aborted) throw new EngineError('failed', `pull ${ref}: cancelled`, { cause })
    if (stalled.signal.aborted)
      throw new EngineError('timeout', `pull ${ref}: no progress for ${stallMs / 1000} s; is its registry well?`, { cause })
    throw cause
  } finally {
    clearTimeout(timer)
  }
  return pulledId(connection, ref)
}

async function followPull(
  connection: Connection,
  ref: string,
  auth: RegistryAuth | undefined,
  signal: AbortSignal,
  progress: () => void,
): Promise<void> {
  const request = { op: 'pull', subject: ref }
  const answer = await connection.stream({
    ...request,
    method: 'POST',
    path: '/images/create',
    query: { fromImage: withTag(ref) },
    ...(auth ? { headers: { 'X-Registry-Auth': registryAuth(auth) } } : {}),
    signal,
    timeoutMs: 0,
  })
  try {
    for await (const said of jsonLines(answer)) {
      progress()
      const failure = pullFailure(said)
      if (failure !== '') throw pullError({ op: 'pull', name: ref }, failure)
    }
  } catch (cause) {
    throw connection.lost(request, cause)
  } finally {
    answer.destroy()
  }
}

async function pulledId(connection: Connection, ref: string): Promise<string> {
  const view = imageView(await connection.json({ op: 'inspectImage', subject: ref, method: 'GET', path: `/images/${ref}/json` }))
  if (!view) throw new EngineError('failed', `pull ${ref}: the engine reports success but has no such image`)
  return view.id
}

function pullFailure(said: unknown): string {
  if (!isRecord(said)) return ''
  return text(record(said.errorDetail).message) || text(said.error)
}

/** Without a tag or digest the engine would fetch every tag there is. */
export function withTag(ref: string): string {
  if (ref.includes('@')) return ref
  return /:[^/]*$/.test(ref) ? ref : `${ref}:latest`
}

function registryAuth(auth: RegistryAuth): string {
  const fields = {
    username: auth.username,
    password: auth.password,
    identitytoken: auth.identityToken,
    serveraddress: auth.serverAddress,
  }
  return Buffer.from(JSON.stringify(fields)).toString('base64url')
}
