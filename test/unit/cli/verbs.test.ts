import { describe, expect, test } from 'vitest'
import type { Deps, ValidateOptions } from '../../../src/cli/deps.ts'
import { capture, runWith } from '../../support/cli.ts'

describe('plan', () => {
  const computePlan: Deps['computePlan'] = async () => ({ text: '@@ web\n+a\n-b\n c', json: { steps: [] }, differences: true })

  test('differences exit with 1', async () => {
    expect(await runWith(['plan', '--dir', '.'], { computePlan })).toEqual({
      code: 1,
      stdout: '@@ web\n+a\n-b\n c\n',
      stderr: '',
    })
  })

  test('none exit with 0', async () => {
    const none: Deps['computePlan'] = async () => ({ text: '', json: {}, differences: false })
    expect(await runWith(['plan', '--dir', '.'], { computePlan: none })).toEqual({
      code: 0,
      stdout: 'no differences\n',
      stderr: '',
    })
  })

  test('failing exits above 1', async () => {
    const failing = async () => Promise.reject(new Error('the engine does not answer'))
    const { code, stderr } = await runWith(['plan', '--dir', '.'], { computePlan: failing })
    expect([code, stderr]).toEqual([2, 'error: the engine does not answer\n'])
  })

  test('as JSON', async () => {
    const { code, stdout } = await runWith(['plan', '--dir', '.', '-o', 'json'], { computePlan })
    expect([code, JSON.parse(stdout)]).toEqual([1, { steps: [] }])
  })

  for (const { name, isTTY, env, coloured } of [
    { name: 'a terminal', isTTY: true, env: {}, coloured: true },
    { name: 'a pipe', isTTY: false, env: {}, coloured: false },
    { name: 'a terminal with NO_COLOR', isTTY: true, env: { NO_COLOR: '1' }, coloured: false },
    { name: 'a pipe with FORCE_COLOR', isTTY: false, env: { FORCE_COLOR: '1' }, coloured: true },
    { name: 'a dumb terminal', isTTY: true, env: { TERM: 'dumb' }, coloured: false },
  ])
    test(`${coloured ? 'colour' : 'no colour'} on ${name}`, async () => {
      const stdout = capture(isTTY)
      await runWith(['plan', '--dir', '.'], { computePlan, stdout, env })
      expect(stdout.text().includes('\u001b[32m+a')).toBe(coloured)
      expect(stdout.text().includes('\u001b')).toBe(coloured)
    })
})

