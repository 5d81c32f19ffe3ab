import { type ContainerView, type Engine, EngineError, type ImageView, type NetworkView, type VolumeView } from '../engine.ts'
import { type Connection, type ConnectOptions, connect, readAll } from './connect.ts'
import { connectBody, createBody, type LogDriver, networkBody, updateBody, volumeBody } from './create.ts'
import { engineEvents } from './events.ts'
import { execCommand, execStream } from './exec.ts'
import { isRecord, record, text, texts } from './json.ts'
import { containerLogs } from './logs.ts'
import { pullImage } from './pull.ts'
import {
  containerStats,
  containerView,
  engineInfo,
  fileType,
  imageView,
  listedContainer,
  networkView,
  volumeView,
} from './views.ts'

/** Inspections under way at once while listing. */
const parallelInspects = 8

/** What a stop may take beyond its grace, until the engine has killed and torn down: ms. */
const stopMarginMs = 30_000

/** What starting, removing and connecting may take on a busy engine, whatever the ordinary deadline: ms. */
const slowMs = 120_000

/** How long a pull may go on without any progress: ms. */
const pullStallMs = 120_000

/**
 * A Docker Engine (20.10 or later) behind the `Engine` port.
 *
 * Connects at the first call; keeps connections alive; maps every failure to an `EngineError`. What the
 * engine answers is read defensively: a missing or odd field becomes that type's zero value.
 *
 * @throws EngineError `invalid` for an address that is not `unix://` or `tcp://`.
 */
export function dockerEngine(options: ConnectOptions & { readonly node: string; readonly pullStallMs?: number }): Engine {
  const connection = connect(options)
  const logDriver = preferredLogDriver(connection)
  return {
    node: options.node,
    ...observations(connection),
    ...containerSteps(connection, logDriver),
    ...networkSteps(connection),
    ...volumeSteps(connection),
    ...archiveSteps(connection),
    pullImage: async (ref, auth, signal) =>
      pullImage(connection, imageRef('pull', ref), auth, signal, options.pullStallMs ?? pullStallMs),
    exec: async (id, command, bounds) => execCommand(connection, objectId('exec', id), command, bounds),
    execStream: async (id, command) => execStream(connection, objectId('exec', id), command),
  }
}

type Observations = Pick<
  Engine,
  | 'info'
  | 'listContainers'
  | 'inspectContainer'
  | 'listNetworks'
  | 'listVolumes'
  | 'inspectImage'
  | 'events'
  | 'logs'
  | 'stats'
  | 'writtenBytes'
  | 'volumeBytes'
>

