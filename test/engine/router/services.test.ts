import { createSocket } from 'node:dgram'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RouterClient } from '../../../src/runtime/router/client.ts'
import { eventually, httpName, openLine, RouterLab, routes, scripts, service, type TestPod } from '../../support/router.ts'

const lab = new RouterLab('10.97')
let a: TestPod
let b: TestPod
let c: TestPod
let client: RouterClient

beforeAll(async () => {
  await lab.start()
  ;[a, b, c] = await Promise.all([lab.pod('a', 1), lab.pod('b', 2), lab.pod('c', 3)])
  client = await lab.reconnect()
})
afterAll(() => lab.remove())

/** How often each pod answered `count` new connections. */
async function answers(address: string, count: number): Promise<Record<string, number>> {
  const seen: Record<string, number> = {}
  for (let i = 0; i < count; i++) {
    const name = await httpName(address)
    seen[name] = (seen[name] ?? 0) + 1
  }
  return seen
}

/** Milliseconds until a connection is refused, and by what. */
async function refusal(address: string, port: number): Promise<{ code: string; ms: number }> {
  const started = performance.now()
  const code = await openLine(address, port).then(
    (line) => {
      line.end()
      return 'connected'
    },
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  )
  return { code, ms: performance.now() - started }
}

describe('a Service address', () => {
  test('is answered by every backend: from the host, from a pod, and from the pod behind it', async () => {
    await client.apply(routes([service('web', lab.address(20), 80, [a, b, c])]))
    const seen = await answers(lab.address(20), 60)
    expect(Object.keys(seen).sort()).toEqual(['a', 'b', 'c'])
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(5)

    const wget = `wget -qO- http://${lab.address(20)}/`
    expect(['a', 'b', 'c']).toContain(await lab.exec(a.id, wget))
    await client.apply(routes([service('web', lab.address(20), 80, [a])]))
    expect(await lab.exec(a.id, wget)).toBe('a')
  })

  test('leads an established connection to its pod until it ends, and new ones only to what is routed', async () => {
    await client.apply(routes([service('line', lab.address(21), 81, [a]), service('web', lab.address(20), 80, [a, b])]))
    const line = await openLine(lab.address(21), 81)
    expect(await line.say('one')).toBe('a one')

    await client.apply(routes([service('line', lab.address(21), 81, [b]), service('web', lab.address(20), 80, [b])]))
    expect(await line.say('two')).toBe('a two')
    for (let i = 0; i < 20; i++) expect(await httpName(lab.address(20))).toBe('b')
    const fresh = await openLine(lab.address(21), 81)
    expect(await fresh.say('three')).toBe('b three')

    await client.apply(routes([]))
    expect(await line.say('four')).toBe('a four')
    line.end()
    fresh.end()
  })

  test('reaches another pod with the next try of an opening that a vanished one never answered', async () => {
    const gone = await lab.pod('gone', 9)
    const routed = (pod: TestPod) => routes([service('line', lab.address(24), 81, [pod])])
    await client.apply(routed(gone))
    await lab.engine.removeContainer(gone.id)
    const opening = openLine(lab.address(24), 81)
    await eventually('the router has sent it on', () => lab.exec(lab.routerId, `conntrack -L -p tcp --reply-src ${gone.ip} 2>&-`))
    await client.apply(routed(b))
    const line = await opening
    expect(await line.say('one')).toBe('b one')
    line.end()
  })

  test('leads nothing to a pod that has vanished, not even from a port that was connected to it', async () => {
    const gone = await lab.pod('mute', 10)
    const routed = (pod: TestPod) => routes([service('line', lab.address(25), 81, [pod])])
    await client.apply(routed(gone))
    const line = await openLine(lab.address(25), 81)
    expect(await line.say('one')).toBe('mute one')
    await client.apply(routed(b))
    await lab.engine.disconnectNetwork(lab.prefix, gone.id)
    const end = line.say('two').catch(({ message }: Error) => message)
    const forgotten = async () => {
      await client.check()
      return (await lab.exec(lab.routerId, `conntrack -L -p tcp --reply-src ${gone.ip} 2>&- | wc -l`)) === '0'
    }
    await eventually('the router has forgotten it', forgotten, 60_000)
    expect(await end).toBe('the connection ended')
  })

  test('remembers no connection that was refused while somebody had taken its rules away', async () => {
    const routed = routes([service('line', lab.address(26), 81, [a])])
    await client.apply(routed)
    const line = await openLine(lab.address(26), 81)
    expect(await line.say('one')).toBe('a one')
    await lab.exec(lab.routerId, 'nft flush ruleset')
    await expect(line.say('two')).rejects.toThrow('the connection ended')
    const known = () => lab.exec(lab.routerId, `conntrack -L -p tcp --orig-dst ${lab.address(26)} 2>&-`)
    expect(await known()).toContain('ESTABLISHED')
    await client.check()
    await client.apply(routed)
    expect(await known()).toBe('')
  })

  test('loses no request while its backends change', async () => {
    const tables = [[a, b], [b, c], [c], [c, a], [a, b, c]].map((pods) => routes([service('web', lab.address(20), 80, pods)]))
    await client.apply(tables[0]!)
    let rolling = true
    let served = 0
    const load = (async () => {
      while (rolling) {
        expect(['a', 'b', 'c']).toContain(await httpName(lab.address(20)))
        served++
      }
    })()
    for (let round = 0; round < 4; round++) for (const table of tables) await client.apply(table)
    rolling = false
    await load
    expect(served).toBeGreaterThan(20)
  })

  test('without backends, on another port, or of no Service: refused at once', async () => {
    await client.apply(routes([service('empty', lab.address(22), 80, []), service('web', lab.address(20), 80, [a])]))
    for (const [address, port] of [
      [lab.address(22), 80],
      [lab.address(20), 81],
      [lab.address(99), 80],
    ] as const) {
      const { code, ms } = await refusal(address, port)
      expect(code).toBe('ECONNREFUSED')
      expect(ms).toBeLessThan(1_000)
    }
    expect(await lab.exec(a.id, `wget -qO- http://${lab.address(22)}/ 2>&1`)).toContain('refused')
  })

  test('keeps a client on its pod with ClientIP affinity, over changes of the others', async () => {
    const sticky = (...pods: TestPod[]) =>
      routes([service('sticky', lab.address(23), 80, pods, { affinitySeconds: 60 }), service('web', lab.address(20), 80, pods)])
    await client.apply(sticky(a, b, c))
    const first = await httpName(lab.address(23))
    expect(await answers(lab.address(23), 15)).toEqual({ [first]: 15 })

    const others = [a, b, c].filter((pod) => pod.name !== first)
    const mine = [a, b, c].filter((pod) => pod.name === first)
    await client.apply(sticky(...mine, others[0]!))
    expect(await answers(lab.address(23), 15)).toEqual({ [first]: 15 })

    await client.apply(sticky(...others))
    const second = await httpName(lab.address(23))
    expect(others.map((pod) => pod.name)).toContain(second)
    expect(await answers(lab.address(23), 10)).toEqual({ [second]: 10 })
  })
})

