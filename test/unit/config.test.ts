import { describe, expect, test } from 'vitest'
import { type Config, ConfigError, type ConfigInput, loadConfig } from '../../src/config.ts'
import { configOptions, parseDuration, policyExceptions } from '../../src/options.ts'

const bare: ConfigInput = { flags: {}, env: {}, home: '/home/ada', root: false, needsSource: false }

function read(change: Partial<ConfigInput>): Config {
  return loadConfig({ ...bare, ...change })
}

function problems(change: Partial<ConfigInput>): readonly string[] {
  try {
    loadConfig({ ...bare, ...change })
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

const file = (text: string) => ({ file: { name: 'trireme.yaml', text } })

test('defaults need nothing but a source', () => {
  expect(read({ flags: { repo: 'https://git.example/team/Shop.git' }, needsSource: true })).toEqual({
    source: { kind: 'git', name: 'shop', url: 'https://git.example/team/Shop.git', branch: 'main', path: '.' },
    intervalMs: 15_000,
    docker: 'unix:///var/run/docker.sock',
    dataDir: '/home/ada/.local/state/trireme/default',
    seccompProfileRoot: '/home/ada/.local/state/trireme/default/seccomp',
    listen: { host: '127.0.0.1', port: 9440 },
    cluster: 'default',
    once: false,
    domain: 'cluster.local',
    namespace: 'default',
    prune: { enabled: true, maxShare: 0.5, confirm: '' },
    allow: {},
    git: { timeoutMs: 60_000 },
    render: { allowRemote: false },
    logLevel: 'info',
    nodeLabels: {},
    nodeTaints: [],
    nodeResources: {},
    nodeAllocatable: {},
  })
})

describe('precedence', () => {
  const env = { TRIREME_BRANCH: 'from-env', TRIREME_CLUSTER: 'from-env' }
  const text = 'branch: from-file\ncluster: from-file\nnamespace: from-file\nrepo: ./r\n'

  test('flags over environment over file over default', () => {
    const config = read({ flags: { branch: 'from-flag' }, env, ...file(text) })
    expect(config.source).toMatchObject({ branch: 'from-flag' })
    expect([config.cluster, config.namespace, config.domain]).toEqual(['from-env', 'from-file', 'cluster.local'])
  })

  test('an empty variable is not given', () => {
    expect(read({ env: { TRIREME_CLUSTER: '' } }).cluster).toBe('default')
  })

  test('one group may come from several places', () => {
    const config = read({
      flags: { 'git.username': 'ada' },
      env: { TRIREME_GIT_TIMEOUT: '2m' },
      ...file('git: {caFile: /ca.pem}'),
    })
    expect(config.git).toEqual({ timeoutMs: 120_000, username: 'ada', caFile: '/ca.pem' })
  })
})

describe('defaults that depend on where it runs', () => {
  for (const { name, change, want } of [
    { name: 'root', change: { root: true }, want: '/var/lib/trireme/default' },
    { name: 'XDG_STATE_HOME', change: { env: { XDG_STATE_HOME: '/state' } }, want: '/state/trireme/default' },
    { name: 'cluster', change: { flags: { cluster: 'blue' } }, want: '/home/ada/.local/state/trireme/blue' },
    { name: 'given', change: { flags: { dataDir: './here' } }, want: './here' },
  ])
    test(`data directory: ${name}`, () => expect(read(change).dataDir).toBe(want))

  test('seccomp profiles are in the data directory unless told', () => {
    expect(read({ flags: { dataDir: '/data' } }).seccompProfileRoot).toBe('/data/seccomp')
    expect(read({ flags: { dataDir: '/data', seccompProfileRoot: '/etc/seccomp' } }).seccompProfileRoot).toBe('/etc/seccomp')
  })

  test('the issuer of tokens is a URL, from wherever it comes', () => {
    expect(read({}).serviceAccountIssuer).toBeUndefined()
    const issuer = 'https://trireme.example.org/tokens'
    expect(read({ flags: { serviceAccountIssuer: issuer } }).serviceAccountIssuer).toBe(issuer)
    expect(read({ env: { TRIREME_SERVICE_ACCOUNT_ISSUER: issuer } }).serviceAccountIssuer).toBe(issuer)
    expect(read(file(`serviceAccountIssuer: ${issuer}`)).serviceAccountIssuer).toBe(issuer)
    for (const wrong of ['trireme', 'ftp://a', 'https://a?b', 'https://a#b', 'https://me@a', 'https://a b'])
      expect(() => read({ flags: { serviceAccountIssuer: wrong } })).toThrow('must be an https or http URL')
  })

  for (const { name, change, want } of [
    { name: 'DOCKER_HOST', change: { env: { DOCKER_HOST: 'tcp://10.0.0.5:2375' } }, want: 'tcp://10.0.0.5:2375' },
    {
      name: 'a flag over DOCKER_HOST',
      change: { env: { DOCKER_HOST: 'tcp://a:1' }, flags: { docker: '/x.sock' } },
      want: 'unix:///x.sock',
    },
  ])
    test(`engine: ${name}`, () => expect(read(change).docker).toBe(want))
})

describe('values', () => {
  for (const [given, want] of Object.entries({
    '500ms': 500,
    '15s': 15_000,
    '2m': 120_000,
    '1h': 3_600_000,
    '1h30m': 5_400_000,
    '0.5s': 500,
    '15': undefined,
    s: undefined,
    '-1s': undefined,
    '1s ': undefined,
    '': undefined,
  }))
    test(`duration "${given}"`, () => expect(parseDuration(given)).toBe(want))

  for (const [given, want] of Object.entries({
    '127.0.0.1:0': { host: '127.0.0.1', port: 0 },
    ':80': { host: '0.0.0.0', port: 80 },
    '[::1]:9440': { host: '::1', port: 9440 },
    'localhost:65535': { host: 'localhost', port: 65_535 },
  }))
    test(`listen "${given}"`, () => expect(read({ flags: { listen: given } }).listen).toEqual(want))

  for (const given of ['true', '1', 'yes', 'ON'])
    test(`"${given}" is true`, () => expect(read({ env: { TRIREME_ONCE: given } }).once).toBe(true))
  for (const given of ['false', '0', 'no', 'off'])
    test(`"${given}" is false`, () => expect(read({ env: { TRIREME_PRUNE: given } }).prune.enabled).toBe(false))

  for (const [given, want] of Object.entries({
    'https://git.example/team/shop.git/': 'shop',
    'git@git.example:infra.git': 'infra',
    '/srv/My Repo': 'my-repo',
    '..': 'source',
  }))
    test(`"${given}" is the source ${want}`, () => expect(read({ flags: { repo: given } }).source?.name).toBe(want))

  test('policy exceptions by namespace, from flags and file', () => {
    expect(read({ flags: { allow: ['shop=hostPath,privileged', 'shop=sysctls', '*=seccomp'] } }).allow).toEqual({
      shop: ['hostPath', 'privileged', 'sysctls'],
      '*': ['seccomp'],
    })
    expect(read(file('allow: {shop: [hostPath]}')).allow).toEqual({ shop: ['hostPath'] })
  })

  test('labels and taints of the node are lists, in every layer', () => {
    expect(read({ flags: { nodeLabels: ['disk=ssd', 'rack=2'] } }).nodeLabels).toEqual({ disk: 'ssd', rack: '2' })
    expect(read({ env: { TRIREME_NODE_LABEL: 'disk=ssd,rack=' } }).nodeLabels).toEqual({ disk: 'ssd', rack: '' })
    expect(read(file('nodeTaints: ["dedicated=db:NoSchedule", "gpu:NoExecute"]')).nodeTaints).toEqual([
      { key: 'dedicated', value: 'db', effect: 'NoSchedule' },
      { key: 'gpu', value: '', effect: 'NoExecute' },
    ])
    expect(problems({ flags: { nodeTaints: ['dedicated=db:Never'] } })[0]).toContain('must be key=value:NoSchedule')
    expect(problems({ flags: { nodeLabels: ['disk'] } })[0]).toContain('must be key=value')
  })

  test('units of the node are lists by resource: devices, GPUs, or so many', () => {
    const flags = { nodeResources: ['example.com/serial=/dev/ttyUSB0', 'example.com/serial=/dev/ttyUSB1', 'a.b/licence=2'] }
    expect(read({ flags }).nodeResources).toEqual({
      'example.com/serial': ['/dev/ttyUSB0', '/dev/ttyUSB1'],
      'a.b/licence': ['1', '2'],
    })
    expect(read({ env: { TRIREME_NODE_RESOURCE: 'nvidia.com/gpu=gpu:0,nvidia.com/gpu=gpu:GPU-8f' } }).nodeResources).toEqual({
      'nvidia.com/gpu': ['gpu:0', 'gpu:GPU-8f'],
    })
    expect(read(file('nodeResources: [a.b/c=1]')).nodeResources).toEqual({ 'a.b/c': ['1'] })
    for (const wrong of [
      'cpu=2',
      'a.b/c',
      'a.b/c=',
      'a.b/c=0',
      'a.b/c=12345',
      'a.b/c=/etc/passwd',
      'a.b/c=/dev/../etc/x',
      'a.b/c=/dev//x',
      'a.b/c=/dev/./x',
      'a.b/c=/dev/x/',
      'a.b/c=gpu:',
      'kubernetes.io/c=1',
    ])
      expect(problems({ flags: { nodeResources: [wrong] } })[0]).toContain(`must be resource=unit`)
    for (const other of ['c', 'd'])
      expect(problems({ flags: { nodeResources: ['a.b/c=/dev/x', `a.b/${other}=/dev/x`] } })[0]).toContain('names /dev/x twice')
    expect(problems({ flags: { nodeResources: ['a.b/c=2', 'a.b/c=/dev/x'] } })[0]).toContain(
      'counts a.b/c, so it can be given once',
    )
  })

  test('what pods may request of the node is a list of quantities', () => {
    const flags = { nodeAllocatable: ['cpu=3500m', 'memory=12Gi'] }
    expect(read({ flags }).nodeAllocatable).toEqual({ cpuMillis: 3500, memoryBytes: 12 * 2 ** 30 })
    expect(read({ env: { TRIREME_NODE_ALLOCATABLE: 'cpu=4' } }).nodeAllocatable).toEqual({ cpuMillis: 4000 })
    expect(read(file('nodeAllocatable: [memory=1Gi]')).nodeAllocatable).toEqual({ memoryBytes: 2 ** 30 })
    for (const wrong of ['cpu', 'cpu=', 'cpu=two', 'cpu=0', 'cpu=-1', 'pods=3', 'a.b/c=1', 'memory=1Gib'])
      expect(problems({ flags: { nodeAllocatable: [wrong] } })).toEqual([
        expect.stringContaining(`must be cpu=quantity or memory=quantity, such as cpu=3500m or memory=12Gi, and is "${wrong}"`),
      ])
    expect(problems({ flags: { nodeAllocatable: ['cpu=1', 'cpu=2'] } })[0]).toContain('says cpu or memory twice')
  })

  test('a password comes from the environment', () => {
    expect(read({ env: { TRIREME_GIT_PASSWORD: 'hunter22' } }).git.password).toBe('hunter22')
  })
})

describe('what is wrong is said with its place, all at once', () => {
  for (const { name, change, want } of [
    {
      name: 'unknown key',
      change: file('clustr: x'),
      want: ['clustr (trireme.yaml): there is no such option (did you mean cluster?)'],
    },
    {
      name: 'unknown nested key',
      change: file('git: {timeot: 3s}'),
      want: ['git.timeot (trireme.yaml): there is no such option (did you mean git.timeout?)'],
    },
    {
      name: 'mistyped variable',
      change: { env: { TRIREME_INTERVALL: '5s' } },
      want: ['TRIREME_INTERVALL: there is no such variable (did you mean TRIREME_INTERVAL?)'],
    },
    { name: 'variable of something else', change: { env: { TRIREME_SERVICE_HOST: '10.0.0.1' } }, want: [] },
    { name: 'nothing near', change: file('zzzzzzzz: 1'), want: ['zzzzzzzz (trireme.yaml): there is no such option'] },
    {
      name: 'prototype',
      change: file('__proto__: {cluster: x}'),
      want: ['__proto__ (trireme.yaml): there is no such option'],
    },
    { name: 'group that is no map', change: file('prune: 3'), want: ['prune (trireme.yaml): must be a map of options'] },
    { name: 'not a map', change: file('- a'), want: ['trireme.yaml: must be a map of options'] },
    {
      name: 'password in a file',
      change: file('git: {password: x}'),
      want: ['git.password (trireme.yaml): may not be written in a file: set TRIREME_GIT_PASSWORD instead'],
    },
    {
      name: 'exceptions in the environment',
      change: { env: { TRIREME_ALLOW: 'a=hostPath' } },
      want: [
        'allow (TRIREME_ALLOW): policy exceptions are not taken from the environment: use --allow or the configuration file',
      ],
    },
    {
      name: 'exception misspelled',
      change: { flags: { allow: ['shop=hostpth'] } },
      want: ['allow.shop.0 (--allow): is no policy exception: hostpth (did you mean hostPath?)'],
    },
    {
      name: 'duration without a unit',
      change: { flags: { interval: '15' } },
      want: ['interval (--interval): must be a duration with its unit, such as 500ms, 15s, 2m or 1h, and is "15"'],
    },
    {
      name: 'number as duration',
      change: file('interval: 15'),
      want: ['interval (trireme.yaml): must be a duration with its unit, such as 500ms, 15s, 2m or 1h'],
    },
    {
      name: 'too short',
      change: { env: { TRIREME_INTERVAL: '1ms' } },
      want: ['interval (TRIREME_INTERVAL): must be at least 100ms, and is "1ms"'],
    },
    {
      name: 'share',
      change: { env: { TRIREME_PRUNE_MAX_SHARE: '2' } },
      want: ['prune.maxShare (TRIREME_PRUNE_MAX_SHARE): must be a number from 0 to 1'],
    },
    {
      name: 'not a number',
      change: { flags: { 'prune.maxShare': 'half' } },
      want: ['prune.maxShare (--prune-max-share): must be a number from 0 to 1'],
    },
    {
      name: 'range with host bits',
      change: { flags: { podCidr: '10.1.2.3/16' } },
      want: ['podCidr (--pod-cidr): has bits set after its prefix: write 10.1.0.0/16'],
    },
    {
      name: 'range in octal',
      change: { flags: { podCidr: '010.0.0.0/16' } },
      want: ['podCidr (--pod-cidr): must be an IPv4 range of /8 to /26, such as 10.88.0.0/16, and is "010.0.0.0/16"'],
    },
    {
      name: 'cluster',
      change: { flags: { cluster: 'Blue' } },
      want: ['cluster (--cluster): must be a DNS label: lower case letters, digits and "-", at most 63'],
    },
    {
      name: 'inherited engine',
      change: { env: { DOCKER_HOST: 'nonsense' } },
      want: ['docker (DOCKER_HOST): must be unix:///path or tcp://host:port, and is "nonsense"'],
    },
    {
      name: 'path out of the source',
      change: { flags: { path: 'a/../..' } },
      want: ['path (--path): must stay inside the source, without "..", and is "a/../.."'],
    },
    {
      name: 'log level',
      change: { flags: { logLevel: 'inof' } },
      want: ['logLevel (--log-level): must be one of trace, debug, info, warn, error, fatal, silent (did you mean info?)'],
    },
    {
      name: 'no source',
      change: { needsSource: true },
      want: ['repo: nothing to follow: give --repo <url|path>, or --dir <dir> for a local folder'],
    },
    {
      name: 'two sources',
      change: { needsSource: true, flags: { repo: 'a', dir: 'b' } },
      want: ['repo, dir: give one of the two, not both'],
    },
  ])
    test(name, () => expect(problems(change)).toEqual(want))

  test('several problems', () => {
    const found = problems({
      flags: { interval: 'x', listen: 'y' },
      env: { TRIREME_ONCE: 'maybe' },
      ...file('clustr: 1'),
      needsSource: true,
    })
    expect(found.map((line) => line.split(/[ :]/)[0]).sort()).toEqual(['clustr', 'interval', 'listen', 'once', 'repo'])
  })

  test('text that is no YAML, and a key written twice', () => {
    expect(problems(file('a: [1'))).toEqual([expect.stringMatching(/^trireme\.yaml: is not YAML: /)])
    expect(problems(file('cluster: a\ncluster: b'))).toEqual([expect.stringMatching(/duplicat/)])
  })
})

describe('hostile repositories and branches are refused, and no password is repeated', () => {
  for (const given of ['-oProxyCommand=x', 'ext::sh -c x', 'https://ada:hunter22@git.example/r.git'])
    test(given, () => {
      const [problem = '', ...others] = problems({ flags: { repo: given } })
      expect(others).toEqual([])
      expect(problem).toMatch(/^repo \(--repo\): must not /)
      expect(problem).not.toContain('hunter22')
    })
  for (const given of ['--upload-pack=x', 'a b', 'a..b', 'a.lock', '/a', 'a^', 'a\u0007'])
    test(`branch ${JSON.stringify(given)}`, () => expect(problems({ flags: { branch: given } })).toHaveLength(1))
  for (const given of ['main', 'feature/x', 'v1.2', 'fix-#12'])
    test(`branch ${given} is fine`, () => expect(problems({ flags: { branch: given } })).toEqual([]))
})

describe('options', () => {
  test('each has a flag, a variable or a file key of its own, and a help text', () => {
    for (const names of [
      configOptions.map(({ path }) => path),
      configOptions.map(({ flag }) => flag),
      configOptions.map(({ env }) => env),
    ]) {
      const given = names.filter((name) => name !== '')
      expect(new Set(given).size).toBe(given.length)
    }
    for (const { flag, env, help, flagHelp } of configOptions) {
      expect(flag || env).not.toBe('')
      expect(help.length).toBeGreaterThan(10)
      expect(flagHelp.length).toBeGreaterThan(10)
      expect(flag).not.toContain('undefined')
    }
  })

  test('what is on by itself has a flag that turns it off', () => {
    expect(configOptions.find(({ path }) => path === 'prune.enabled')).toMatchObject({
      flag: '--no-prune',
      env: 'TRIREME_PRUNE',
      defaultText: 'true',
      flagHelp: 'keep what left the source',
    })
  })

  test('each policy exception is accepted', () => {
    expect(read({ flags: { allow: [`x=${policyExceptions.join(',')}`] } }).allow.x).toEqual(policyExceptions)
  })
})
