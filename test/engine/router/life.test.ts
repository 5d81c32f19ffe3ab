import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { promises as dns } from 'node:dns'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { RouteTable } from '../../../src/reconcilers/routetable.ts'
import type { RouterClient } from '../../../src/runtime/router/client.ts'
import { RouterError } from '../../../src/runtime/router/error.ts'
import { eventually, httpName, RouterLab, routes, service, type TestPod } from '../../support/router.ts'

const lab = new RouterLab('10.95')
const name = 'web.default.svc.cluster.local'
let a: TestPod
let b: TestPod
let client: RouterClient
let resolver: dns.Resolver

const table = (...pods: TestPod[]): RouteTable =>
  routes([service('web', lab.address(20), 80, pods)], [{ type: 'A', name, value: lab.address(20) }])

beforeAll(async () => {
  await lab.start()
  ;[a, b] = await Promise.all([lab.pod('a', 1), lab.pod('b', 2)])
  resolver = new dns.Resolver({ timeout: 2_000, tries: 2 })
  resolver.setServers([lab.dnsAddress])
})
afterAll(() => lab.remove())
beforeEach(async () => {
  client = await lab.reconnect()
  await client.apply(table(a))
})
afterEach(() => client.close())

async function resolved(): Promise<string> {
  return (await resolver.resolve4(name)).join()
}

describe('a router without a daemon', () => {
  for (const [how, end] of [
    [
      'it is killed and started',
      () => lab.engine.killContainer(lab.routerId, 'KILL').then(() => lab.engine.startContainer(lab.routerId)),
    ],
    ['its processes die', () => lab.exec(lab.routerId, 'kill -9 $(cat /proc/1/task/1/children)')],
  ] as const) {
    test(`serves its last table and names again after ${how}`, async () => {
      client.close()
      const before = await lab.engine.inspectContainer(lab.routerId)
      await end()
      await eventually('the router restarts', async () => {
        const now = await lab.engine.inspectContainer(lab.routerId)
        return now?.state === 'running' && now.startedAt !== before?.startedAt
      })
      expect(await eventually('the address answers', () => httpName(lab.address(20)))).toBe('a')
      expect(await eventually('the name answers', resolved)).toBe(lab.address(20))

      client = await lab.reconnect()
      expect(client.acknowledged()).toEqual(table(a))
      expect(await client.check()).toEqual({ nft: true, dns: true })
      await client.apply(table(b))
      expect(await httpName(lab.address(20))).toBe('b')
    })
  }

  test('falls back to the table before when a power cut tore the last one', async () => {
    await client.check()
    client.close()
    await lab.exec(lab.routerId, 'cd /var/lib/trireme && head -c 300 table >torn && mv torn table')
    await lab.engine.killContainer(lab.routerId, 'KILL')
    await lab.engine.startContainer(lab.routerId)
    expect(await eventually('the address answers', () => httpName(lab.address(20)))).toBe('a')
  })

  test('restarts its name server by itself', async () => {
    await lab.exec(lab.routerId, 'busybox killall -9 unbound')
    expect(await eventually('the name answers', resolved)).toBe(lab.address(20))
    expect(await eventually('as it was', async () => (await client.check()).dns)).toBe(true)
  })
})

describe('the lock', () => {
  test('is held by one daemon, which the other one is told', async () => {
    const refused = await lab.connect({ owner: 'second' }).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(RouterError)
    expect(refused).toMatchObject({ kind: 'locked', message: expect.stringContaining(`test ${process.pid}`) })
    expect(await client.check()).toEqual({ nft: true, dns: true })
  })

  test('is taken over by its own daemon, when the engine has forgotten the connection before', async () => {
    client.close()
    const lost = Promise.withResolvers<RouterError>()
    await eventually('held again', () => lab.connect({ onLost: lost.resolve }))
    client = await lab.connect()
    expect(await lost.promise).toMatchObject({ kind: 'lost' })
    expect(await client.check()).toEqual({ nft: true, dns: true })
    await client.apply(table(a, b))
    expect(client.acknowledged()).toEqual(table(a, b))
  })

  test('is free again once its daemon is gone, even by kill -9', async () => {
    client.close()
    const daemon = await otherDaemon()
    await expect(lab.connect()).rejects.toMatchObject({ kind: 'locked' })
    daemon.kill('SIGKILL')
    client = await lab.reconnect()
    expect(client.acknowledged()).toEqual(table(a))
  })

  test('passes from a daemon that has fallen silent to the next one, which the silent one is told once it goes on', async () => {
    client.close()
    const daemon = await otherDaemon()
    daemon.kill('SIGSTOP')
    try {
      client = await lab.connect()
      await client.apply(table(b))
      const said = once(daemon.stdout, 'data')
      daemon.kill('SIGCONT')
      expect(String(await said)).toMatch(new RegExp(`^lost: locked, .* test ${process.pid}`))
      expect(await client.check()).toEqual({ nft: true, dns: true })
      expect(await httpName(lab.address(20))).toBe('b')
    } finally {
      daemon.kill('SIGKILL')
    }
  })
})

