import { describe, expect, test } from 'vitest'
import type { Config } from '../../../src/config.ts'
import { configOptions } from '../../../src/options.ts'
import { runWith } from '../../support/cli.ts'

const verbs = ['run', 'plan', 'validate', 'status', 'events', 'logs', 'doctor', 'down']

describe('help', () => {
  test('of the program names every verb, and comes without arguments too', async () => {
    const asked = await runWith(['--help'])
    for (const verb of verbs) expect(asked.stdout).toMatch(new RegExp(`^  ${verb} `, 'm'))
    expect(asked.code).toBe(0)
    expect(await runWith([])).toEqual(asked)
  })

  test.each(verbs)('of %s has examples that it would accept', async (verb) => {
    const { code, stdout } = await runWith([verb, '--help'])
    expect([code, stdout]).toEqual([0, expect.stringContaining('Examples:')])
    const examples = [...stdout.matchAll(/^ {2}\$ trireme (.*?)(?: {3,}.*| \|.*)?$/gm)].map(([, line = '']) => line)
    expect(examples.length).toBeGreaterThan(0)
    // Each is run: what it does then is another matter, but it must never be a usage error.
    for (const example of examples) {
      const argv = example.replaceAll("'", '').split(' ')
      const { stderr } = await runWith(argv, {
        readText: async () => 'repo: ./r',
        request: async () => Promise.reject(new Error('offline')),
      })
      expect(stderr, example).not.toMatch(/unknown|missing|argument|not valid/)
    }
  })

  test('of run has every option with a flag', async () => {
    const { stdout } = await runWith(['run', '--help'])
    for (const { flag } of configOptions.filter((option) => option.flag !== '')) expect(stdout).toContain(flag)
  })

  test('version', async () => {
    expect(await runWith(['--version'])).toEqual({ code: 0, stdout: '0.1.0\n', stderr: '' })
  })
})

describe('usage errors exit with 2 and name what is near', () => {
  for (const { argv, want } of [
    { argv: ['ru'], want: "error: unknown command 'ru'\n(Did you mean run?)\n" },
    { argv: ['run', '--bransh', 'x'], want: "error: unknown option '--bransh'\n(Did you mean --branch?)\n" },
    { argv: ['logs'], want: 'error: say whose log: either the name of a workload or pod, or labels with --selector\n' },
    {
      argv: ['logs', 'web', '--since', '5 minutes'],
      want: "error: option '--since <duration>' argument '5 minutes' is invalid. It must be a duration such as 30s, 10m or 1h30m.\n",
    },
    {
      argv: ['logs', 'web', '--tail', 'all'],
      want: "error: option '--tail <lines>' argument 'all' is invalid. It must be a whole number of lines.\n",
    },
    {
      argv: ['status', '-o', 'xml'],
      want: "error: option '-o, --output <format>' argument 'xml' is invalid. Allowed choices are table, json.\n",
    },
  ])
    test(argv.join(' '), async () => expect(await runWith(argv)).toEqual({ code: 2, stdout: '', stderr: want }))
})

describe('run', () => {
  const started = async (argv: readonly string[], change: Parameters<typeof runWith>[1] = {}) => {
    const configs: Config[] = []
    const outcome = await runWith(argv, {
      startDaemon: async (config) => {
        configs.push(config)
        return 3
      },
      ...change,
    })
    return { outcome, config: configs[0] }
  }

  test('flags reach the configuration, and the exit code is the daemon’s', async () => {
    const argv = 'run --repo ./r --no-prune --git-timeout 5s --allow shop=hostPath --allow ops=privileged --once'.split(' ')
    const { outcome, config } = await started(argv)
    expect(outcome).toEqual({ code: 3, stdout: '', stderr: '' })
    expect(config).toMatchObject({
      source: { kind: 'git', url: './r' },
      prune: { enabled: false },
      git: { timeoutMs: 5_000 },
      allow: { shop: ['hostPath'], ops: ['privileged'] },
      once: true,
    })
  })

  test('flags that are not given leave environment and file in force', async () => {
    const { config } = await started(['run', '-c', 'trireme.yaml'], {
      env: { TRIREME_CLUSTER: 'blue', TRIREME_PRUNE: 'false' },
      readText: async (path) => `dir: ./${path}\nonce: true\n`,
    })
    expect(config).toMatchObject({
      cluster: 'blue',
      prune: { enabled: false },
      once: true,
      source: { kind: 'folder', dir: './trireme.yaml' },
    })
  })

  test('TRIREME_CONFIG names the file', async () => {
    const { config } = await started(['run'], { env: { TRIREME_CONFIG: '/etc/t.yaml' }, readText: async () => 'repo: ./r' })
    expect(config?.source).toMatchObject({ url: './r' })
  })

  test('a wrong configuration is explained and nothing is started', async () => {
    expect(await runWith(['run', '--interval', 'x'])).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'error: the configuration is not valid:\n' +
        '  repo: nothing to follow: give --repo <url|path>, or --dir <dir> for a local folder\n' +
        '  interval (--interval): must be a duration with its unit, such as 500ms, 15s, 2m or 1h, and is "x"\n',
    })
  })

  test('a file that cannot be read', async () => {
    const readText = async () => Promise.reject(Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' }))
    expect((await runWith(['run', '-c', 'x.yaml'], { readText })).stderr).toBe(
      'error: cannot read the configuration file x.yaml: it does not exist\n',
    )
  })

  test('a file that is not YAML is what is told, not what it may have held', async () => {
    const { stderr } = await runWith(['run', '-c', 'x.yaml'], { readText: async () => 'repo: [' })
    expect(stderr).toMatch(/^error: the configuration is not valid:\n {2}x\.yaml: is not YAML: .*\n$/)
  })

  test.each(['plan', 'doctor'])('%s shows no flag that only a daemon has, and takes it', async (verb) => {
    const { stdout } = await runWith([verb, '--help'])
    expect(stdout).toContain('--repo')
    expect(stdout).not.toMatch(/--(once|listen|interval|log-level|webhook-secret-file)/)
    expect((await runWith([verb, '--dir', '.', '--interval', 'x'])).stderr).toContain('interval (--interval): must be a duration')
  })

  test('a daemon that cannot start is explained', async () => {
    const startDaemon = async () => Promise.reject(new Error('another daemon holds cluster "default"'))
    expect(await runWith(['run', '--dir', '.'], { startDaemon })).toEqual({
      code: 2,
      stdout: '',
      stderr: 'error: another daemon holds cluster "default"\n',
    })
  })
})
