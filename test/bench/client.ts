/** Clients that sit where a pod would: an idle container on the network, whose network namespace programs are run in. */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type Docker from 'dockerode'
import { IMAGE } from './app.ts'

export interface Client {
  /** before the words of a program that is to run in its network */
  readonly enter: readonly string[]
  remove(): Promise<void>
}

export async function openClient(docker: Docker, name: string, network: string): Promise<Client> {
  const container = await docker.createContainer({
    name,
    Image: IMAGE,
    Cmd: ['/bin/sleep', '3600'],
    // All its ports: a benchmark of new connections would soon have used up the usual ones.
    HostConfig: { NetworkMode: network, Init: true, Sysctls: { 'net.ipv4.ip_local_port_range': '1024 65535' } },
  })
  await container.start()
  const { State } = await container.inspect()
  return { enter: ['nsenter', `--net=/proc/${State.Pid}/ns/net`], remove: () => container.remove({ force: true }) }
}

export interface LoadResult {
  readonly requests: number
  readonly failed: number
  readonly errors: Readonly<Record<string, number>>
}

const LOAD = fileURLToPath(new URL('load.ts', import.meta.url))
const LONGEST_S = 120

/** Starts asking `name` (as `server` resolves it) and returns what stops it and tells how it went. */
export async function startLoad(client: Client, server: string, name: string): Promise<() => Promise<LoadResult>> {
  const [command = '', ...words] = [...client.enter, process.execPath, LOAD, server, name, '80', `${LONGEST_S}`]
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  await firstOutput(child)
  return async () => {
    child.kill('SIGTERM')
    await ended
    return JSON.parse(output.trim().split('\n').at(-1) ?? '') as LoadResult
  }
}

function firstOutput(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdout?.once('data', () => resolve())
    child.once('exit', (code) => reject(new Error(`the load generator ended with ${code}`)))
  })
}
