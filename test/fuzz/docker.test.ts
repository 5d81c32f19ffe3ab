import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { baseSpec } from '../../src/reconcilers/compile.ts'
import { dockerEngine } from '../../src/runtime/docker/engine.ts'
import { type Engine, EngineError } from '../../src/runtime/engine.ts'
import { resolveContainer } from '../../src/runtime/resolve.ts'
import { createVault } from '../../src/runtime/vault.ts'
import { cluster } from '../support/world.ts'
import { behaviour, soundAnswer, whole } from './engineanswers.ts'
import { patienceMs, tryAll } from './fuzz.ts'
import { RawEngine } from './rawengine.ts'

const raw = new RawEngine()
afterAll(() => raw.close())

const spec = resolveContainer(
  { ...baseSpec(cluster()), name: 'c', labels: {}, networkMode: 'x' },
  createVault(new Uint8Array(32)),
)
const net = { name: 'n', driver: 'bridge', subnet: '10.0.0.0/24', ipRange: '', gateway: '', labels: {}, options: {} }

/** At most `most` items of a stream, which is then left. */
async function some<T>(items: AsyncIterable<T>, most = 200): Promise<T[]> {
  const seen: T[] = []
  for await (const item of items) if (seen.push(item) >= most) break
  return seen
}

async function talk(engine: Engine): Promise<void> {
  const process = await engine.execStream('c1', ['cat'])
  await process.write('x').catch(expectEngineError)
  await some(process.output).finally(() => process.close())
}

const calls: Readonly<Record<string, (engine: Engine) => Promise<unknown>>> = {
  info: (engine) => engine.info(),
  listContainers: (engine) => engine.listContainers(['a']),
  inspectContainer: (engine) => engine.inspectContainer('c1'),
  listNetworks: (engine) => engine.listNetworks(['a']),
  listVolumes: (engine) => engine.listVolumes(['a']),
  inspectImage: (engine) => engine.inspectImage('web'),
  events: (engine) => some(engine.events(0, AbortSignal.timeout(5000))),
  logs: (engine) => some(engine.logs('c1', { tail: 5, timestamps: true })),
  follow: (engine) => some(engine.logs('c1', { follow: true }, AbortSignal.timeout(5000))),
  stats: (engine) => engine.stats('c1'),
  pullImage: (engine) => engine.pullImage('web', { username: 'u', password: 'p' }),
  createContainer: (engine) => engine.createContainer(spec),
  startContainer: (engine) => engine.startContainer('c1'),
  stopContainer: (engine) => engine.stopContainer('c1', 0),
  killContainer: (engine) => engine.killContainer('c1', 'KILL'),
  removeContainer: (engine) => engine.removeContainer('c1'),
  renameContainer: (engine) => engine.renameContainer('c1', 'c2'),
  updateContainer: (engine) => engine.updateContainer('c1', { restartPolicy: 'no' }),
  unpauseContainer: (engine) => engine.unpauseContainer('c1'),
  createNetwork: (engine) => engine.createNetwork(net),
  removeNetwork: (engine) => engine.removeNetwork('n1'),
  connectNetwork: (engine) => engine.connectNetwork('n1', 'c1', '10.0.0.3'),
  disconnectNetwork: (engine) => engine.disconnectNetwork('n1', 'c1'),
  createVolume: (engine) => engine.createVolume({ name: 'v', labels: {}, driver: 'local', driverOpts: {} }),
  removeVolume: (engine) => engine.removeVolume('v'),
  putArchive: (engine) => engine.putArchive('c1', '/', new Uint8Array(1024)),
  getArchive: (engine) => engine.getArchive('c1', '/', 1000),
  fileType: (engine) => engine.fileType('c1', '/'),
  exec: (engine) => engine.exec('c1', ['true'], { timeoutMs: 2000, maxBytes: 100 }),
  execStream: talk,
}

function expectEngineError(error: unknown): void {
  if (!(error instanceof EngineError)) throw error
  expect(error.message.length).toBeLessThan(2000)
}

const engineAt = (timeoutMs: number) => dockerEngine({ node: 'n', host: raw.host, timeoutMs, pullStallMs: timeoutMs })

test('the answers that the mutations start from are understood', async () => {
  raw.answer = (path) => ({ bytes: whole(200, soundAnswer(path)), pieces: [4000], after: 'end' })
  const engine = engineAt(2000)
  expect((await engine.inspectContainer('c1'))?.networks.x?.ip).toBe('10.0.0.2')
  expect(await engine.listContainers(['a'])).toHaveLength(1)
  expect(await engine.createContainer(spec)).toHaveLength(64)
})

test(
  'whatever the engine answers, every call gives a value or an EngineError',
  () =>
    tryAll(fc.tuple(behaviour, fc.constantFrom(...Object.keys(calls))), 2500, async ([answer, name]) => {
      raw.answer = answer
      await calls[name]!(engineAt(3000)).catch(expectEngineError)
    }),
  patienceMs,
)

const httpHead = 'HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n'
const versionOnly = (bytes: string) => (path: string) =>
  path === '/version'
    ? ({ bytes: whole(200, soundAnswer(path)), pieces: [4000], after: 'end' } as const)
    : ({ bytes: Buffer.from(bytes), pieces: [4000], after: 'hold' } as const)

describe('an engine that stalls', () => {
  // They follow what goes on for ever, or have a deadline of minutes for a busy engine, whatever the ordinary one.
  const patient = new Set(['events', 'follow', 'startContainer', 'stopContainer', 'removeContainer', 'removeNetwork'])
  for (const name of ['connectNetwork', 'disconnectNetwork', 'putArchive', 'fileType']) patient.add(name)
  for (const [name, call] of Object.entries(calls)) {
    if (patient.has(name)) continue
    test(`in the middle of an answer to ${name} is given up`, async () => {
      raw.answer = versionOnly(`${httpHead}1\r\n{\r\n`)
      await expect(call(engineAt(60))).rejects.toBeInstanceOf(EngineError)
    })
  }

  test('in the middle of its version is given up', async () => {
    raw.answer = () => ({ bytes: Buffer.from(`${httpHead}1\r\n{\r\n`), pieces: [4000], after: 'hold' })
    await expect(engineAt(60).info()).rejects.toBeInstanceOf(EngineError)
  })

  test('before it says anything is given up', async () => {
    raw.answer = versionOnly('HTTP/1.1 200 OK\r\nContent-')
    await expect(engineAt(60).info()).rejects.toMatchObject({ kind: 'timeout' })
  })

  test('after a 101 that nobody asked for is given up', async () => {
    raw.answer = versionOnly('HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n')
    await expect(engineAt(60).info()).rejects.toMatchObject({ kind: 'timeout' })
  })

  test('in the middle of an error is given up', async () => {
    raw.answer = versionOnly('HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\n{')
    await expect(engineAt(60).info()).rejects.toBeInstanceOf(EngineError)
  })
})
