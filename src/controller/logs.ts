/** Log lines of a workload's or pod's containers, from the engine. */
import { ApiError } from '../api/error.ts'
import { type LogQuery, type LogTarget, selectLogs } from '../api/logs.ts'
import { LABEL } from '../reconcilers/names.ts'
import type { ClusterStatus } from '../reconcilers/status.ts'
import type { ContainerView, Engine, LogLine, LogOptions } from '../runtime/engine.ts'

/** Lines of several containers are prefixed with pod and container, and interleave as they come. */
export async function* readLogs(
  status: ClusterStatus,
  query: LogQuery,
  engineOf: (node: string) => Engine | undefined,
  signal: AbortSignal,
  redact: (text: string) => string,
  now: () => number,
): AsyncIterable<string> {
  const targets = selectLogs(status, query)
  const options = optionsOf(query, now())
  const streams = await Promise.all(targets.map((target) => openLog(target, query.previous, options, engineOf, signal)))
  const prefixed = streams.flatMap((stream, index) => {
    const target = targets[index]
    if (stream === undefined || target === undefined) return []
    return [label(stream, targets.length > 1 ? `[${target.pod}/${target.container}] ` : '')]
  })
  if (prefixed.length === 0)
    throw new ApiError(
      404,
      'NotFound',
      query.previous ? 'there is no earlier run of that container' : 'that container has not run yet',
    )
  for await (const line of merge(prefixed)) yield redact(line)
}

function optionsOf({ follow, tail, sinceSeconds, timestamps }: LogQuery, now: number): LogOptions {
  return {
    follow,
    timestamps,
    ...(tail === undefined ? {} : { tail }),
    ...(sinceSeconds === undefined ? {} : { sinceMs: now - sinceSeconds * 1000 }),
  }
}

async function openLog(
  target: LogTarget,
  previous: boolean,
  options: LogOptions,
  engineOf: (node: string) => Engine | undefined,
  signal: AbortSignal,
) {
  const engine = engineOf(target.node)
  if (engine === undefined) throw new ApiError(503, 'Unavailable', `node ${target.node} is not reachable`)
  const id = previous ? await previousRun(engine, target) : target.containerId
  if (id === undefined || id === '') return undefined
  return engine.logs(id, options, signal)
}

async function previousRun(engine: Engine, target: LogTarget): Promise<string | undefined> {
  const runs = await engine.listContainers([`${LABEL.podUid}=${target.uid}`, `${LABEL.containerName}=${target.container}`])
  const attempt = ({ labels }: ContainerView): number => Number(labels[LABEL.attempt] ?? 0)
  return runs.filter(({ id }) => id !== target.containerId).sort((a, b) => attempt(b) - attempt(a))[0]?.id
}

async function* label(lines: AsyncIterable<LogLine>, prefix: string): AsyncGenerator<string> {
  for await (const { timestamp, text } of lines) yield `${prefix}${timestamp === '' ? '' : `${timestamp} `}${text}`
}

/** Whatever comes first, until all have ended. */
async function* merge(streams: readonly AsyncGenerator<string>[]): AsyncGenerator<string> {
  const pending = new Map(streams.map((stream) => [stream, advance(stream)]))
  while (pending.size > 0) {
    const { stream, result } = await Promise.race(pending.values())
    if (result.done === true) pending.delete(stream)
    else {
      pending.set(stream, advance(stream))
      yield result.value
    }
  }
}

async function advance(
  stream: AsyncGenerator<string>,
): Promise<{ stream: AsyncGenerator<string>; result: IteratorResult<string> }> {
  return { stream, result: await stream.next() }
}