function observations(connection: Connection): Observations {
  return {
    async info() {
      const said = await connection.json({ op: 'info', subject: connection.host, method: 'GET', path: '/info' })
      if (!isRecord(said)) throw odd('info', connection.host, 'an engine')
      return engineInfo(said, await connection.version())
    },
    async listContainers(labels) {
      const query = { all: 1, filters: { label: labels } }
      const subject = `with ${labels.join(', ')}`
      const said = await connection.json({ op: 'listContainers', subject, method: 'GET', path: '/containers/json', query })
      const views = await inParallel(listed('listContainers', said), (entry) => inspectListed(connection, entry))
      return views.filter((view) => view !== undefined)
    },
    inspectContainer: (id) => inspectContainer(connection, id),
    async listNetworks(labels) {
      const query = { filters: { label: labels } }
      const subject = `with ${labels.join(', ')}`
      const said = await connection.json({ op: 'listNetworks', subject, method: 'GET', path: '/networks', query })
      return listed('listNetworks', said)
        .map(networkView)
        .filter((view): view is NetworkView => view !== undefined)
    },
    async listVolumes(labels) {
      const query = { filters: { label: labels } }
      const subject = `with ${labels.join(', ')}`
      const said = await connection.json({ op: 'listVolumes', subject, method: 'GET', path: '/volumes', query })
      // An engine without volumes says null.
      return listed('listVolumes', isRecord(said) ? (said.Volumes ?? []) : said)
        .map(volumeView)
        .filter((view): view is VolumeView => view !== undefined)
    },
    inspectImage: (ref) => inspectImage(connection, ref),
    events: (sinceMs, signal) => engineEvents(connection, sinceMs, signal),
    logs: (id, options, signal) => containerLogs(connection, objectId('logs', id), options, signal),
    async stats(id) {
      const query = { stream: false, 'one-shot': true }
      const path = `/containers/${objectId('stats', id)}/stats`
      const said = await connection.json({ op: 'stats', subject: id, method: 'GET', path, query })
      if (!isRecord(said)) throw odd('stats', id, 'usage')
      return containerStats(said)
    },
    async writtenBytes(id) {
      const path = `/containers/${objectId('writtenBytes', id)}/json`
      const said = await connection.json({ op: 'writtenBytes', subject: id, method: 'GET', path, query: { size: true } })
      if (!isRecord(said)) throw odd('writtenBytes', id, 'a container')
      // A container that has written nothing has no such field.
      return typeof said.SizeRw === 'number' ? said.SizeRw : 0
    },
    async volumeBytes() {
      // Engines before 23 know no type, and count images and containers too.
      const request = { op: 'volumeBytes', subject: connection.host, method: 'GET', path: '/system/df' } as const
      const said = await connection.json({ ...request, query: { type: 'volume' }, timeoutMs: slowMs })
      return new Map(listed('volumeBytes', isRecord(said) ? (said.Volumes ?? []) : said).flatMap(volumeSize))
    },
  }
}

/** A volume that cannot be counted has the size -1. */
function volumeSize(said: unknown): [string, number][] {
  const { Name: name, UsageData: usage } = isRecord(said) ? said : {}
  const size = isRecord(usage) ? usage.Size : undefined
  return typeof name === 'string' && typeof size === 'number' && size >= 0 ? [[name, size]] : []
}

async function inspectContainer(connection: Connection, id: string): Promise<ContainerView | undefined> {
  const path = `/containers/${objectId('inspectContainer', id)}/json`
  const said = await connection.json({ op: 'inspectContainer', subject: id, method: 'GET', path, alsoOk: [404], missing })
  if (said === missing) return undefined
  const view = containerView(said)
  if (!view) throw odd('inspectContainer', id, 'a container')
  return view
}

/** One entry of a list, inspected; one that cannot be is taken as the list has it, so that it hides no other. */
async function inspectListed(connection: Connection, entry: unknown): Promise<ContainerView | undefined> {
  const id = text(record(entry).Id)
  if (id === '') return undefined
  try {
    return await inspectContainer(connection, id)
  } catch (error) {
    if (error instanceof EngineError && (error.kind === 'failed' || error.kind === 'timeout')) {
      return listedContainer(entry, error.message)
    }
    throw error
  }
}

async function inspectImage(connection: Connection, ref: string): Promise<ImageView | undefined> {
  const path = `/images/${imageRef('inspectImage', ref)}/json`
  const said = await connection.json({ op: 'inspectImage', subject: ref, method: 'GET', path, alsoOk: [404], missing })
  if (said === missing) return undefined
  const view = imageView(said)
  if (!view) throw odd('inspectImage', ref, 'an image')
  return view
}

type ContainerSteps = Pick<
  Engine,
  | 'createContainer'
  | 'startContainer'
  | 'stopContainer'
  | 'killContainer'
  | 'removeContainer'
  | 'renameContainer'
  | 'updateContainer'
  | 'unpauseContainer'
>

