import { Agent } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { dockerEngine } from '../../../../src/runtime/docker/engine.ts'
import { isRecord } from '../../../../src/runtime/docker/json.ts'
import type { Engine } from '../../../../src/runtime/engine.ts'
import { errorOf, kindOf } from '../../../contract/kinds.ts'
import { Answers, json } from '../../../support/answers.ts'

let answers: Answers
let engine: Engine
let calls: (readonly [string, boolean])[]

beforeAll(() => {
  answers = new Answers()
})
afterAll(() => answers.close())
beforeEach(() => {
  calls = []
  const onCall = (op: string, _ms: number, ok: boolean) => calls.push([op, ok])
  engine = dockerEngine({ node: 'n', host: answers.host, timeoutMs: 400, onCall })
})

const odd = [undefined, null, [], {}, 7, 'text', { State: 'running', Config: 3, Mounts: {}, NetworkSettings: null }]

describe('what is at a path', () => {
  const at = (header?: string) =>
    answers.answer({
      'HEAD /containers/c1/archive': (response) => {
        response.writeHead(200, header === undefined ? {} : { 'X-Docker-Container-Path-Stat': header })
        response.end()
      },
    })
  const stat = (mode: unknown) => Buffer.from(JSON.stringify({ name: 'x', size: 1, mode, linkTarget: '' })).toString('base64')

  // As an engine answers: the bits are those of Go.
  test.each([
    ['directory', 2 ** 31 + 0o755],
    ['directory', 2 ** 31 + 2 ** 20 + 0o777],
    ['file', 0o644],
    ['file', 2 ** 23 + 0o755],
    ['link', 2 ** 27 + 0o777],
    ['socket', 2 ** 24 + 0o660],
    ['pipe', 2 ** 25 + 0o644],
    ['characterDevice', 2 ** 26 + 2 ** 21 + 0o666],
    ['blockDevice', 2 ** 26 + 0o660],
  ])('a %s', async (type, mode) => {
    at(stat(mode))
    expect(await engine.fileType('c1', '/a b')).toBe(type)
    expect(answers.asked.at(-1)).toContain('path=%2Fa%20b')
  })

  test.each([undefined, '', 'e30=', '!', stat('x'), stat(-1)])('an answer that does not say: %j', async (header) => {
    at(header)
    expect(await kindOf(engine.fileType('c1', '/'))).toBe('failed')
  })

  test('nothing', async () => {
    answers.answer({})
    expect(await kindOf(engine.fileType('c1', '/'))).toBe('notFound')
  })
})

