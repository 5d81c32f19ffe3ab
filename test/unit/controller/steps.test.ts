import { describe, expect, test } from 'vitest'
import { runStep, type StepSite } from '../../../src/controller/steps.ts'
import type { Step } from '../../../src/reconcilers/plan.ts'
import { unpackFiles } from '../../../src/runtime/archive.ts'
import { EngineError, type EngineErrorKind } from '../../../src/runtime/engine.ts'
import { testSigner } from '../../support/tokens.ts'
import { FakeTimers } from '../runtime/faketimers.ts'

/** A site whose engine answers everything with one error, if any, and what was looked at again afterwards. */
function siteOf(kind?: EngineErrorKind, says = 'no') {
  const looked: string[] = []
  const asked: string[] = []
  const answer = (op: string) => async () => {
    asked.push(op)
    if (kind !== undefined && op !== 'remove') throw new EngineError(kind, says)
  }
  const images = new Map([
    ['web:1@always', { id: 'i', user: '' }],
    ['api:1@always', { id: 'j', user: '' }],
  ])
  const site = {
    engine: {
      startContainer: answer('start'),
      inspectContainer: async () => ({ startedAt: 5 }),
      createContainer: answer('create'),
      removeContainer: answer('remove'),
      pullImage: answer('pull'),
      inspectImage: async () => undefined,
      exec: async () => ({ exitCode: 1, output: '' }),
    },
    images,
    files: new Map(),
    put: new Map(),
    tokens: new Map(),
    hooks: new Set<string>(),
    refresh: async (container: string) => void looked.push(container),
    refreshShared: async () => void looked.push('all'),
    pulling: (_: string, pull: () => Promise<unknown>) => pull(),
  } as unknown as StepSite
  const run = (step: object) =>
    runStep({ node: 'alpha', target: 't', cause: 'c', ...step } as Step, site, {
      vault: { get: () => undefined, redact: (text: string) => text } as never,
      tokens: testSigner(),
      timers: new FakeTimers(),
      now: () => Date.UTC(2026, 11, 1, 9, 30, 0, 123),
    })
  return { run, looked, asked, images, site }
}

const spec = { name: 'web_0', image: 'web:1', env: [], mounts: [], labels: {}, securityOpt: [] }
const create = { op: 'create', spec }

test('what a step did is looked at, also when it failed: it may have changed something all the same', async () => {
  const { run, looked } = siteOf('failed')
  await expect(run({ op: 'start', container: 'web' })).rejects.toThrow('no')
  expect(looked).toEqual(['web'])
})

test('a container that can never start again, for its engine was killed while it started it, is removed', async () => {
  const stuck = `start container web: task ${'e'.repeat(64)}: already exists`
  const { run, asked, looked } = siteOf('failed', stuck)
  await expect(run({ op: 'start', container: 'web' })).rejects.toThrow(stuck)
  expect([asked, looked]).toEqual([['start', 'remove'], ['web']])
})

test('a container that does not start for any other reason stays', async () => {
  const { run, asked } = siteOf('failed', 'endpoint with name web already exists')
  await expect(run({ op: 'start', container: 'web' })).rejects.toThrow('already exists')
  expect(asked).toEqual(['start'])
})

test('an engine that could not be reached is looked at before anything else is planned on it', async () => {
  const { run, looked } = siteOf('unreachable')
  await expect(run({ op: 'start', container: 'web' })).rejects.toThrow('no')
  expect(looked).toContain('all')
})

test('a container that a daemon was starting when it died is not started a second time: it may have run to its end', async () => {
  const { run, asked, looked } = siteOf()
  await run({ op: 'start', container: 'web', lastStart: 0 })
  expect(asked).toEqual([])
  expect(looked).toEqual(['web'])
  await run({ op: 'start', container: 'web', lastStart: 5 })
  await run({ op: 'start', container: 'web' })
  expect(asked).toEqual(['start', 'start'])
})

test('a container whose image is gone has it pulled again, and no other image', async () => {
  const { run, images } = siteOf('imageNotFound')
  await expect(run(create)).rejects.toThrow('no')
  expect([...images.keys()]).toEqual(['api:1@always'])
})

test('a container that is there already is looked at by its name', async () => {
  const { run, looked } = siteOf('conflict')
  await expect(run(create)).rejects.toThrow('no')
  expect(looked).toEqual(['web_0'])
})

test('imagePullPolicy Never asks no registry', async () => {
  const { run, asked } = siteOf()
  const pull = { op: 'pull', image: 'web:1', imageKey: 'web:1@never', policy: 'Never', pullSecrets: [] }
  await expect(run(pull)).rejects.toThrow('imagePullPolicy is Never')
  expect(asked).toEqual([])
})

test('a postStart hook that failed is not done', async () => {
  const { run, site } = siteOf()
  const action = { exec: { command: ['false'] } }
  await expect(
    run({ op: 'hook', container: 'web_0', address: '', phase: 'postStart', action, timeoutSeconds: 1 }),
  ).rejects.toThrow()
  expect(site.hooks.has('web_0')).toBe(false)
})

