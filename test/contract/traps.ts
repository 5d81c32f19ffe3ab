import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { packFiles, unpackFiles } from '../../src/runtime/archive.ts'
import type { ContainerView, Engine } from '../../src/runtime/engine.ts'
import { kindOf } from './kinds.ts'
import type { ContractLab } from './lab.ts'
import { commands, programs } from './programs.ts'

const prefix = '10.246.81'

/** What is surprising in Docker and relied upon, or worked around, somewhere in the planners. */
export function trapContract(current: () => ContractLab): void {
  describe('traps', () => {
    let lab: ContractLab
    let engine: Engine
    let pods: string
    beforeAll(async () => {
      lab = current()
      engine = lab.engine
      const config = lab.network({ subnet: `${prefix}.0/24`, gateway: `${prefix}.1` })
      pods = config.name
      await engine.createNetwork(config)
    })
    beforeEach(() => {
      engine = lab.engine
    })
    afterEach(() => lab.removeContainers())
    afterAll(() => engine.removeNetwork(pods))

    const view = async (id: string): Promise<ContainerView> => (await engine.inspectContainer(id))!
    const ip = async (id: string): Promise<string> => (await view(id)).networks[pods]!.ip

    test.each(['KILL', 'TERM', 'HUP'])('%s by the API is a stop by hand: nothing restarts', async (signal) => {
      const id = await lab.start(programs.idle, { restartPolicy: 'always' })
      await engine.killContainer(id, signal)
      await lab.state(id, 'exited')
      // A restart would come after 100 ms; this one comes after it.
      const probe = await lab.start(programs.crash, { restartPolicy: 'on-failure' })
      await expect.poll(async () => (await view(probe)).restartCount, { timeout: 10_000 }).toBeGreaterThan(0)
      expect(await view(id)).toMatchObject({ state: 'exited', restartCount: 0 })
    })

    test('a start by the API counts restarts from none', async () => {
      const id = await lab.start(programs.crash, { restartPolicy: 'always' })
      await expect.poll(async () => (await view(id)).restartCount, { timeout: 10_000 }).toBeGreaterThan(0)
      await engine.stopContainer(id, 0)
      expect((await view(id)).restartCount).toBeGreaterThan(0)
      await engine.updateContainer(id, { restartPolicy: 'no' })
      await engine.startContainer(id)
      await lab.state(id, 'exited')
      expect((await view(id)).restartCount).toBe(0)
    })

    test('what does not care for SIGTERM ends by it under an init, and not as the first process', async () => {
      const under = await lab.start(programs.careless, { init: true })
      await engine.stopContainer(under, 20)
      expect((await view(under)).exitCode).toBe(143)
      const first = await lab.start(programs.careless, { init: false })
      await engine.stopContainer(first, 0)
      expect((await view(first)).exitCode).toBe(137)
    })

    test('a paused container is stopped, and neither started nor entered', async () => {
      const id = await lab.start(programs.idle)
      await lab.otherClient('POST', `/containers/${id}/pause`)
      expect(await kindOf(engine.startContainer(id))).toBe('conflict')
      expect(await kindOf(engine.exec(id, commands.both, { timeoutMs: 5000, maxBytes: 100 }))).toBe('conflict')
      await engine.stopContainer(id, 20)
      expect(await view(id)).toMatchObject({ state: 'exited', exitCode: 0 })
    })

    test('a second start keeps the time of the last end', async () => {
      const id = await lab.ended(programs.crash)
      const { finishedAt, startedAt } = await view(id)
      await engine.updateContainer(id, { restartPolicy: 'no' })
      await engine.startContainer(id)
      await lab.state(id, 'exited')
      const later = await view(id)
      expect(finishedAt).toBeGreaterThan(0)
      expect(later.startedAt).toBeGreaterThan(startedAt)
      expect(later.finishedAt).toBeGreaterThan(finishedAt)
    })

    test('a run after the first keeps the end of the run before', async () => {
      const id = await lab.start(programs.idle)
      expect(await view(id)).toMatchObject({ state: 'running', finishedAt: 0 })
      await engine.stopContainer(id, 20)
      const { finishedAt } = await view(id)
      await engine.startContainer(id)
      expect(finishedAt).toBeGreaterThan(0)
      expect(await view(id)).toMatchObject({ state: 'running', finishedAt })
    })

    test('of two removals at once one does it, and the other is refused or finds it gone', async () => {
      const id = await lab.start(programs.stubborn)
      const outcomes = await Promise.allSettled([engine.removeContainer(id), engine.removeContainer(id)])
      const refusals = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.kind] : []))
      expect([[], ['inProgress']]).toContainEqual(refusals)
      expect(await engine.inspectContainer(id)).toBeUndefined()
    })

    test('the network of another is joined by its id, whatever name was given; a donor that is not there is missed at start', async () => {
      const donor = await lab.start(programs.idle, { networkMode: pods })
      const member = await lab.create(programs.idle, { networkMode: `container:${(await view(donor)).name}` })
      expect((await view(member)).networkMode).toBe(`container:${donor}`)
      const lost = await lab.create(programs.idle, { networkMode: `container:${'f'.repeat(64)}` })
      expect(await kindOf(engine.startContainer(lost))).toBe('notFound')
    })

    test('a donor that is started again leaves its members without a network', async () => {
      const donor = await lab.start(programs.idle, { networkMode: pods })
      const member = await lab.start(programs.idle, { networkMode: `container:${donor}` })
      const bounds = { timeoutMs: 20_000, maxBytes: 1000 }
      expect((await engine.exec(member, commands.hasNetwork, bounds)).exitCode).toBe(0)
      await engine.stopContainer(donor, 20)
      await engine.startContainer(donor)
      expect((await view(member)).state).toBe('running')
      expect((await engine.exec(member, commands.hasNetwork, bounds)).exitCode).toBe(1)
      expect((await engine.exec(donor, commands.hasNetwork, bounds)).exitCode).toBe(0)
    })

    test('an address of Docker’s choice is the lowest free one, given away as soon as it is free', async () => {
      const [first, second] = [
        await lab.start(programs.idle, { networkMode: pods }),
        await lab.start(programs.idle, { networkMode: pods }),
      ]
      expect([await ip(first), await ip(second)]).toEqual([`${prefix}.2`, `${prefix}.3`])
      await engine.stopContainer(first, 20)
      const third = await lab.start(programs.idle, { networkMode: pods })
      expect(await ip(third)).toBe(`${prefix}.2`)
      await engine.startContainer(first)
      expect(await ip(first)).toBe(`${prefix}.4`)
    })

    test('an address that was asked for can be gone after a stop, and the container says so', async () => {
      const asked = { networkMode: pods, ip: `${prefix}.50` }
      const first = await lab.start(programs.idle, asked)
      await engine.stopContainer(first, 20)
      const second = await lab.start(programs.idle, asked)
      expect(await kindOf(engine.startContainer(first))).toBe('addressTaken')
      expect(await view(first)).toMatchObject({ state: 'exited', exitCode: 128 })
      expect((await view(first)).error).not.toBe('')
      await engine.removeContainer(second)
      await engine.startContainer(first)
      expect(await view(first)).toMatchObject({ state: 'running', exitCode: 0, error: '' })
    })

    test('a network that is attached while stopped is there from the next start on', async () => {
      const id = await lab.create(programs.idle, { networkMode: 'bridge' })
      await engine.connectNetwork(pods, id, `${prefix}.60`)
      expect((await view(id)).networks[pods]).toEqual({ networkId: '', ip: '', requestedIp: `${prefix}.60` })
      await engine.startContainer(id)
      expect(await ip(id)).toBe(`${prefix}.60`)
    })

    test('a network whose containers are all stopped can be removed under them', async () => {
      const network = await engine.createNetwork(lab.network({ subnet: '10.246.82.0/24' }))
      const id = await lab.start(programs.idle, { networkMode: network })
      await engine.stopContainer(id, 20)
      await engine.removeNetwork(network)
      expect(await kindOf(engine.startContainer(id))).toBe('notFound')
    })

    test('what is put into memory that nobody has mounted is gone at once', async () => {
      const config = lab.volume({ driverOpts: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' } })
      await engine.createVolume(config)
      const id = await lab.create(programs.idle, {
        mounts: [{ type: 'volume', source: config.name, target: '/config', readOnly: false }],
      })
      const file = { path: 'a', mode: 0o644, bytes: new TextEncoder().encode('one') }
      await engine.putArchive(id, '/config', await packFiles([file], { gid: 0 }))
      await engine.startContainer(id)
      expect(await unpackFiles(await engine.getArchive(id, '/config/.', 65_536), { maxBytes: 65_536 })).toEqual([])
      await engine.removeContainer(id)
      await engine.removeVolume(config.name)
    })

    test('a volume that is mounted and not there is made, without labels', async () => {
      const { name } = lab.volume()
      const id = await lab.create(programs.idle, {
        mounts: [{ type: 'volume', source: name, target: '/config', readOnly: false }],
      })
      expect((await engine.listVolumes([])).find((volume) => volume.name === name)!.labels).toEqual({})
      await engine.removeContainer(id)
      await engine.removeVolume(name)
    })

    test('what is wrong is told before what is missing', async () => {
      expect(await kindOf(engine.killContainer('f'.repeat(64), 'NONSENSE'))).toBe('invalid')
      const id = await lab.create(programs.idle)
      expect(await kindOf(engine.renameContainer(id, (await view(id)).name))).toBe('invalid')
    })
  })
}
