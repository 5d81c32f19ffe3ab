/** A pod network of its own on the real engine, with a router and pods, all labelled and removed at the end. */
import { connect as connectTcp, type Socket } from 'node:net'
import { ROUTER_SYSCTLS } from '../../src/reconcilers/infrastructure.ts'
import type { RoutePort, RouteTable, ServiceRoute } from '../../src/reconcilers/routetable.ts'
import { dockerEngine } from '../../src/runtime/docker/engine.ts'
import type { ContainerConfig, Engine } from '../../src/runtime/engine.ts'
import { NODE_IMAGE } from '../../src/runtime/images.ts'
import { type RouterClient, type RouterOptions, routerClient } from '../../src/runtime/router/client.ts'
import type { StartTimer } from '../../src/runtime/router/exchange.ts'
import { containerConfig } from './container.ts'

export const scripts = '/usr/local/lib/trireme'

export const startTimer: StartTimer = (delayMs, fire) => {
  const timer = setTimeout(fire, delayMs).unref()
  return () => clearTimeout(timer)
}

/** Asks until the answer is truthy; throws what it saw last after `timeoutMs`. */
export async function eventually<T>(what: string, ask: () => Promise<T>, timeoutMs = 20_000): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs
  let seen: unknown
  while (performance.now() < deadline) {
    seen = await ask().catch((error: unknown) => error)
    if (seen && !(seen instanceof Error)) return seen as NonNullable<T>
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error(`${what}: not within ${timeoutMs} ms`, { cause: seen })
}

export interface TestPod {
  readonly id: string
  readonly name: string
  readonly ip: string
}

/** Serves its name: over HTTP on 80, per line over TCP on 81; and its address over UDP on 82, as DNS does. */
const podScript = [
  'mkdir /tmp/w; echo "$NAME" >/tmp/w/index.html',
  'busybox httpd -p 80 -h /tmp/w',
  `printf '#!/bin/sh\\nwhile read l; do echo "$NAME $l"; done\\n' >/tmp/line; chmod +x /tmp/line`,
  'busybox nc -ll -p 81 -e /tmp/line &',
  `printf 'server:\\n interface: 0.0.0.0@82\\n access-control: 0.0.0.0/0 allow\\n username: ""\\n chroot: ""\\n pidfile: ""\\n local-data: "who. A %s"\\n' "$IP" >/tmp/u`,
  'exec unbound -d -c /tmp/u',
].join('\n')

export class RouterLab {
  readonly engine: Engine = dockerEngine({ host: 'unix:///var/run/docker.sock', node: 'local', timeoutMs: 30_000 })
  readonly prefix: string
  readonly serviceRange: string
  readonly dnsAddress: string
  readonly label: string
  routerId = ''
  readonly #net: string
  readonly #clients: RouterClient[] = []

  /** @param net the first two octets of a /16 that nothing else uses, such as `10.97` */
  constructor(net: string) {
    this.#net = net
    this.prefix = `trireme-test-${process.pid}-${net.replace('.', '-')}`
    this.label = `trireme.test=${this.prefix}`
    this.serviceRange = `${net}.128.0/17`
    this.dnsAddress = `${net}.128.10`
  }

