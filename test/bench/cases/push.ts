/** From a change that has been pushed to the first container that the engine makes for it. */
import type Docker from 'dockerode'
import { fileOf, keyOf, manifests, swarmSpec } from '../app.ts'
import { type Bench, median, type Row } from '../bench.ts'
import { OVERLAY } from '../network.ts'
import { createService, removeService } from '../swarm.ts'
import { startTrireme, type Trireme, workload } from '../trireme.ts'
import { until } from '../wait.ts'

const NAME = 'push'
const FOLDER_PORT = 9441

export async function benchPush(bench: Bench, trireme: Trireme): Promise<Row[]> {
  const folder = await startTrireme({ ...bench, cluster: 'bench-folder', source: 'folder', port: FOLDER_PORT })
  const hinted: number[] = []
  const watched: number[] = []
  const theirs: number[] = []
  for (let run = 0; run < bench.runs; run++) {
    hinted.push(await untilCreated(bench, trireme, () => trireme.hint()))
    await empty(trireme)
    watched.push(await untilCreated(bench, folder, async () => {}))
    await empty(folder)
    theirs.push(await firstCreated(bench.docker, () => createTheirs(bench.docker, run)))
    await removeService(bench.docker, NAME)
    const show = (values: readonly number[]) => `${values.at(-1)?.toFixed(0)} ms`
    bench.say(`first container: hint ${show(hinted)}, folder ${show(watched)}, Swarm ${show(theirs)}`)
  }
  await folder.stop()
  const row = (what: string, ours: readonly number[], note: string): Row => ({
    what,
    trireme: median(ours),
    other: { name: 'Swarm', value: median(theirs) },
    unit: 'ms',
    aim: 'under 1 s',
    met: median(ours) < 1_000,
    note,
  })
  return [
    row(
      'push and hint → first container created',
      hinted,
      'from the end of git push; fetch, render, plan; Swarm: from the call that creates the service',
    ),
    row('saved file → first container created', watched, 'a watched folder as source; Swarm as above'),
  ]
}

/** The file is written before the clock starts, for a push is not ours to speed up. */
async function untilCreated({ docker }: Bench, trireme: Trireme, tell: () => Promise<void>): Promise<number> {
  return firstCreated(docker, async () => {
    trireme.write({ [fileOf(NAME)]: manifests(NAME, '1', { replicas: 1 }) })
    const written = performance.now()
    await tell()
    return written
  })
}

/** Milliseconds from `act`, or from the moment it names, to the engine's next event of a made container. */
async function firstCreated(docker: Docker, act: () => Promise<number | undefined>): Promise<number> {
  const events = (await docker.getEvents({ filters: { type: ['container'], event: ['create'] } })) as NodeJS.ReadableStream & {
    destroy(): void
  }
  const created = new Promise<number>((resolve) => events.once('data', () => resolve(performance.now())))
  const started = performance.now()
  const from = (await act()) ?? started
  const at = await created
  events.destroy()
  return at - from
}

async function createTheirs(docker: Docker, run: number): Promise<undefined> {
  await createService(docker, swarmSpec(NAME, `${run}`, OVERLAY, 1))
}

async function empty(trireme: Trireme): Promise<void> {
  await until('the workload is known', async () => workload(await trireme.status(), keyOf(NAME)) !== undefined)
  await trireme.push({ [fileOf(NAME)]: null })
  await until('the workload is gone', async () => workload(await trireme.status(), keyOf(NAME)) === undefined)
}