test('nothing is made of a pod whose place of the node is not what it has to be', async () => {
  const { run, asked, site } = siteOf()
  Object.assign(site.engine, { fileType: async () => 'file' })
  const checks = { container: { name: 'look', mounts: [] }, paths: [{ volume: 'v', path: '/srv', type: 'Directory' }] }
  await expect(run({ ...create, checks })).rejects.toThrow('hostPath type check failed: /srv is not a directory')
  expect(asked).toEqual(['remove', 'create', 'remove'])
  Object.assign(site.engine, { fileType: async () => 'directory' })
  await run({ ...create, checks })
  expect(asked.slice(3)).toEqual(['remove', 'create', 'remove', 'create'])
})

describe('files that are put', () => {
  const put = {
    op: 'put',
    container: 'POD',
    path: '/trireme',
    folder: 'conf',
    folderMode: 0o755,
    volume: 'v',
    gid: 2000,
    files: [{ path: 'sub/a', mode: 0o640, content: { text: '1' }, digest: 'd1' }],
  }

  /** What the engine is asked for, and what is known of the volume afterwards. */
  async function putting(step: object, exitCode = 0) {
    const { run, site } = siteOf()
    const asked: unknown[] = []
    Object.assign(site.engine, {
      putArchive: async (container: string, path: string, archive: Uint8Array) => {
        const files = await unpackFiles(archive, { maxBytes: 1000 })
        asked.push([container, path, ...files.map((file) => `${file.path} ${file.mode.toString(8)}`)])
      },
      exec: async (container: string, command: readonly string[]) => {
        asked.push([container, ...command.slice(3)])
        return { exitCode, output: 'no room' }
      },
    })
    const ended = await run({ ...put, ...step }).then(
      () => 'ended',
      (error: Error) => error.message,
    )
    return { asked, ended, known: [site.files.get('v'), site.put.get('v')] }
  }

  test('are where they are to be, when they never change', async () => {
    const { asked, known } = await putting({})
    expect(asked).toEqual([['POD', '/trireme', 'conf/sub/a 640']])
    expect(known).toEqual([{ 'sub/a': 'd1' }, { 'sub/a': 'd1' }])
  })

  test('are in a folder of their time, which is then led to, when they change in place', async () => {
    const { asked, known } = await putting({ inPlace: true })
    expect(asked).toEqual([
      ['POD', '/trireme', 'conf/..2026_12_01_09_30_00.123/sub/a 640'],
      ['POD', 'exchange', '/trireme/conf', '..2026_12_01_09_30_00.123'],
    ])
    expect(known).toEqual([{ 'sub/a': 'd1' }, { 'sub/a': 'd1' }])
  })

  test('are not known to be there when nobody is led to them', async () => {
    const { ended, known } = await putting({ inPlace: true }, 1)
    expect(ended).toBe('files of /trireme/conf cannot be exchanged: no room')
    expect(known).toEqual([undefined, undefined])
  })
})

test('a token is signed as its file is written', async () => {
  const { run, site } = siteOf()
  const written: string[] = []
  const putArchive = async (_container: string, _path: string, tar: Uint8Array) => {
    for (const { path, bytes } of await unpackFiles(tar, { maxBytes: 100_000 })) written.push(`${path} ${Buffer.from(bytes)}`)
  }
  Object.assign(site.engine, { putArchive, exec: async () => ({ exitCode: 0, output: '' }) })
  const named = { name: 'a', uid: 'u' }
  const token = { namespace: 'shop', serviceAccount: named, pod: named, node: named, audience: '', expirationSeconds: 600 }
  const files = [
    { path: 'token', mode: 0o600, content: { token }, digest: 't' },
    { path: 'other', mode: 0o600, content: { text: 'x' }, digest: 'o' },
  ]
  const put = { op: 'put', container: 'pod', path: '/trireme', folder: 'id', folderMode: 0o755, volume: 'v', gid: 0, files }
  await run({ ...put, inPlace: true })
  expect([site.files.get('v'), site.tokens.get('v')]).toEqual([{ token: 't', other: 'o' }, Date.UTC(2026, 11, 1, 9, 30, 0, 123)])
  expect(written).toEqual([
    'id/..2026_12_01_09_30_00.123/other x',
    expect.stringMatching(/^id\/\.\.2026_12_01_09_30_00\.123\/token eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+$/),
  ])
})

test('a token that cannot be signed is written nowhere, and tried again', async () => {
  const { run, site, asked } = siteOf()
  Object.assign(site.engine, { putArchive: async () => void asked.push('put') })
  const files = [{ path: 'token', mode: 0o600, content: { token: undefined }, digest: 't' }]
  const put = { op: 'put', container: 'pod', path: '/trireme', folder: 'id', folderMode: 0o755, volume: 'v', gid: 0, files }
  await expect(run(put)).rejects.toThrow()
  expect([asked, site.files.size, site.tokens.size]).toEqual([[], 0, 0])
})