/** Another process that holds the router, and says so when it has lost it. */
async function otherDaemon(): Promise<ChildProcessByStdio<null, Readable, null>> {
  const script = `
    const { RouterLab } = await import(${JSON.stringify(fileURLToPath(new URL('../../support/router.ts', import.meta.url)))})
    const lab = new RouterLab('10.95')
    lab.routerId = ${JSON.stringify(lab.routerId)}
    const onLost = ({ kind, message }) => console.log('lost: ' + kind + ', ' + message)
    const held = () => lab.connect({ onLost }).catch(() => new Promise((resolve) => setTimeout(resolve, 25)).then(held))
    await held()
    console.log('connected')
    setInterval(() => {}, 1000)`
  const daemon = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(daemon.stdout, 'data')
  return daemon
}

describe('drift', () => {
  for (const { what, script, want } of [
    { what: 'flushed rules', script: 'nft flush ruleset', want: { nft: false, dns: true } },
    { what: 'a rule added by hand', script: 'nft insert rule ip trireme input drop', want: { nft: false, dns: true } },
    {
      what: 'a name changed by hand',
      script: `unbound-control local_data ${name} A 192.0.2.1`,
      want: { nft: true, dns: false },
    },
    {
      what: 'a zone emptied by hand',
      script: 'sed -i "/web/d" /run/trireme/forward.zone; unbound-control auth_zone_reload cluster.local.',
      want: { nft: true, dns: false },
    },
  ]) {
    test(`${what}: noticed, and mended by the next apply`, async () => {
      expect(await client.check()).toEqual({ nft: true, dns: true })
      await lab.exec(lab.routerId, script)
      expect(await client.check()).toEqual(want)
      await client.apply(table(a))
      expect(await client.check()).toEqual({ nft: true, dns: true })
      expect(await httpName(lab.address(20))).toBe('a')
      expect(await resolved()).toBe(lab.address(20))
      expect(await resolver.resolve4(`${lab.prefix}-a`)).toEqual([a.ip])
    })
  }

  test('while no daemon looked: noticed by the next one', async () => {
    client.close()
    await lab.exec(lab.routerId, 'nft delete table ip trireme')
    client = await lab.reconnect()
    expect(await client.check()).toEqual({ nft: false, dns: true })
    await client.apply(table(a))
    expect(await httpName(lab.address(20))).toBe('a')
  })

  test('that makes a change impossible: the whole table is made instead', async () => {
    await lab.exec(lab.routerId, 'nft delete table ip trireme')
    await client.apply(table(b))
    expect(await httpName(lab.address(20))).toBe('b')
    expect(await client.check()).toEqual({ nft: true, dns: true })
  })
})

describe('the client', () => {
  test('says once that the router is gone, and fails what is asked of it', async () => {
    client.close()
    const lost: RouterError[] = []
    client = await eventually('connected', () => lab.connect({ onLost: (reason) => lost.push(reason) }))
    await lab.engine.killContainer(lab.routerId, 'KILL')
    await eventually('told', async () => lost.length > 0)
    await expect(client.apply(table(b))).rejects.toMatchObject({ kind: 'lost' })
    expect(lost).toHaveLength(1)
    await lab.engine.startContainer(lab.routerId)
  })

  test('refuses a table that nftables cannot hold, and the one before stays', async () => {
    const bad = routes([service('bad', '10.95.300.1', 80, [a])])
    await expect(client.apply(bad)).rejects.toMatchObject({ kind: 'rejected' })
    expect(client.acknowledged()).toEqual(table(a))
    expect(await httpName(lab.address(20))).toBe('a')
    await client.apply(table(b))
    expect(await httpName(lab.address(20))).toBe('b')
  })

  test('applies in the order asked', async () => {
    await Promise.all([client.apply(table(a)), client.apply(table(a, b)), client.apply(table(b))])
    expect(client.acknowledged()).toEqual(table(b))
    for (let i = 0; i < 10; i++) expect(await httpName(lab.address(20))).toBe('b')
  })
})
