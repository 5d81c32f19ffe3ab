import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { packFiles } from '../../src/runtime/archive.ts'
import type { Engine } from '../../src/runtime/engine.ts'
import { kindOf } from './kinds.ts'
import type { ContractLab } from './lab.ts'
import { programs } from './programs.ts'

const mebibyte = 1024 * 1024

export function containerContract(current: () => ContractLab): void {
  describe('containers', () => {
    let lab: ContractLab
    let engine: Engine
    beforeEach(() => {
      lab = current()
      engine = lab.engine
    })
    afterEach(() => lab.removeContainers())

    test('a created container shows what it was made from, and nothing secret', async () => {
      const config = lab.config(programs.idle, {
        env: ['TOKEN=sesame'],
        labels: { role: 'web' },
        restartPolicy: 'always',
        resources: { memoryBytes: 64 * mebibyte, cpuQuota: 20_000, cpuShares: 102 },
      })
      const id = await engine.createContainer(config)
      const view = await engine.inspectContainer(id)
      expect(view).toMatchObject({
        id,
        name: config.name,
        image: lab.image,
        state: 'created',
        exitCode: 0,
        oomKilled: false,
        error: '',
        startedAt: 0,
        finishedAt: 0,
        restartCount: 0,
        restartPolicy: 'always',
        networkMode: 'none',
        resources: config.resources,
        pid: 0,
      })
      expect(view!.labels).toMatchObject(config.labels)
      expect(view!.createdAt).toBeGreaterThan(0)
      expect(JSON.stringify(view)).not.toContain('sesame')
      expect(JSON.stringify(view)).not.toContain('trap')
    })

    test('start runs it, and starting it again changes nothing', async () => {
      const id = await lab.start(programs.idle)
      const before = await engine.inspectContainer(id)
      expect(before).toMatchObject({ state: 'running', finishedAt: 0 })
      expect(before!.pid).toBeGreaterThan(0)
      expect(before!.startedAt).toBeGreaterThanOrEqual(before!.createdAt)
      await engine.startContainer(id)
      expect(await engine.inspectContainer(id)).toEqual(before)
    })

    test('stop asks first: the process ends by itself', async () => {
      const id = await lab.start(programs.idle)
      await engine.stopContainer(id, 10)
      const view = await engine.inspectContainer(id)
      expect(view).toMatchObject({ state: 'exited', exitCode: 0, pid: 0 })
      expect(view!.finishedAt).toBeGreaterThanOrEqual(view!.startedAt)
    })

    test('stop kills after the grace, even a grace of none', async () => {
      const id = await lab.start(programs.stubborn)
      await engine.stopContainer(id, 0)
      expect(await engine.inspectContainer(id)).toMatchObject({ state: 'exited', exitCode: 137 })
    })

    test('stopping what does not run is success', async () => {
      const never = await lab.create(programs.idle)
      await engine.stopContainer(never, 1)
      const crashed = await lab.ended(programs.crash)
      await engine.stopContainer(crashed, 1)
      expect(await engine.inspectContainer(crashed)).toMatchObject({ state: 'exited', exitCode: 3 })
    })

    test('kill sends the signal', async () => {
      const id = await lab.start(programs.idle)
      await engine.killContainer(id, 'KILL')
      await lab.state(id, 'exited')
      expect(await engine.inspectContainer(id)).toMatchObject({ state: 'exited', exitCode: 137 })
      expect(await kindOf(engine.killContainer(id, 'TERM'))).toBe('conflict')
    })

    test("Docker's own restart policy restarts and counts, and update ends that", async () => {
      const id = await lab.start(programs.crash, { restartPolicy: 'always' })
      await expect.poll(async () => (await engine.inspectContainer(id))!.restartCount, { timeout: 10_000 }).toBeGreaterThan(0)
      await engine.updateContainer(id, { restartPolicy: 'no' })
      await lab.state(id, 'exited')
      expect(await engine.inspectContainer(id)).toMatchObject({ restartPolicy: 'no', exitCode: 3 })
    })

    test('remove ends a running one, and one that is gone is success', async () => {
      const id = await lab.start(programs.stubborn)
      await engine.removeContainer(id)
      expect(await engine.inspectContainer(id)).toBeUndefined()
      await engine.removeContainer(id)
    })

    test('rename', async () => {
      const id = await lab.create(programs.idle)
      const other = lab.config(programs.idle)
      await engine.createContainer(other)
      expect(await kindOf(engine.renameContainer(id, other.name))).toBe('conflict')
      const name = lab.name('renamed')
      await engine.renameContainer(id, name)
      expect((await engine.inspectContainer(id))!.name).toBe(name)
      expect((await engine.inspectContainer(name))!.id).toBe(id)
    })

    test('update replaces the limits of a running container, and lifts them', async () => {
      const id = await lab.start(programs.idle, { resources: { memoryBytes: 64 * mebibyte, cpuQuota: 20_000, cpuShares: 102 } })
      const tighter = { memoryBytes: 32 * mebibyte, cpuQuota: 10_000, cpuShares: 51 }
      await engine.updateContainer(id, { resources: tighter })
      expect((await engine.inspectContainer(id))!.resources).toEqual(tighter)
      await engine.updateContainer(id, { resources: { cpuShares: 51 } })
      expect((await engine.inspectContainer(id))!.resources).toEqual({ cpuShares: 51 })
    })

    test('a container paused by somebody else shows as paused, and goes on', async () => {
      const id = await lab.start(programs.idle)
      await lab.otherClient('POST', `/containers/${id}/pause`)
      expect((await engine.inspectContainer(id))!.state).toBe('paused')
      await engine.unpauseContainer(id)
      expect((await engine.inspectContainer(id))!.state).toBe('running')
      expect(await kindOf(engine.unpauseContainer(id))).toBe('conflict')
    })

    test('a name is given once', async () => {
      const config = lab.config(programs.idle)
      await engine.createContainer(config)
      expect(await kindOf(engine.createContainer(config))).toBe('conflict')
    })

    test('what cannot be made is refused', async () => {
      expect(await kindOf(lab.create(programs.idle, { resources: { cpuQuota: 10 } }))).toBe('invalid')
      const nowhere = { type: 'bind', source: '/no/such/folder', target: '/x', readOnly: true } as const
      expect(await kindOf(lab.create(programs.idle, { mounts: [nowhere] }))).toBe('invalid')
      expect(await kindOf(lab.create(programs.idle, { image: 'trireme/none:none' }))).toBe('imageNotFound')
    })

    test('the source of a bind is made where that is asked for', async () => {
      const volume = lab.volume()
      await engine.createVolume(volume)
      const [made] = (await engine.listVolumes([lab.label])).filter(({ name }) => name === volume.name)
      const mount = { type: 'bind', source: `${made!.mountpoint}/made`, target: '/x', readOnly: true } as const
      expect(await kindOf(lab.create(programs.idle, { mounts: [mount] }))).toBe('invalid')
      const id = await lab.start(programs.idle, { mounts: [{ ...mount, create: true, propagation: 'rslave' }] })
      expect((await engine.inspectContainer(id))!.mounts).toEqual([
        { type: 'bind', name: '', source: mount.source, destination: '/x', readOnly: true },
      ])
    })

    test('a command that is not there leaves the container with the reason', async () => {
      const id = await lab.create(['/no/such/command'], { init: false })
      expect(await kindOf(engine.startContainer(id))).toBe('invalid')
      expect(await engine.inspectContainer(id)).toMatchObject({ state: 'created', exitCode: 127 })
      expect((await engine.inspectContainer(id))!.error).toContain('/no/such/command')
    })

    test('what does not exist', async () => {
      const missing = 'f'.repeat(64)
      expect(await engine.inspectContainer(missing)).toBeUndefined()
      const calls = [
        engine.startContainer(missing),
        engine.stopContainer(missing, 0),
        engine.killContainer(missing, 'TERM'),
        engine.renameContainer(missing, 'other'),
        engine.updateContainer(missing, { restartPolicy: 'no' }),
        engine.unpauseContainer(missing),
      ]
      expect(new Set(await Promise.all(calls.map(kindOf)))).toEqual(new Set(['notFound']))
    })

    test('lists what carries every label, running or not', async () => {
      const a = await lab.create(programs.idle, { labels: { tier: 'a', app: 'x' } })
      const b = await lab.start(programs.idle, { labels: { tier: 'b', app: 'x' } })
      const ids = async (...labels: string[]) => (await engine.listContainers([lab.label, ...labels])).map(({ id }) => id).sort()
      expect(await ids('app=x')).toEqual([a, b].sort())
      expect(await ids('app', 'tier=b')).toEqual([b])
      expect(await ids('tier=c')).toEqual([])
      const [listed] = await engine.listContainers([lab.label, 'tier=b'])
      expect(listed).toEqual(await engine.inspectContainer(b))
    })

    test('stats of a running container, and none of a stopped one', async () => {
      const id = await lab.start(programs.idle)
      const stats = await engine.stats(id)
      expect(stats.cpuNanos).toBeGreaterThan(0)
      expect(stats.readAt).toBeGreaterThan(0)
      expect(stats.memoryUsageBytes).toBeGreaterThan(0)
      expect(stats.memoryWorkingSetBytes).toBeLessThanOrEqual(stats.memoryUsageBytes)
      await engine.stopContainer(id, 5)
      expect(await engine.stats(id)).toMatchObject({ cpuNanos: 0, memoryUsageBytes: 0 })
    })

    test('what a container has written counts, and what its image holds does not', async () => {
      const id = await lab.start(programs.idle)
      const before = await engine.writtenBytes(id)
      const files = [{ path: 'large', mode: 0o644, bytes: new Uint8Array(100_000) }]
      await engine.putArchive(id, '/', await packFiles(files, { gid: 0 }))
      expect((await engine.writtenBytes(id)) - before).toBeGreaterThanOrEqual(100_000)
    })

    test('what is in a volume is counted, and one with options is not', async () => {
      const [plain, memory] = [lab.volume(), lab.volume({ driverOpts: { type: 'tmpfs', device: 'tmpfs' } })]
      for (const volume of [plain, memory]) await engine.createVolume(volume)
      const mounts = [plain, memory].map(({ name }, index) => ({
        type: 'volume' as const,
        source: name,
        target: `/v${index}`,
        readOnly: false,
      }))
      const id = await lab.start(programs.idle, { mounts })
      const files = [{ path: 'large', mode: 0o644, bytes: new Uint8Array(100_000) }]
      await engine.putArchive(id, '/v0', await packFiles(files, { gid: 0 }))
      const held = await engine.volumeBytes()
      expect(held.get(plain.name)).toBeGreaterThanOrEqual(100_000)
      expect(held.has(memory.name)).toBe(false)
    })
  })
}