function containerSteps(connection: Connection, logDriver: () => Promise<LogDriver>): ContainerSteps {
  /** `POST /containers/{id}/{verb}`, with an empty answer. */
  const post = (
    op: string,
    id: string,
    verb: string,
    more: { query?: Record<string, unknown>; body?: object; alsoOk?: number[]; timeoutMs?: number } = {},
  ) => connection.json({ op, subject: id, method: 'POST', path: `/containers/${objectId(op, id)}/${verb}`, ...more })

  return {
    async createContainer(config) {
      const said = await connection.json({
        op: 'createContainer',
        subject: config.name,
        method: 'POST',
        path: '/containers/create',
        query: { name: objectId('createContainer', config.name) },
        body: createBody(config, await logDriver()),
        timeoutMs: slowMs,
      })
      return givenId('createContainer', config.name, said)
    },
    async startContainer(id) {
      await post('startContainer', id, 'start', { alsoOk: [304], timeoutMs: slowMs })
    },
    async stopContainer(id, graceSeconds) {
      const seconds = Math.max(0, Math.ceil(graceSeconds))
      const timeoutMs = seconds * 1000 + stopMarginMs
      await post('stopContainer', id, 'stop', { query: { t: seconds }, alsoOk: [304], timeoutMs })
    },
    async killContainer(id, signal) {
      await post('killContainer', id, 'kill', { query: { signal } })
    },
    async removeContainer(id) {
      const path = `/containers/${objectId('removeContainer', id)}`
      const query = { force: 1, v: 1 }
      await connection.json({
        op: 'removeContainer',
        subject: id,
        method: 'DELETE',
        path,
        query,
        timeoutMs: slowMs,
        alsoOk: [404],
      })
    },
    async renameContainer(id, name) {
      await post('renameContainer', id, 'rename', { query: { name: objectId('renameContainer', name) } })
    },
    async updateContainer(id, change) {
      await post('updateContainer', id, 'update', { body: updateBody(change) })
    },
    async unpauseContainer(id) {
      await post('unpauseContainer', id, 'unpause')
    },
  }
}

type NetworkSteps = Pick<Engine, 'createNetwork' | 'removeNetwork' | 'connectNetwork' | 'disconnectNetwork'>

function networkSteps(connection: Connection): NetworkSteps {
  return {
    async createNetwork(config) {
      const body = networkBody(config)
      const said = await connection.json({
        op: 'createNetwork',
        subject: config.name,
        method: 'POST',
        path: '/networks/create',
        body,
      })
      return givenId('createNetwork', config.name, said)
    },
    async removeNetwork(id) {
      const path = `/networks/${objectId('removeNetwork', id)}`
      await connection.json({ op: 'removeNetwork', subject: id, method: 'DELETE', path, timeoutMs: slowMs, alsoOk: [404] })
    },
    async connectNetwork(network, containerId, ip) {
      const path = `/networks/${objectId('connectNetwork', network)}/connect`
      const body = connectBody(containerId, ip)
      await connection.json({
        op: 'connectNetwork',
        subject: `${network} to ${containerId}`,
        method: 'POST',
        path,
        body,
        timeoutMs: slowMs,
      })
    },
    async disconnectNetwork(network, containerId) {
      const path = `/networks/${objectId('disconnectNetwork', network)}/disconnect`
      const body = { Container: containerId, Force: true }
      await connection.json({
        op: 'disconnectNetwork',
        subject: `${network} from ${containerId}`,
        method: 'POST',
        path,
        body,
        timeoutMs: slowMs,
      })
    },
  }
}

function volumeSteps(connection: Connection): Pick<Engine, 'createVolume' | 'removeVolume'> {
  return {
    async createVolume(config) {
      objectId('createVolume', config.name)
      const body = volumeBody(config)
      const said = await connection.json({
        op: 'createVolume',
        subject: config.name,
        method: 'POST',
        path: '/volumes/create',
        body,
      })
      const wanted = Object.entries(config.labels)
      const found = volumeView(said)?.labels ?? {}
      // The engine hands back an existing volume of that name, whoever made it.
      if (Object.keys(found).length !== wanted.length || wanted.some(([key, value]) => found[key] !== value)) {
        throw new EngineError('conflict', `createVolume ${config.name}: a volume of this name exists with other labels`)
      }
    },
    async removeVolume(name) {
      const path = `/volumes/${objectId('removeVolume', name)}`
      await connection.json({ op: 'removeVolume', subject: name, method: 'DELETE', path, alsoOk: [404] })
    },
  }
}