describe('UDP', () => {
  /** The DNS question `who. A`, without recursion. */
  const question = Buffer.from('000100000001000000000000' + '0377686f00' + '00010001', 'hex')

  /** One socket, so that every datagram belongs to one flow; `ask` gives the address in the answer. */
  function flow(address: string, port: number) {
    const socket = createSocket('udp4')
    socket.on('error', () => {})
    const connected = new Promise<void>((resolve) => socket.connect(port, address, resolve))
    return {
      ask: async (): Promise<string> => {
        await connected
        return new Promise((resolve, reject) => {
          const timer = setTimeout(() => reject(new Error('no answer')), 1_000)
          const done = (): void => clearTimeout(timer)
          socket.once('message', (data) => resolve([...data.subarray(question.length).subarray(12, 16)].join('.')))
          socket.once('message', done)
          socket.once('error', reject)
          socket.once('error', done)
          socket.send(question)
        })
      },
      close: () => socket.close(),
    }
  }

  test('is served, is refused without backends, and a flow leaves a backend that left', async () => {
    const udp = (...pods: TestPod[]) => routes([service('udp', lab.address(24), 82, pods, { protocol: 'udp' })])
    await client.apply(udp(a))
    const one = flow(lab.address(24), 82)
    expect(await one.ask()).toBe(a.ip)
    await client.apply(udp(b))
    expect(await eventually('the flow moves', async () => one.ask())).toBe(b.ip)
    await client.apply(udp())
    await expect(one.ask()).rejects.toThrow(/ECONNREFUSED/)
    await client.apply(udp(c))
    expect(await eventually('the flow comes back', async () => one.ask())).toBe(c.ip)
    one.close()
  })
})

test('UDP without backends is refused every time, not only as often as the kernel sends refusals by default', async () => {
  await client.apply(routes([service('udp', lab.address(25), 83, [], { protocol: 'udp' })]))
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.connect(83, lab.address(25), resolve))
  for (let attempt = 0; attempt < 30; attempt++) {
    const refused = new Promise<Error>((resolve) => socket.once('error', resolve))
    socket.send('anybody?')
    expect((await refused).message).toMatch(/ECONNREFUSED/)
  }
  socket.close()
}, 10_000)

describe('an edge', () => {
  test('publishes a Service on a port of the host, by itself after a restart', async () => {
    await client.apply(routes([service('web', lab.address(20), 80, [a])]))
    const hostPort = 39_480
    const edge = await lab.run('edge', {
      cmd: [`${scripts}/edge.sh`, lab.address(20), 'tcp:30080:80'],
      restartPolicy: 'always',
      sysctls: { 'net.ipv4.ip_forward': '1' },
      capDrop: ['ALL'],
      capAdd: ['NET_ADMIN'],
      portBindings: [{ hostIp: '127.0.0.1', hostPort, containerPort: 30_080, protocol: 'tcp' }],
    })
    const published = () => httpName('127.0.0.1', hostPort)
    expect(await eventually('the edge serves', published)).toBe('a')
    await lab.engine.killContainer(edge, 'KILL')
    await lab.engine.startContainer(edge)
    expect(await eventually('the edge serves again', published)).toBe('a')
    await lab.exec(edge, 'nft flush ruleset')
    expect(await eventually('the edge mends its rules', published)).toBe('a')
  })
})
