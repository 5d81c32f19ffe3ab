import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Engine } from '../../src/runtime/engine.ts'
import { kindOf } from './kinds.ts'
import type { ContractLab } from './lab.ts'
import { programs } from './programs.ts'

const prefix = '10.246.77'
const hostPort = 28_977

export function networkContract(current: () => ContractLab): void {
  describe('networks and ports', () => {
    let lab: ContractLab
    let engine: Engine
    let pods: string
    let podsId: string
    beforeAll(async () => {
      lab = current()
      engine = lab.engine
      const config = lab.network({
        subnet: `${prefix}.0/24`,
        ipRange: `${prefix}.0/25`,
        gateway: `${prefix}.1`,
        labels: { role: 'pods' },
      })
      pods = config.name
      podsId = await engine.createNetwork(config)
    })
    beforeEach(() => {
      engine = lab.engine
    })
    afterEach(() => lab.removeContainers())
    afterAll(() => engine.removeNetwork(podsId))

    test('a network shows its range and labels', async () => {
      const [view, ...rest] = await engine.listNetworks([lab.label, 'role=pods'])
      expect(rest).toEqual([])
      expect(view).toEqual({
        id: podsId,
        name: pods,
        driver: 'bridge',
        labels: lab.labels({ role: 'pods' }),
        subnets: [{ subnet: `${prefix}.0/24`, ipRange: `${prefix}.0/25`, gateway: `${prefix}.1` }],
      })
    })

    test('names and ranges are given once', async () => {
      expect(await kindOf(engine.createNetwork(lab.network({ name: pods, subnet: '10.246.78.0/24' })))).toBe('conflict')
      expect(await kindOf(engine.createNetwork(lab.network({ subnet: `${prefix}.0/25` })))).toBe('conflict')
    })

    test('an address is asked for, held while it runs, and taken then', async () => {
      const ip = `${prefix}.200`
      const id = await lab.start(programs.idle, { networkMode: pods, ip })
      expect((await engine.inspectContainer(id))!.networks).toEqual({ [pods]: { networkId: podsId, ip, requestedIp: ip } })
      const second = await lab.create(programs.idle, { networkMode: pods, ip })
      expect(await kindOf(engine.startContainer(second))).toBe('addressTaken')
      expect((await engine.inspectContainer(second))!.state).toBe('created')
      await engine.removeContainer(id)
      await engine.startContainer(second)
      expect((await engine.inspectContainer(second))!.networks[pods]!.ip).toBe(ip)
      await engine.stopContainer(second, 5)
      expect((await engine.inspectContainer(second))!.networks[pods]).toMatchObject({ ip: '', requestedIp: ip })
    })

    test('addresses that Docker chooses come from the ip-range', async () => {
      const id = await lab.start(programs.idle, { networkMode: pods })
      const { ip, requestedIp } = (await engine.inspectContainer(id))!.networks[pods]!
      expect(requestedIp).toBe('')
      expect(Number(ip.split('.')[3])).toBeLessThan(128)
    })

    test('an address outside of the network is refused', async () => {
      const id = await lab.create(programs.idle, { networkMode: pods, ip: '10.1.1.1' })
      expect(await kindOf(engine.startContainer(id))).toBe('invalid')
    })

    test('disconnect and connect again with the address', async () => {
      const ip = `${prefix}.201`
      const id = await lab.start(programs.idle, { networkMode: pods, ip })
      await engine.disconnectNetwork(pods, id)
      expect((await engine.inspectContainer(id))!.networks).toEqual({})
      expect(await kindOf(engine.disconnectNetwork(pods, id))).toBe('notFound')
      await engine.connectNetwork(pods, id, ip)
      expect((await engine.inspectContainer(id))!.networks[pods]).toEqual({ networkId: podsId, ip, requestedIp: ip })
      expect(await kindOf(engine.connectNetwork(pods, id, ip))).toBe('conflict')
    })

    test('a network in use stays; one that is gone is success', async () => {
      const id = await engine.createNetwork(lab.network({ subnet: '10.246.79.0/24' }))
      const container = await lab.start(programs.idle, { networkMode: id })
      expect(await kindOf(engine.removeNetwork(id))).toBe('conflict')
      await engine.removeContainer(container)
      await engine.removeNetwork(id)
      await engine.removeNetwork(id)
      expect((await engine.listNetworks([lab.label])).map((view) => view.id)).not.toContain(id)
    })

    test('a container joins a running one and cannot join a stopped one', async () => {
      const sandbox = await lab.start(programs.idle, { networkMode: pods })
      const member = await lab.start(programs.idle, { networkMode: `container:${sandbox}` })
      const view = await engine.inspectContainer(member)
      expect(view).toMatchObject({ state: 'running', networkMode: `container:${sandbox}`, networks: {} })
      await engine.stopContainer(sandbox, 5)
      expect((await engine.inspectContainer(member))!.state).toBe('running')
      const late = await lab.create(programs.idle, { networkMode: `container:${sandbox}` })
      expect(await kindOf(engine.startContainer(late))).toBe('conflict')
      expect((await engine.inspectContainer(late))!.state).toBe('created')
    })

    test('a network that is not there is missed at start', async () => {
      const id = await lab.create(programs.idle, { networkMode: lab.name('nowhere') })
      expect(await kindOf(engine.startContainer(id))).toBe('notFound')
    })

    test('a host port is taken at start and leaves the second one created', async () => {
      const portBindings = [{ hostIp: '127.0.0.1', hostPort, containerPort: 80, protocol: 'tcp' }] as const
      const first = await lab.start(programs.idle, { networkMode: pods, portBindings })
      const second = await lab.create(programs.idle, { networkMode: pods, portBindings })
      expect(await kindOf(engine.startContainer(second))).toBe('portTaken')
      const view = await engine.inspectContainer(second)
      expect(view!.state).toBe('created')
      expect(view!.error).toContain(String(hostPort))
      await engine.removeContainer(first)
      await engine.startContainer(second)
      expect(await engine.inspectContainer(second)).toMatchObject({ state: 'running', error: '' })
    })
  })
}
