/** The few operations of the Engine API that the setup needs, over DOCKER_HOST or the local socket. */
import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { SetupError } from './report.mjs'

const LOCAL_SOCKET = '/var/run/docker.sock'

/** Request options for the engine that DOCKER_HOST names. ssh is left to the daemon itself. */
function target() {
  const host = process.env.DOCKER_HOST || `unix://${LOCAL_SOCKET}`
  if (host.startsWith('unix://')) return { client: http, options: { socketPath: host.slice('unix://'.length) } }
  if (!host.startsWith('tcp://')) throw new SetupError(`DOCKER_HOST=${host}: use unix:// or tcp:// here`)
  const { hostname, port } = new URL(host.replace(/^tcp/, 'http'))
  if (!process.env.DOCKER_TLS_VERIFY) return { client: http, options: { hostname, port: port || 2375 } }
  const folder = process.env.DOCKER_CERT_PATH || join(homedir(), '.docker')
  const read = (name) => readFileSync(join(folder, name))
  return {
    client: https,
    options: { hostname, port: port || 2376, ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') },
  }
}

/**
 * One request; resolves to status and whole body.
 *
 * @param {string} method
 * @param {string} path with its query
 * @param {{body?: import('node:stream').Readable, timeoutMs?: number}} [options] `body` is a tar stream
 * @returns {Promise<{status: number, text: string}>}
 */
export function request(method, path, { body, timeoutMs = 0 } = {}) {
  const { client, options } = target()
  const headers = body ? { 'content-type': 'application/x-tar' } : {}
  return new Promise((resolve, reject) => {
    const outgoing = client.request({ ...options, method, path, headers, agent: false, timeout: timeoutMs }, (incoming) => {
      let text = ''
      incoming.setEncoding('utf8')
      incoming.on('data', (chunk) => {
        text += chunk
      })
      incoming.on('error', reject)
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, text }))
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer in ${timeoutMs} ms`)))
    outgoing.on('error', reject)
    if (body) {
      body.on('error', (error) => outgoing.destroy(error))
      body.pipe(outgoing)
    } else outgoing.end()
  })
}

/**
 * Whether an engine answers.
 *
 * @returns {Promise<{answers: boolean, code: string}>} `code` is the system's error code, such as EACCES or ENOENT
 */
export async function ping(timeoutMs = 5000) {
  try {
    const { status } = await request('GET', '/_ping', { timeoutMs })
    return { answers: status === 200, code: '' }
  } catch (error) {
    if (error instanceof SetupError) throw error
    return { answers: false, code: error.code ?? 'ETIMEDOUT' }
  }
}

/** Labels of a local image, `undefined` when there is no such image. */
export async function imageLabels(image) {
  const { status, text } = await request('GET', `/images/${image}/json`)
  if (status === 404) return undefined
  if (status !== 200) throw new SetupError(`image ${image}: the engine answered ${status}: ${text}`)
  return JSON.parse(text).Config?.Labels ?? {}
}

/** Whether the engine can fetch `image` from its registry now. Asked of the engine, for it may sit behind another network. */
export async function registryHas(image) {
  try {
    return (await request('GET', `/distribution/${image}/json`, { timeoutMs: 4000 })).status === 200
  } catch {
    return false
  }
}

/** The engine reports failures of builds and imports inside a 200 answer, as the last line of a JSON stream. */
function failWith(what, { status, text }) {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const messages = lines.map((line) => {
    try {
      return JSON.parse(line)
    } catch {
      return { stream: `${line}\n` }
    }
  })
  const error = messages.find((message) => message.error)
  if (status === 200 && !error) return
  const log = messages.map((message) => message.stream ?? '').join('')
  throw new SetupError(
    `${log}${what} failed: ${error?.error ?? messages.map((message) => message.message ?? '').join('') ?? text}`,
  )
}

/** Builds an image from a tar stream that holds its Dockerfile. Never pulls what is already there. */
export async function buildImage(tag, context, { args = {}, labels = {} } = {}) {
  const query = new URLSearchParams({
    t: tag,
    rm: '1',
    forcerm: '1',
    version: '1',
    buildargs: JSON.stringify(args),
    labels: JSON.stringify(labels),
  })
  failWith(`building ${tag}`, await request('POST', `/build?${query}`, { body: context }))
}

/** Makes an image of one layer out of the tar stream of a root file system. */
export async function importImage(tag, root) {
  const [repo = '', version = ''] = tag.split(':')
  const query = new URLSearchParams({ fromSrc: '-', repo, tag: version })
  failWith(`importing ${tag}`, await request('POST', `/images/create?${query}`, { body: root }))
}
