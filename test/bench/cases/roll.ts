/** A rolling update of ten replicas, two at a time, the new before the old, while somebody keeps asking. */
import { setTimeout as delay } from 'node:timers/promises'
import { fileOf, keyOf, manifests, REPLICAS, swarmSpec } from '../app.ts'
import { type Bench, median, type Row } from '../bench.ts'
import { type Client, type LoadResult, openClient, startLoad } from '../client.ts'
import { OVERLAY } from '../network.ts'
import { createService, removeService, runningTasks, type SwarmSpec, tasksOf, updateService } from '../swarm.ts'
import { servingPods, type Trireme, workload } from '../trireme.ts'
import { timed, until } from '../wait.ts'
import { show } from './create.ts'

const NAME = 'roll'
/** Load before and after, so that what goes wrong at the edges counts too: ms. */
const EDGE_MS = 1_000
/** Docker's own DNS, which answers inside of every container on an overlay. */
const DOCKER_DNS = '127.0.0.11'

export async function benchRoll(bench: Bench, trireme: Trireme, network: { name: string; dns: string }): Promise<Row[]> {
  const { docker } = bench
  const ours: { ms: number; load: LoadResult }[] = []
  const theirs: { ms: number; load: LoadResult }[] = []
  const clients = [
    await openClient(docker, 'bench-client', network.name),
    await openClient(docker, 'bench-client-swarm', OVERLAY),
  ] as const
  await trireme.push({ [fileOf(NAME)]: manifests(NAME, '0') })
  await until('all pods serve', async () => servingPods(await trireme.status(), keyOf(NAME)).length === REPLICAS)
  for (let run = 1; run <= bench.runs; run++) {
    ours.push(await underLoad(clients[0], network.dns, `${NAME}.default.svc.cluster.local`, () => rollOurs(trireme, `${run}`)))
    bench.say(`rolling update, Trireme: ${tell(ours.at(-1))}`)
  }
  await trireme.push({ [fileOf(NAME)]: null })
  await until('the workload is gone', async () => workload(await trireme.status(), keyOf(NAME)) === undefined)
  await createService(docker, swarmSpec(NAME, '0', OVERLAY))
  await until('all tasks run', async () => (await runningTasks(docker, NAME)).length === REPLICAS)
  for (let run = 1; run <= bench.runs; run++) {
    theirs.push(await underLoad(clients[1], DOCKER_DNS, NAME, () => rollTheirs(bench, swarmSpec(NAME, `${run}`, OVERLAY))))
    bench.say(`rolling update, Swarm: ${tell(theirs.at(-1))}`)
  }
  await removeService(docker, NAME)
  for (const client of clients) await client.remove()
  return rows(ours, theirs)
}

function rows(ours: readonly { ms: number; load: LoadResult }[], theirs: readonly { ms: number; load: LoadResult }[]): Row[] {
  const times = (all: typeof ours): number => median(all.map(({ ms }) => ms / 1000))
  const lost = (all: typeof ours): number => all.reduce((sum, { load }) => sum + load.failed, 0)
  const asked = (all: typeof ours): number => all.reduce((sum, { load }) => sum + load.requests, 0)
  return [
    {
      what: `rolling update of ${REPLICAS}, two at a time`,
      trireme: times(ours),
      other: { name: 'Swarm', value: times(theirs) },
      unit: 's',
      aim: 'not slower than Swarm',
      met: times(ours) <= times(theirs),
      note: 'from the hint, resp. the update call, until all replicas are new and the old ones have stopped; Trireme probes each, Swarm (start-first, no delay, dnsrr) does not',
    },
    {
      what: 'requests lost during these updates',
      trireme: lost(ours),
      other: { name: 'Swarm', value: lost(theirs) },
      unit: '',
      aim: '0',
      met: lost(ours) === 0,
      note: `of ${asked(ours)} and ${asked(theirs)}; each resolves the name again and opens a new connection: the Service address, resp. the task addresses`,
    },
  ]
}

async function underLoad(client: Client, server: string, name: string, roll: () => Promise<number>) {
  const stop = await startLoad(client, server, name)
  await delay(EDGE_MS)
  const ms = await roll()
  await delay(EDGE_MS)
  return { ms, load: await stop() }
}

async function rollOurs(trireme: Trireme, version: string): Promise<number> {
  const before = new Set(workload(await trireme.status(), keyOf(NAME))?.pods.map(({ uid }) => uid))
  trireme.write({ [fileOf(NAME)]: manifests(NAME, version) })
  return timed(async () => {
    await trireme.hint()
    await until('all pods are new and serve', async () => {
      const status = await trireme.status()
      const pods = workload(status, keyOf(NAME))?.pods ?? []
      return (
        pods.length === REPLICAS && servingPods(status, keyOf(NAME)).filter(({ uid }) => !before.has(uid)).length === REPLICAS
      )
    })
  })
}

async function rollTheirs({ docker }: Bench, spec: SwarmSpec): Promise<number> {
  const [env = ''] = spec.env
  return timed(async () => {
    await updateService(docker, spec)
    await until('all tasks are new and the old ones have stopped', async () => {
      const running = (await tasksOf(docker, NAME)).filter(({ Status }) => Status.State === 'running')
      return running.length === REPLICAS && running.every(({ Spec }) => Spec.ContainerSpec.Env?.includes(env))
    })
  })
}

function tell(run: { ms: number; load: LoadResult } | undefined): string {
  if (run === undefined) return ''
  const { requests, failed, errors } = run.load
  return `${show([run.ms])}, ${failed} of ${requests} requests lost${failed === 0 ? '' : ` (${JSON.stringify(errors)})`}`
}