function archiveSteps(connection: Connection): Pick<Engine, 'putArchive' | 'getArchive' | 'fileType'> {
  return {
    async fileType(id, path) {
      const request = { op: 'fileType', subject: `${id}:${path}` }
      const endpoint = `/containers/${objectId('fileType', id)}/archive`
      const answer = await connection.stream({ ...request, method: 'HEAD', path: endpoint, query: { path }, timeoutMs: slowMs })
      answer.resume()
      const found = fileType(answer.headers['x-docker-container-path-stat'])
      if (found === undefined) throw odd('fileType', request.subject, 'what is at a path')
      return found
    },
    async putArchive(id, path, tar) {
      await connection.json({
        op: 'putArchive',
        subject: `${id}:${path}`,
        method: 'PUT',
        path: `/containers/${objectId('putArchive', id)}/archive`,
        query: { path },
        file: tar,
        timeoutMs: slowMs,
      })
    },
    async getArchive(id, path, maxBytes) {
      const request = { op: 'getArchive', subject: `${id}:${path}` }
      const endpoint = `/containers/${objectId('getArchive', id)}/archive`
      const answer = await connection.stream({ ...request, method: 'GET', path: endpoint, query: { path } })
      try {
        return await readAll(connection.body(answer), maxBytes)
      } catch (cause) {
        throw connection.lost(request, cause)
      } finally {
        answer.destroy()
      }
    },
  }
}

/** What an inspection answers in place of a 404. */
const missing = Symbol('missing')

/** A list as the engine gave it. Anything else is an error: it must never pass for an empty one. */
function listed(op: string, said: unknown): readonly unknown[] {
  if (!Array.isArray(said)) throw odd(op, 'the answer', 'a list')
  return said
}

function odd(op: string, subject: string, expected: string): EngineError {
  return new EngineError('failed', `${op} ${subject}: what the engine answers is not ${expected}`)
}

function givenId(op: string, name: string, said: unknown): string {
  const id = text(record(said).Id)
  if (id === '') throw new EngineError('failed', `${op} ${name}: the engine gave it no id`)
  return id
}

/** Ids and names end up in paths: only what the engine itself allows as a name passes. */
function objectId(op: string, id: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(id)) return id
  throw new EngineError('invalid', `${op}: ${JSON.stringify(id)} is not the id or name of anything in an engine`)
}

function imageRef(op: string, ref: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_.:/@+-]*$/.test(ref) && !ref.includes('..') && !ref.includes('//')) return ref
  throw new EngineError('invalid', `${op}: ${JSON.stringify(ref)} is not an image reference`)
}

/** `local` where the engine has it, asked for once. */
function preferredLogDriver(connection: Connection): () => Promise<LogDriver> {
  let asked: Promise<LogDriver> | undefined
  const ask = async (): Promise<LogDriver> => {
    const said = await connection.json({ op: 'info', subject: connection.host, method: 'GET', path: '/info' })
    return texts(record(record(said).Plugins).Log).includes('local') ? 'local' : 'json-file'
  }
  return () => {
    asked ??= ask().catch((error: unknown) => {
      asked = undefined
      throw error
    })
    return asked
  }
}

/** Maps `items` with a bounded number of calls under way, in order. */
async function inParallel<T, R>(items: readonly T[], call: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(items.length)
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++
      results[index] = await call(items[index]!)
    }
  }
  await Promise.all(Array.from({ length: Math.min(parallelInspects, items.length) }, lane))
  return results
}
