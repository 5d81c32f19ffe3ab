/** Asks Services as their users would: from the host by address, from a pod by name, once or without pause. */
import { request } from 'node:http'
import type { PodStatus, ServiceStatus } from '../../../src/reconcilers/status.ts'
import type { DaemonLab } from '../daemon.ts'

/** The cluster's DNS domain when none is configured. */
const DOMAIN = 'svc.cluster.local'
const REQUEST_TIMEOUT_MS = 5_000
/** A stub that has no probe and declares no port may still be starting when it is asked first. */
const FIRST_ANSWER_MS = 3_000
const askers = 4
const pauseMs = 5

/** One request on a connection of its own; rejects unless the whole answer came, whatever its status. */
function ask(host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const asked = request({ host, port, agent: false, timeout: REQUEST_TIMEOUT_MS }, (answer) => {
    answer.on('error', reject).on('end', resolve).resume()
  })
  asked.on('timeout', () => asked.destroy(new Error(`no answer within ${REQUEST_TIMEOUT_MS} ms`)))
  asked.on('error', reject).end()
  return promise
}

/** `''` when every TCP port with something behind it answers on the Service's address, else what went wrong. */
export async function askFromHost({ clusterIP, ports }: ServiceStatus): Promise<string> {
  if (clusterIP === 'None') return ''
  for (const { port, protocol, ready } of ports) {
    if (protocol !== 'TCP') continue
    if (ready === 0) return `port ${port}: no ready pod behind it`
    const deadline = performance.now() + FIRST_ANSWER_MS
    for (;;) {
      const trouble = await ask(clusterIP, port).then(
        () => '',
        (error: Error) => `${clusterIP}:${port}: ${error.message}`,
      )
      if (trouble === '') break
      if (performance.now() > deadline) return trouble
      await pause(50)
    }
  }
  return ''
}

/** What went wrong when a pod of their namespace asked these Services by short and by full name, by Service name. */
export async function askFromPod(
  lab: DaemonLab,
  pod: PodStatus,
  services: readonly ServiceStatus[],
): Promise<Map<string, string>> {
  const lines = services.flatMap(({ name, namespace, clusterIP, ports }) => {
    const port = ports.find(({ protocol }) => protocol === 'TCP')?.port ?? 1
    // A headless name leads to the pod, which need not listen on the Service's port: there it only has to resolve.
    const failed = clusterIP === 'None' ? `case "$said" in *bad?address*)` : `case "$said" in *)`
    return [name, `${name}.${namespace}.${DOMAIN}`].map(
      (host) =>
        `said=$(timeout 5 wget -O /dev/null http://${host}:${port}/ 2>&1) || ${failed} echo "${name} ${host}:${port}:" $said;; esac`,
    )
  })
  const said = await lab.exec(pod, pod.containers[0]?.name ?? '', lines.join('\n'))
  const told = Map.groupBy(said.split('\n').filter(Boolean), (line) => line.slice(0, line.indexOf(' ')))
  return new Map([...told].map(([name, troubles]) => [name, troubles.map((line) => line.slice(name.length + 1)).join('; ')]))
}

export interface Load {
  readonly requests: number
  readonly failures: readonly string[]
}

/** Asks without pause until told to stop; every request is counted. */
export function keepAsking(host: string, port: number): () => Promise<Load> {
  let requests = 0
  let stopped = false
  const failures: string[] = []
  const began = performance.now()
  const loop = async (): Promise<void> => {
    while (!stopped) {
      requests += 1
      await ask(host, port).catch((error: Error) =>
        failures.push(`+${Math.round(performance.now() - began)} ms: ${error.message}`),
      )
      await pause(pauseMs)
    }
  }
  const loops = Promise.all(Array.from({ length: askers }, loop))
  return async () => {
    stopped = true
    await loops
    return { requests, failures }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
