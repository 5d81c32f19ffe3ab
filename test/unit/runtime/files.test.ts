import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { packFiles } from '../../../src/runtime/archive.ts'
import { type Engine, EngineError } from '../../../src/runtime/engine.ts'
import { readVolumeFiles, type VolumeTarget, verifyFiles } from '../../../src/runtime/files.ts'
import { tarOf } from '../../support/tars.ts'
import { FakeTimers, settled } from './faketimers.ts'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const sha256 = (value: string): string => createHash('sha256').update(value).digest('hex')
const digest = (bytes: Uint8Array): string => `keyed:${Buffer.from(bytes)}`

/** An engine whose containers hold files, as `container: { path: content }`. */
function engineWith(containers: Record<string, Record<string, string>>, reads: string[] = []): Engine {
  const getArchive = async (id: string, path: string): Promise<Uint8Array> => {
    reads.push(id)
    const files = containers[id]
    if (files === undefined) throw new EngineError('notFound', `no container ${id}`)
    const top = path.split('/').at(-1)
    const entries = Object.entries(files).map(([name, value]) => ({ path: `${top}/${name}`, mode: 0o644, bytes: text(value) }))
    return packFiles(entries, { gid: 0 })
  }
  return { node: 'n1', getArchive } as unknown as Engine
}

test('paths are relative to the volume, digests are of the bytes', async () => {
  const engine = engineWith({ c1: { 'z.conf': 'z', 'sub/a.conf': 'a' } })
  const read = (secret: boolean) => readVolumeFiles({ engine, container: 'c1', path: '/etc/app', secret, digest })
  expect(Object.entries(await read(false))).toEqual([
    ['sub/a.conf', sha256('a')],
    ['z.conf', sha256('z')],
  ])
  expect(await read(true)).toEqual({ 'sub/a.conf': 'keyed:a', 'z.conf': 'keyed:z' })
})

test('files are found through the links to them, and what does not belong there is told', async () => {
  const version = '..2026_12_01_09_30_00.123'
  const archive = await tarOf(
    { name: 'app', type: 'directory' },
    { name: `app/${version}/a.conf`, body: 'a' },
    { name: 'app/..data', type: 'symlink', linkname: version },
    { name: 'app/a.conf', type: 'symlink', linkname: '..data/a.conf' },
    { name: 'app/odd', type: 'symlink', linkname: '/etc/passwd' },
  )
  const engine = { getArchive: async () => archive } as unknown as Engine
  const read = readVolumeFiles({ engine, container: 'c1', path: '/etc/app', secret: false, digest })
  expect(await read).toEqual({ 'a.conf': sha256('a'), odd: '' })
})

test('an archive that cannot be read is an engine failure that names the place', async () => {
  const engine = { getArchive: async () => new Uint8Array(3000).fill(65) } as unknown as Engine
  const read = readVolumeFiles({ engine, container: 'c1', path: '/etc/app', secret: false, digest })
  await expect(read).rejects.toMatchObject({ kind: 'failed', message: expect.stringContaining('/etc/app of container c1') })
})

function verifying(containers: Record<string, Record<string, string>>, names: () => string[], intervalMs?: number) {
  const timers = new FakeTimers()
  const off = new AbortController()
  const seen: string[] = []
  const reads: string[] = []
  const engine = engineWith(containers, reads)
  const done = verifyFiles({
    targets: () =>
      names().map((name): VolumeTarget => ({ engine, volume: `v-${name}`, container: name, path: '/x', secret: true })),
    ...(intervalMs === undefined ? {} : { intervalMs }),
    timers,
    digest,
    onResult: (volume, digests) => seen.push(`${volume} ${JSON.stringify(digests)}`),
    onError: (volume, error) => seen.push(`${volume} ${String(error)}`),
    signal: off.signal,
  })
  const advance = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 100) {
      await timers.advance(100)
      // Unpacking takes more than one turn.
      for (let turn = 0; turn < 20; turn += 1) await settled()
    }
  }
  return { timers, off, seen, reads, done, advance }
}

test('targets are read in turn over the interval, and asked for anew each round', async () => {
  const names = ['a', 'b']
  const run = verifying({ a: { f: '1' }, b: { f: '2' }, c: { f: '3' } }, () => names)
  await run.advance(14_900)
  expect(run.reads).toEqual([])
  await run.advance(200)
  expect(run.reads).toEqual(['a'])
  await run.advance(15_000)
  expect(run.seen).toEqual(['v-a {"f":"keyed:1"}', 'v-b {"f":"keyed:2"}'])
  names.splice(0, 2, 'c')
  await run.advance(65_000)
  expect(run.reads.slice(2)).toContain('c')
  run.off.abort()
  await run.done
  expect(run.timers.pending).toBe(0)
})

test('many targets keep their distance', async () => {
  const run = verifying({}, () => Array.from({ length: 100 }, (_, i) => `c${i}`), 5_000)
  await run.advance(10_000)
  expect(run.reads.length).toBeLessThanOrEqual(10)
  run.off.abort()
  await run.done
})

test('a container that is gone is passed over, another error is told, and the round goes on', async () => {
  const run = verifying({ ok: { f: '1' } }, () => ['gone', 'ok'], 2_000)
  await run.advance(2_100)
  expect(run.seen).toEqual(['v-ok {"f":"keyed:1"}'])
  run.off.abort()
  await run.done
})

test('nothing to read: looked for again after the interval; aborted, it ends', async () => {
  const run = verifying({}, () => [], 1_000)
  await run.advance(3_000)
  run.off.abort()
  await run.done
  expect(run.seen).toEqual([])
  expect(run.timers.pending).toBe(0)
})
