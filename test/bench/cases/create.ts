/** Ten replicas from nothing to all of them serving. */
import { fileOf, keyOf, manifests, REPLICAS, swarmSpec } from '../app.ts'
import { type Bench, median, type Row } from '../bench.ts'
import { OVERLAY } from '../network.ts'
import { createService, removeService, runningTasks } from '../swarm.ts'
import { servingPods, type Trireme, workload } from '../trireme.ts'
import { timed, until } from '../wait.ts'

const NAME = 'create'

export async function benchCreate(bench: Bench, trireme: Trireme): Promise<Row[]> {
  const ours: number[] = []
  const theirs: number[] = []
  for (let run = 0; run < bench.runs; run++) {
    trireme.write({ [fileOf(NAME)]: manifests(NAME, '1') })
    ours.push(await timed(() => createOurs(trireme)))
    await removeOurs(trireme)
    theirs.push(await timed(() => createTheirs(bench)))
    await removeService(bench.docker, NAME)
    bench.say(`10 replicas from nothing: Trireme ${show(ours)}, Swarm ${show(theirs)}`)
  }
  return [
    {
      what: `${REPLICAS} replicas from nothing`,
      trireme: median(ours) / 1000,
      other: { name: 'Swarm', value: median(theirs) / 1000 },
      unit: 's',
      aim: 'not slower than Swarm',
      met: median(ours) <= median(theirs),
      note: 'Trireme: from the hint that a push has happened (fetch and render included) until every pod has answered its probe and is routed; Swarm: service create until every task runs (not probed)',
    },
  ]
}

async function createOurs(trireme: Trireme): Promise<void> {
  await trireme.hint()
  await until('all pods serve', async () => servingPods(await trireme.status(), keyOf(NAME)).length === REPLICAS)
}

async function removeOurs(trireme: Trireme): Promise<void> {
  await trireme.push({ [fileOf(NAME)]: null })
  await until('the workload is gone', async () => workload(await trireme.status(), keyOf(NAME)) === undefined)
}

async function createTheirs({ docker }: Bench): Promise<void> {
  await createService(docker, swarmSpec(NAME, '1', OVERLAY))
  await until('all tasks run', async () => (await runningTasks(docker, NAME)).length === REPLICAS)
}

export const show = (values: readonly number[]): string => `${((values.at(-1) ?? 0) / 1000).toFixed(2)} s`