describe('answers that no engine should give', () => {
  test.each(odd)('an inspection that answers %j', async (said) => {
    answers.answer({ 'GET /containers/c1/json': json(said ?? '') })
    // Never "there is none": that would make a replacement.
    expect(await kindOf(engine.inspectContainer('c1'))).toBe('failed')
  })

  test('an inspection with an id and nothing else that fits', async () => {
    const said = {
      Id: 'abc',
      Name: 7,
      Created: 'soon',
      RestartCount: 'x',
      State: { Status: 'odd', ExitCode: null },
      HostConfig: [],
      Mounts: [null, 3, {}],
    }
    answers.answer({ 'GET /containers/c1/json': json(said) })
    expect(await engine.inspectContainer('c1')).toEqual({
      id: 'abc',
      name: '',
      image: '',
      imageId: '',
      labels: {},
      state: 'exited',
      exitCode: 0,
      oomKilled: false,
      error: '',
      createdAt: 0,
      startedAt: 0,
      finishedAt: 0,
      restartCount: 0,
      restartPolicy: 'no',
      resources: {},
      networkMode: '',
      networks: {},
      mounts: [{ type: '', name: '', source: '', destination: '', readOnly: false }],
      pid: 0,
    })
  })

  test.each(odd.filter((said) => !Array.isArray(said)))('a list that answers %j is an error, not empty', async (said) => {
    const any = json(said ?? '')
    answers.answer({ 'GET /containers/json': any, 'GET /networks': any, 'GET /volumes': any })
    expect(await kindOf(engine.listContainers(['a']))).toBe('failed')
    expect(await kindOf(engine.listNetworks(['a']))).toBe('failed')
    if (!isRecord(said)) expect(await kindOf(engine.listVolumes(['a']))).toBe('failed')
  })

  test('lists with entries of any shape', async () => {
    answers.answer({
      'GET /containers/json': json([null, 3, {}]),
      'GET /networks': json([null, { Id: 'n', IPAM: 3, Labels: [] }]),
      'GET /volumes': json({ Volumes: [7, { Name: 'v', Labels: null }] }),
    })
    expect(await engine.listContainers(['a'])).toEqual([])
    expect(await engine.listNetworks(['a'])).toEqual([{ id: 'n', name: '', driver: '', labels: {}, subnets: [] }])
    expect(await engine.listVolumes(['a'])).toEqual([{ name: 'v', driver: '', labels: {}, mountpoint: '' }])
    answers.answer({ 'GET /volumes': json({ Volumes: null }) })
    expect(await engine.listVolumes(['a'])).toEqual([])
  })

  test('info and stats of any shape', async () => {
    for (const said of odd) {
      answers.answer({ 'GET /info': json(said ?? ''), 'GET /containers/c1/stats': json(said ?? '') })
      if (isRecord(said)) {
        expect(await engine.info()).toMatchObject({ id: '', cpus: 0, warnings: [] })
        expect(await engine.stats('c1')).toMatchObject({ cpuNanos: 0, memoryWorkingSetBytes: 0, readAt: 0 })
      } else {
        expect(await kindOf(engine.info())).toBe('failed')
        expect(await kindOf(engine.stats('c1'))).toBe('failed')
      }
    }
  })

  test('a created container without an id', async () => {
    answers.answer({ 'POST /networks/create': json({ Warning: '' }, 201) })
    expect(
      await kindOf(
        engine.createNetwork({ name: 'n', driver: 'bridge', subnet: '', ipRange: '', gateway: '', labels: {}, options: {} }),
      ),
    ).toBe('failed')
  })

  test("a 404 that is not the engine's own", async () => {
    for (const said of ['404 page not found', '<h1>Not here</h1>', { message: 'page not found' }]) {
      answers.answer({ 'GET /containers/c1/json': json(said, 404), 'DELETE /containers/c1': json(said, 404) })
      expect(await kindOf(engine.inspectContainer('c1'))).toBe('failed')
      expect(await kindOf(engine.removeContainer('c1'))).toBe('failed')
    }
  })

  test('an answer cut half way is unreachable, not half an answer', async () => {
    answers.answer({
      'GET /info': (response) => {
        response.writeHead(200, { 'Content-Length': '1000' })
        response.write('{"ID":"x"')
        setImmediate(() => response.destroy())
      },
    })
    expect(await kindOf(engine.info())).toBe('unreachable')
  })

  test('an answer that never ends, and one that never begins', async () => {
    answers.answer({
      'GET /info': (response) => {
        response.writeHead(200)
        response.write('{')
      },
      'GET /networks': () => {},
    })
    expect(await kindOf(engine.info())).toBe('timeout')
    expect(await kindOf(engine.listNetworks([]))).toBe('timeout')
  })

  test('an error as HTML, as nothing, and endless', async () => {
    for (const [body, expected] of [
      ['<h1>Bad\nGateway</h1>', '<h1>Bad Gateway</h1>'],
      ['', 'HTTP 502'],
      ['x'.repeat(5000), `${'x'.repeat(600)}…`],
    ] as const) {
      answers.answer({ 'GET /info': json(body, 502) })
      const error = await errorOf(engine.info())
      expect(error.kind).toBe('failed')
      expect(error.message).toBe(`info ${answers.host}: ${expected}`)
    }
  })
})

describe('one container that cannot be inspected', () => {
  const entry = {
    Id: 'bad',
    Names: ['/k8s_a'],
    Image: 'web:1',
    ImageID: 'sha256:1',
    Created: 1_700_000_000,
    State: 'exited',
    Status: 'Exited (137) 5 minutes ago',
    Labels: { a: 'b' },
    HostConfig: { NetworkMode: 'container:x' },
  }

  test('hides no other, and is as the list has it', async () => {
    answers.answer({
      'GET /containers/json': json([{ Id: 'good' }, entry, { Id: 'gone' }]),
      'GET /containers/good/json': json({ Id: 'good', State: { Status: 'running' } }),
      'GET /containers/bad/json': json({ message: 'layer does not exist' }, 500),
    })
    const [good, bad, ...rest] = await engine.listContainers(['a'])
    expect(rest).toEqual([])
    expect(good).toMatchObject({ id: 'good', state: 'running' })
    expect(bad).toMatchObject({ id: 'bad', name: 'k8s_a', image: 'web:1', state: 'exited', exitCode: 137, labels: { a: 'b' } })
    expect(bad!.error).toContain('layer does not exist')
  })

  test('nor when the engine hangs on it', async () => {
    answers.answer({ 'GET /containers/json': json([entry]), 'GET /containers/bad/json': () => {} })
    expect((await engine.listContainers(['a']))[0]!.error).toContain('did not answer within 400 ms')
  })
})