  async start(): Promise<void> {
    await this.remove()
    await this.engine.createNetwork({
      name: this.prefix,
      driver: 'bridge',
      subnet: `${this.#net}.0.0/16`,
      ipRange: `${this.#net}.0.0/17`,
      gateway: `${this.#net}.0.1`,
      labels: this.#labels(),
      options: {},
    })
    await this.engine.createVolume({ name: this.prefix, labels: this.#labels(), driver: 'local', driverOpts: {} })
    this.routerId = await this.run('router', {
      cmd: [`${scripts}/router.sh`, this.serviceRange, this.dnsAddress, 'cluster.local'],
      ip: `${this.#net}.0.2`,
      restartPolicy: 'always',
      sysctls: ROUTER_SYSCTLS,
      capDrop: ['ALL'],
      capAdd: ['NET_ADMIN'],
      mounts: [{ type: 'volume', source: this.prefix, target: '/var/lib/trireme', readOnly: false }],
    })
  }

  /** An address of the service range. */
  address(last: number): string {
    return `${this.#net}.128.${last}`
  }

  async run(name: string, config: Partial<ContainerConfig>): Promise<string> {
    const id = await this.engine.createContainer(
      containerConfig({
        name: `${this.prefix}-${name}`,
        image: NODE_IMAGE,
        labels: this.#labels(),
        networkMode: this.prefix,
        ...config,
      }),
    )
    await this.engine.startContainer(id)
    return id
  }

  /** A pod with the cluster's DNS; resolves once all of its ports answer. */
  async pod(name: string, last: number): Promise<TestPod> {
    const ip = `${this.#net}.1.${last}`
    const id = await this.run(name, {
      cmd: ['sh', '-c', podScript],
      env: [`NAME=${name}`, `IP=${ip}`],
      ip,
      dns: [this.dnsAddress],
      dnsSearch: ['default.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
      dnsOptions: ['ndots:5'],
    })
    await eventually(`${name} serves`, async () => (await httpName(ip)) === name && (await sayTcp(ip, 81, 'x')))
    return { id, name, ip }
  }

  async connect(more: Partial<RouterOptions> = {}): Promise<RouterClient> {
    const client = await routerClient({
      engine: this.engine,
      containerId: this.routerId,
      owner: `test ${process.pid}`,
      serviceRange: this.serviceRange,
      dnsAddress: this.dnsAddress,
      onLost: () => {},
      startTimer,
      now: Date.now,
      timeoutMs: 20_000,
      ...more,
    })
    this.#clients.push(client)
    return client
  }

  /** Connects as soon as the agent before has let go. */
  reconnect(): Promise<RouterClient> {
    return eventually('the router is free', () => this.connect())
  }

  async exec(id: string, script: string): Promise<string> {
    const { output } = await this.engine.exec(id, ['sh', '-c', script], { timeoutMs: 20_000, maxBytes: 100_000 })
    return output.trim()
  }

  async remove(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.close()
    for (const container of await this.engine.listContainers([this.label])) await this.engine.removeContainer(container.id)
    for (const network of await this.engine.listNetworks([this.label])) await this.engine.removeNetwork(network.id)
    for (const volume of await this.engine.listVolumes([this.label])) await this.engine.removeVolume(volume.name)
  }

  #labels(): Record<string, string> {
    return { 'trireme.test': this.prefix }
  }
}

export function routes(services: readonly ServiceRoute[], dns: RouteTable['dns'] = []): RouteTable {
  return { services, dns, domain: 'cluster.local' }
}

/** A Service `name` at `address` whose one port goes to the same port of each pod. */
export function service(
  name: string,
  address: string,
  port: number,
  pods: readonly TestPod[],
  more: { readonly protocol?: RoutePort['protocol']; readonly affinitySeconds?: number; readonly to?: number } = {},
): ServiceRoute {
  const backends = pods.map((pod) => ({ uid: pod.id, pod: pod.name, ip: pod.ip, port: more.to ?? port }))
  const affinitySeconds = more.affinitySeconds ?? 0
  const ports = [{ name: '', protocol: more.protocol ?? 'tcp', port, backends }]
  return { namespace: 'default', name, addresses: [address], ports, affinitySeconds }
}

/** The name of the pod that answers HTTP at an address. */
export async function httpName(address: string, port = 80): Promise<string> {
  const response = await fetch(`http://${address}:${port}/index.html`, {
    signal: AbortSignal.timeout(3_000),
    headers: { connection: 'close' },
  })
  return (await response.text()).trim()
}

export interface Line {
  say(text: string): Promise<string>
  end(): void
}

/** A connection that stays open: each line said is answered with the pod's name and that line. */
export async function openLine(address: string, port: number): Promise<Line> {
  const socket: Socket = connectTcp({ host: address, port })
  socket.on('error', () => {})
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
    socket.setTimeout(5_000, () => reject(new Error(`no answer from ${address}:${port} in 5 s`)))
  })
  return {
    say: (text) =>
      new Promise((resolve, reject) => {
        socket.once('data', (data) => resolve(data.toString().trim()))
        socket.once('close', () => reject(new Error('the connection ended')))
        socket.write(`${text}\n`)
      }),
    end: () => socket.destroy(),
  }
}

export async function sayTcp(address: string, port: number, text: string): Promise<string> {
  const line = await openLine(address, port)
  try {
    return await line.say(text)
  } finally {
    line.end()
  }
}
