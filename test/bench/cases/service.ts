/** What the way through a Service address costs, against the pod's own address. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { fileOf, keyOf, manifests } from '../app.ts'
import { type Bench, median, type Row } from '../bench.ts'
import { openClient } from '../client.ts'
import { servingPods, type Trireme, workload } from '../trireme.ts'
import { until } from '../wait.ts'

const NAME = 'throughput'
const APP = { replicas: 1, image: 'trireme/demo:v1', port: 8080, path: '/readyz' }
const exec = promisify(execFile)

export async function benchService(bench: Bench, trireme: Trireme, network: { name: string }): Promise<Row[]> {
  await trireme.push({ [fileOf(NAME)]: manifests(NAME, '1', APP) })
  const pod = await until('the pod serves', async () => servingPods(await trireme.status(), keyOf(NAME))[0])
  const service = (await trireme.status()).services.find(({ name }) => name === NAME)
  if (service === undefined) throw new Error(`there is no Service ${NAME}`)
  const direct = `http://${pod.ip}:${APP.port}/version`
  const routed = `http://${service.clusterIP}/version`
  const rows: Row[] = []
  for (const [what, headers] of [
    ['kept connections', []],
    ['new connections', ['-H', 'Connection: close']],
  ] as const) {
    const ours: number[] = []
    const theirs: number[] = []
    for (let run = 0; run < bench.runs; run++) {
      theirs.push(await requestsPerSecond(bench, network.name, direct, headers))
      ours.push(await requestsPerSecond(bench, network.name, routed, headers))
      bench.say(`${what}: Service ${ours.at(-1)?.toFixed(0)}/s, direct ${theirs.at(-1)?.toFixed(0)}/s`)
    }
    rows.push({
      what: `Service address, ${what}`,
      trireme: median(ours),
      other: { name: 'pod address', value: median(theirs) },
      unit: 'requests/s',
      aim: 'over 0.6 of direct',
      met: median(ours) >= 0.6 * median(theirs),
      note: 'wrk, 2 threads, 32 connections, from a container beside the pod',
    })
  }
  await trireme.push({ [fileOf(NAME)]: null })
  await until('the workload is gone', async () => workload(await trireme.status(), keyOf(NAME)) === undefined)
  return rows
}

/** A client of its own each time: the ports of closed connections stay taken for a while. */
async function requestsPerSecond(bench: Bench, network: string, url: string, headers: readonly string[]): Promise<number> {
  const client = await openClient(bench.docker, 'bench-client', network)
  const [command = '', ...words] = [...client.enter, 'wrk', '-t2', '-c32', `-d${bench.quick ? 2 : 4}s`, ...headers, url]
  const { stdout } = await exec(command, words)
  await client.remove()
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]
  if (rate === undefined || /Non-2xx/.test(stdout)) throw new Error(`wrk ${url} went wrong:\n${stdout}`)
  return Number(rate)
}