describe('pulls', () => {
  const stream = (...lines: unknown[]) =>
    json(lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\r\n'))
  const failure = (message: string) => ({ errorDetail: { message }, error: message })

  test('resolve with the id, a tag added, credentials in their header', async () => {
    let header = ''
    answers.answer({
      'POST /images/create': (response, request) => {
        header = String(request.headers['x-registry-auth'])
        stream({ status: 'Pulling' }, 'noise', { status: 'Done' })(response, request)
      },
      'GET /images/registry.example:5000/web/json': json({ Id: 'sha256:9' }),
    })
    const auth = { username: 'u', password: 'p>?', serverAddress: 'registry.example:5000' }
    expect(await engine.pullImage('registry.example:5000/web', auth)).toBe('sha256:9')
    expect(answers.asked[1]).toBe('POST /v1.41/images/create?fromImage=registry.example%3A5000%2Fweb%3Alatest')
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({
      username: 'u',
      password: 'p>?',
      serveraddress: 'registry.example:5000',
    })
  })

  test.each([
    ['manifest for web:2 not found: manifest unknown: manifest unknown', 'imageNotFound'],
    [
      "pull access denied for web, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
      'imageNotFound',
    ],
    ['unauthorized: authentication required', 'imageDenied'],
    ['Get "https://r/v2/": unauthorized: incorrect username or password', 'imageDenied'],
    ['failed to register layer: write /x: no space left on device', 'noSpace'],
    ['Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host', 'failed'],
    ['toomanyrequests: You have reached your pull rate limit', 'failed'],
  ])('that fail inside the stream: %s', async (message, kind) => {
    answers.answer({ 'POST /images/create': stream({ status: 'Pulling' }, failure(message)) })
    const error = await errorOf(engine.pullImage('web:2', undefined))
    expect(error.kind).toBe(kind)
    expect(error.message).toBe(`pull web:2: ${message}`)
  })

  test('that fail at once, that are broken off, that are cancelled', async () => {
    answers.answer({ 'POST /images/create': json({ message: 'manifest unknown' }, 404) })
    expect(await kindOf(engine.pullImage('web:2', undefined))).toBe('imageNotFound')
    answers.answer({
      'POST /images/create': (response) => {
        response.writeHead(200)
        response.write('{"status":"Pulling"}\r\n')
        setImmediate(() => response.destroy())
      },
    })
    expect(await kindOf(engine.pullImage('web:2', undefined))).toBe('unreachable')
    const abort = new AbortController()
    answers.answer({
      'POST /images/create': (response) => {
        response.writeHead(200)
        response.flushHeaders()
        abort.abort()
      },
    })
    expect((await errorOf(engine.pullImage('web:2', undefined, abort.signal))).message).toContain('cancelled')
  })

  test('that stall are given up; those that go on take as long as they take', async () => {
    const patient = dockerEngine({ node: 'n', host: answers.host, timeoutMs: 400, pullStallMs: 150 })
    answers.answer({ 'POST /images/create': (response) => response.writeHead(200).flushHeaders() })
    expect(await errorOf(patient.pullImage('web:2', undefined))).toMatchObject({
      kind: 'timeout',
      message: 'pull web:2: no progress for 0.15 s; is its registry well?',
    })
    answers.answer({
      'POST /images/create': (response) => {
        let left = 8
        const tell = setInterval(() => {
          response.write('{"status":"Downloading"}\r\n')
          if (--left > 0) return
          clearInterval(tell)
          response.end()
        }, 50)
      },
      'GET /images/web:2/json': json({ Id: 'sha256:9' }),
    })
    expect(await patient.pullImage('web:2', undefined)).toBe('sha256:9')
  })

  test('of what the engine then does not have', async () => {
    answers.answer({ 'POST /images/create': stream({ status: 'Done' }), 'GET /images/web:2/json': json({}) })
    expect(await kindOf(engine.pullImage('web:2', undefined))).toBe('failed')
  })
})

describe('calls', () => {
  test('are counted once each, a 404 that means success as success', async () => {
    answers.answer({})
    expect(await engine.inspectContainer('c1')).toBeUndefined()
    await engine.removeContainer('c1')
    expect(await kindOf(engine.startContainer('c1'))).toBe('notFound')
    expect(calls).toEqual([
      ['version', true],
      ['inspectContainer', true],
      ['removeContainer', true],
      ['startContainer', false],
    ])
  })

  test('never print the connection, for a debug line that nobody reads', async () => {
    // docker-modem formats its options, the agent with all its sockets among them, on every call.
    let printed = 0
    answers.answer({ 'GET /info': json({}) })
    Object.defineProperty(Agent.prototype, Symbol.toStringTag, {
      configurable: true,
      get: () => {
        printed += 1
        return 'Agent'
      },
    })
    try {
      await engine.info()
    } finally {
      Reflect.deleteProperty(Agent.prototype, Symbol.toStringTag)
    }
    expect(printed).toBe(0)
  })

  test('speak the version both sides know', async () => {
    for (const [newest, oldest, spoken] of [
      ['1.41', '1.12', '1.41'],
      ['1.52', '1.44', '1.47'],
      ['1.60', '1.50', '1.50'],
    ]) {
      answers.answer({ 'GET /version': json({ ApiVersion: newest, MinAPIVersion: oldest }), 'GET /info': json({}) })
      const fresh = dockerEngine({ node: 'n', host: answers.host, timeoutMs: 400 })
      expect((await fresh.info()).apiVersion).toBe(spoken)
      expect(answers.asked).toEqual(['GET /version', `GET /v${spoken}/info`])
    }
  })

  test('to an engine that is too old, or none at all, are refused by name', async () => {
    answers.answer({ 'GET /version': json({ ApiVersion: '1.40' }) })
    expect((await errorOf(engine.info())).message).toContain('1.41 (Docker 20.10) or later')
    answers.answer({ 'GET /version': json('<html>') })
    expect((await errorOf(engine.info())).message).toContain('does not answer like a Docker Engine')
    answers.answer({ 'GET /info': json({ ID: 'x' }) })
    expect((await engine.info()).id).toBe('x')
  })

  test('never put a name into a path that is none', async () => {
    answers.answer({})
    for (const call of [
      () => engine.inspectContainer('../info'),
      () => engine.removeContainer('a/b'),
      () => engine.inspectImage('../containers/json'),
      () => engine.pullImage('web?fromSrc=-', undefined),
      () => engine.removeVolume(''),
      () => engine.putArchive('a?path=/', '/', new Uint8Array()),
    ]) {
      expect(await kindOf((async () => call())())).toBe('invalid')
    }
    expect(answers.asked).toEqual([])
  })

  test('an address that is none', () => {
    for (const host of ['docker.sock', 'ftp://h', 'tcp://', 'ssh://h']) {
      expect(() => dockerEngine({ node: 'n', host, timeoutMs: 400 })).toThrow(/unix:\/\/\/path/)
    }
  })

  test('to nobody say why and what to do', async () => {
    for (const [host, hint] of [
      ['unix:///no/such/docker.sock', 'there is no such socket; is dockerd running?'],
      ['tcp://127.0.0.1:1', 'connection refused; is dockerd running?'],
    ] as const) {
      const error = await errorOf(dockerEngine({ node: 'n', host, timeoutMs: 5_000 }).info())
      expect(error.kind).toBe('unreachable')
      expect(error.message).toContain(hint)
    }
  })
})

describe('what is sent', () => {
  const config = {
    name: 'c1',
    image: 'web:1',
    env: ['A=b'],
    labels: { a: 'b' },
    tty: false,
    openStdin: false,
    stdinOnce: false,
    restartPolicy: 'always',
    stopTimeoutSeconds: 45,
    init: true,
    resources: { memoryBytes: 1024, cpuQuota: 2000 },
    oomScoreAdj: 5,
    mounts: [{ type: 'volume', source: 'v', target: '/v', readOnly: true }],
    networkMode: 'pods',
    ip: '10.1.0.9',
    portBindings: [
      { hostIp: '', hostPort: 53, containerPort: 53, protocol: 'udp' },
      { hostIp: '127.0.0.1', hostPort: 54, containerPort: 53, protocol: 'udp' },
    ],
    dns: [],
    dnsSearch: [],
    dnsOptions: [],
    extraHosts: [],
    sysctls: {},
    capAdd: [],
    capDrop: ['ALL'],
    privileged: false,
    readonlyRootfs: true,
    securityOpt: [],
    groupAdd: [],
    noHealthcheck: true,
    logMaxBytes: 1000,
    logMaxFiles: 1,
  } as const

  test.each([
    [['local', 'json-file'], { Type: 'local', Config: { 'max-size': '1000', 'max-file': '1', compress: 'false' } }],
    [['json-file', 'none'], { Type: 'json-file', Config: { 'max-size': '1000', 'max-file': '1' } }],
  ])('a container, its logs bounded where the engine has the drivers %j', async (Log, LogConfig) => {
    answers.answer({ 'GET /info': json({ Plugins: { Log } }), 'POST /containers/create': json({ Id: 'x' }, 201) })
    expect(await engine.createContainer(config)).toBe('x')
    expect(answers.asked.at(-1)).toBe('POST /v1.41/containers/create?name=c1')
    const sent = JSON.parse(answers.bodies.at(-1)!)
    expect(sent).toMatchObject({
      Image: 'web:1',
      StopTimeout: 45,
      ExposedPorts: { '53/udp': {} },
      Healthcheck: { Test: ['NONE'] },
      NetworkingConfig: { EndpointsConfig: { pods: { IPAMConfig: { IPv4Address: '10.1.0.9' } } } },
      HostConfig: {
        Memory: 1024,
        MemorySwap: 1024,
        CpuPeriod: 100_000,
        CpuQuota: 2000,
        RestartPolicy: { Name: 'always' },
        Mounts: [{ Type: 'volume', Source: 'v', Target: '/v', ReadOnly: true, VolumeOptions: { NoCopy: true } }],
        PortBindings: {
          '53/udp': [
            { HostIp: '', HostPort: '53' },
            { HostIp: '127.0.0.1', HostPort: '54' },
          ],
        },
        LogConfig,
      },
    })
    expect(Object.keys(sent)).not.toContain('Entrypoint')
    expect(Object.keys(sent)).not.toContain('Hostname')
  })

  test('devices of the node, and GPUs by what the driver calls them', async () => {
    answers.answer({ 'GET /info': json({}), 'POST /containers/create': json({ Id: 'x' }, 201) })
    await engine.createContainer({ ...config, devices: ['/dev/ttyUSB0'], gpus: ['0', 'GPU-8f2c'] })
    const { HostConfig } = JSON.parse(answers.bodies.at(-1)!)
    expect(HostConfig.DeviceRequests).toEqual([{ Driver: 'nvidia', DeviceIDs: ['0', 'GPU-8f2c'], Capabilities: [['gpu']] }])
    expect(HostConfig.Devices).toEqual([{ PathOnHost: '/dev/ttyUSB0', PathInContainer: '/dev/ttyUSB0', CgroupPermissions: 'rw' }])
  })

  test('parts of volumes, folders that are made, and mounts that are shared', async () => {
    answers.answer({ 'GET /info': json({}), 'POST /containers/create': json({ Id: 'x' }, 201) })
    const mounts = [
      { type: 'volume', source: 'v', target: '/v', readOnly: false, part: 'a/b' },
      { type: 'bind', source: '/there', target: '/t', readOnly: true, propagation: 'rshared' },
      { type: 'bind', source: '/made', target: '/m', readOnly: true, create: true, propagation: 'rslave' },
    ] as const
    await engine.createContainer({ ...config, mounts })
    expect(JSON.parse(answers.bodies.at(-1)!).HostConfig).toMatchObject({
      Mounts: [
        { Type: 'volume', Source: 'v', Target: '/v', VolumeOptions: { NoCopy: true, Subpath: 'a/b' } },
        { Type: 'bind', Source: '/there', Target: '/t', ReadOnly: true, BindOptions: { Propagation: 'rshared' } },
      ],
      Binds: ['/made:/m:ro,rslave'],
    })
  })

  test('an overlay network is open to plain containers', async () => {
    answers.answer({ 'POST /networks/create': json({ Id: 'n1' }, 201) })
    const network = {
      name: 'n',
      driver: 'overlay',
      subnet: '10.1.0.0/16',
      ipRange: '',
      gateway: '',
      labels: {},
      options: { encrypted: '' },
    }
    expect(await engine.createNetwork(network)).toBe('n1')
    expect(JSON.parse(answers.bodies.at(-1)!)).toMatchObject({ Attachable: true, IPAM: { Config: [{ Subnet: '10.1.0.0/16' }] } })
  })
})