describe('validate', () => {
  const verdict = {
    file: 'a.yaml',
    line: 1,
    kind: 'Deployment',
    namespace: 'shop',
    name: 'web',
    verdict: 'honoured',
    reasons: [],
  } as const
  const partly = { ...verdict, line: 9, kind: 'ServiceAccount', verdict: 'partly', reasons: ['tokens are not issued'] } as const
  const refused = { ...verdict, line: 20, verdict: 'refused', reasons: ['spec.replcas: unknown field'] } as const
  const problem = {
    file: 'a.yaml',
    line: 22,
    field: 'spec.replcas',
    code: 'UnknownField',
    message: 'unknown field',
    suggestion: 'replicas',
  }

  test('nothing refused exits with 0, and says what is not enforced', async () => {
    expect(
      await runWith(['validate', 'a.yaml'], { validatePaths: async () => ({ verdicts: [verdict, partly], problems: [] }) }),
    ).toEqual({
      code: 0,
      stdout:
        'a.yaml:9: not enforced: ServiceAccount/shop/web: tokens are not issued\n2 documents: 1 honoured, 1 partly, 0 refused\n',
      stderr: '',
    })
  })

  test('a refusal exits with 1, with file, line, field and the nearest spelling', async () => {
    expect(
      await runWith(['validate', 'a.yaml'], { validatePaths: async () => ({ verdicts: [refused], problems: [problem] }) }),
    ).toEqual({
      code: 1,
      stdout:
        'a.yaml:22: error: spec.replcas: unknown field (did you mean replicas?) [UnknownField]\n1 documents: 0 honoured, 0 partly, 1 refused\n',
      stderr: '',
    })
  })

  test('a problem of the whole file is a refusal too', async () => {
    const broken = { file: 'a.yaml', line: 3, field: '', code: 'BrokenYaml', message: 'not YAML' }
    const { code, stdout } = await runWith(['validate', '.'], {
      validatePaths: async () => ({ verdicts: [], problems: [broken] }),
    })
    expect([code, stdout.split('\n')[0]]).toEqual([1, 'a.yaml:3: error: not YAML [BrokenYaml]'])
  })

  test('a notice is told and refuses nothing', async () => {
    const notice = {
      file: 'values.yaml',
      line: 1,
      field: '',
      code: 'NotKubernetes',
      message: 'left out',
      severity: 'notice',
    } as const
    const { code, stdout } = await runWith(['validate', '.'], {
      validatePaths: async () => ({ verdicts: [verdict], problems: [notice] }),
    })
    expect([code, stdout.split('\n')[0]]).toEqual([0, 'values.yaml:1: notice: left out [NotKubernetes]'])
  })

  test('JSON is one entry a document', async () => {
    const validatePaths = async () => ({ verdicts: [verdict, refused], problems: [problem] })
    const { code, stdout } = await runWith(['validate', 'x', '-o', 'json'], { validatePaths })
    expect([code, JSON.parse(stdout)]).toEqual([1, [verdict, refused]])
  })

  test('paths and options are handed on; no source is needed', async () => {
    const asked: { paths: readonly string[]; options: ValidateOptions }[] = []
    const validatePaths: Deps['validatePaths'] = async (paths, options) => {
      asked.push({ paths, options })
      return { verdicts: [], problems: [] }
    }
    await runWith(['validate', 'a', 'b', '--namespace', 'shop', '--allow', 'shop=hostPath'], { validatePaths })
    expect(asked).toEqual([
      { paths: ['a', 'b'], options: { namespace: 'shop', allow: { shop: ['hostPath'] }, allowRemote: false } },
    ])
  })
})

describe('doctor', () => {
  const checks = [
    { name: 'engine', level: 'ok', message: 'Docker 20.10.24', remedy: '' },
    { name: 'cgroup', level: 'warn', message: 'version 1', remedy: 'boot with version 2' },
  ] as const

  test('each thing with its remedy', async () => {
    expect(await runWith(['doctor'], { diagnose: async () => checks })).toEqual({
      code: 0,
      stdout: 'ok    engine: Docker 20.10.24\nwarn  cgroup: version 1\n      remedy: boot with version 2\n',
      stderr: '',
    })
  })

  test('a failure exits with 1', async () => {
    const failing = [...checks, { name: 'nftables', level: 'fail', message: 'missing', remedy: 'load nf_tables' } as const]
    const { code, stdout } = await runWith(['doctor', '-o', 'json'], { diagnose: async () => failing })
    expect([code, JSON.parse(stdout)]).toEqual([1, failing])
  })
})

describe('down', () => {
  const teardown = (asked: boolean[], lines: readonly string[]): Deps['teardown'] =>
    async function* (_config, { volumes }) {
      asked.push(volumes)
      yield* lines
    }

  test('does nothing without --yes', async () => {
    const { code, stderr } = await runWith(['down', '--cluster', 'blue'])
    expect(code).toBe(2)
    expect(stderr).toBe(
      'error: this removes every container of cluster "blue" from unix:///var/run/docker.sock: repeat with --yes\n',
    )
  })

  test('says what it removed, and leaves volumes unless told', async () => {
    const asked: boolean[] = []
    expect(await runWith(['down', '--yes'], { teardown: teardown(asked, ['container web', 'network pods']) })).toEqual({
      code: 0,
      stdout: 'container web\nnetwork pods\nremoved 2\n',
      stderr: '',
    })
    const nothing = await runWith(['down', '-y', '--volumes'], { teardown: teardown(asked, []) })
    expect(nothing.stdout).toBe('nothing of cluster "default" was there\n')
    expect(asked).toEqual([false, true])
  })
})
