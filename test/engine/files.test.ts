import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packFiles } from '../../src/runtime/archive.ts'
import { readVolumeFiles } from '../../src/runtime/files.ts'
import { exchangeFiles, inVersion, versionAt } from '../../src/runtime/inplace.ts'
import { readTail } from '../../src/runtime/tails.ts'
import { createVault } from '../../src/runtime/vault.ts'
import { StubLab } from '../support/stubs.ts'

const lab = new StubLab('files')
const vault = createVault(new Uint8Array(32).fill(3))
const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const sha256 = (value: string): string => createHash('sha256').update(value).digest('hex')
const file = (path: string, value: string, mode = 0o644) => ({ path, mode, bytes: text(value) })

let id = ''
beforeAll(async () => {
  const mounts = [
    { type: 'volume' as const, source: await lab.volume('conf'), target: '/etc/conf', readOnly: false },
    {
      type: 'volume' as const,
      source: await lab.volume('secret', { type: 'tmpfs', device: 'tmpfs', o: 'size=1m,mode=0755' }),
      target: '/etc/secret',
      readOnly: false,
    },
  ]
  ;({ id } = await lab.run('holder', { mounts, cmd: ['sh', '-c', 'echo out; echo err >&2; exec sleep 600'] }))
})
afterAll(() => lab.remove())

const read = (path: string, secret: boolean) =>
  readVolumeFiles({ engine: lab.engine, container: id, path, secret, digest: vault.digest })

test('what is put is read back, and what is edited is seen', async () => {
  const files = [file('app.conf', 'level=info\n'), file('conf.d/extra.conf', '', 0o600)]
  await lab.engine.putArchive(id, '/etc/conf', await packFiles(files, { gid: 2000 }))
  const put = { 'app.conf': sha256('level=info\n'), 'conf.d/extra.conf': sha256('') }
  expect(await read('/etc/conf', false)).toEqual(put)
  expect(await lab.shell(id, 'cd /etc/conf; stat -c "%n %a %u %g" app.conf conf.d conf.d/extra.conf')).toBe(
    'app.conf 644 0 2000\nconf.d 755 0 2000\nconf.d/extra.conf 600 0 2000\n',
  )
  await lab.shell(id, 'cd /etc/conf; echo level=debug > app.conf; ln -s /etc/passwd link; echo x > more; rm conf.d/extra.conf')
  expect(await read('/etc/conf', false)).toEqual({ 'app.conf': sha256('level=debug\n'), link: '', more: sha256('x\n') })
})

test('a secret in memory is read back by its keyed digest', async () => {
  await lab.engine.putArchive(id, '/etc/secret', await packFiles([file('token', 'hunter2', 0o400)], { gid: 0 }))
  expect(await read('/etc/secret', true)).toEqual({ token: vault.digest(text('hunter2')) })
})

test('an empty volume has no files; a path that is not there is not found', async () => {
  await lab.shell(id, 'cd /etc/conf && rm -rf ./* ./.[!.]* ./..?*')
  expect(await read('/etc/conf', false)).toEqual({})
  await expect(read('/etc/nothing', false)).rejects.toMatchObject({ kind: 'notFound' })
})

describe('files that change in place', () => {
  const [first, second] = [versionAt(Date.UTC(2026, 11, 1)), versionAt(Date.UTC(2026, 11, 2))]
  const wanted = { '.dot': sha256('dot'), 'a.conf': sha256('a'), 'sub/b.conf': sha256('b') }
  const some = [file('.dot', 'dot'), file('a.conf', 'a'), file('sub/b.conf', 'b')]
  const put = async (version: string, files = some) => {
    await lab.engine.putArchive(
      id,
      '/etc/conf',
      await packFiles(inVersion(version, files), { gid: 0, modes: { [version]: 0o755 } }),
    )
  }
  const exchange = (version: string) => exchangeFiles(lab.engine, id, '/etc/conf', version)
  const all = async () => (await lab.shell(id, 'cd /etc/conf && ls -A')).trim().split('\n').sort().join(' ')

  // As an engine leaves it that is killed in the middle, and as somebody makes it.
  for (const { name, before } of [
    { name: 'in an empty volume', before: ':' },
    { name: 'beside a version that was never led to', before: `mkdir -p ${first}/x && echo x > ${first}/a.conf` },
    { name: 'with a link that was never renamed', before: `mkdir ${first} && ln -s ${first} ..data_tmp` },
    { name: 'with a folder in place of that link', before: 'mkdir -p ..data_tmp/x' },
    { name: 'with a version that nothing leads to', before: `ln -s ${second} ..data` },
    { name: 'with plain files and folders in the way', before: 'echo x > a.conf && mkdir -p sub/sub .dot && echo x > more' },
    { name: 'with links to elsewhere', before: 'ln -s /etc/hostname a.conf && ln -s /etc sub && ln -s / more' },
    { name: 'with a folder in place of ..data', before: 'mkdir -p ..data/sub && ln -s ..data/a.conf a.conf' },
    { name: 'with links of files that are gone', before: `ln -s ${second} ..data && ln -s ..data/old old && ln -s ..data/.o .o` },
    { name: 'with names that a shell could take for something else', before: "echo x > '*' && echo x > 'a b' && echo x > ./-rf" },
  ])
    test(`are there as they should be, and nothing else, ${name}`, async () => {
      await lab.shell(id, `cd /etc/conf && rm -rf ./* ./.[!.]* ./..?* && ${before}`)
      for (const version of [second, first, second]) {
        await put(version)
        await exchange(version)
        expect(await read('/etc/conf', false)).toEqual(wanted)
        expect(await all()).toBe(`..data ${version} .dot a.conf sub`.split(' ').sort().join(' '))
      }
      await exchange(second)
      expect(await read('/etc/conf', false)).toEqual(wanted)
      expect(await lab.shell(id, 'ls /etc/hostname && ls -d /etc')).toBe('/etc/hostname\n/etc\n')
    })

  test('stay as they were when what is put does not arrive', async () => {
    await put(first)
    await exchange(first)
    await expect(exchange(second)).rejects.toThrow('what was put has not arrived in the volume that the pod has')
    expect(await read('/etc/conf', false)).toEqual(wanted)
    expect(await all()).toBe(`..data ${first} .dot a.conf sub`.split(' ').sort().join(' '))
  })

  test('can be none at all', async () => {
    await put(second, [])
    await exchange(second)
    expect(await read('/etc/conf', false)).toEqual({})
    expect(await all()).toBe(`${second} ..data`)
  })
})

test('a volume of many files comes back whole', async () => {
  const files = Array.from({ length: 300 }, (_, i) => file(`f${i}`, `${i}`.repeat(1_000)))
  await lab.engine.putArchive(id, '/etc/conf', await packFiles(files, { gid: 0 }))
  expect(Object.keys(await read('/etc/conf', false))).toHaveLength(300)
})

test('the last words of both streams', async () => {
  const options = { engine: lab.engine, containerId: id, redact: (line: string) => line }
  expect((await readTail(options)).sort()).toEqual(['err', 'out'])
  expect(await readTail({ ...options, containerId: '0'.repeat(64) })).toEqual([])
})
