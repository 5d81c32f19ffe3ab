/** A killed container, until what replaces it serves. */
import { fileOf, IMAGE, keyOf, manifests, REPLICAS, swarmSpec } from '../app.ts'
import { type Bench, median, type Row } from '../bench.ts'
import { OVERLAY } from '../network.ts'
import { createService, removeService, runningTasks } from '../swarm.ts'
import { servingPods, type Trireme, workload } from '../trireme.ts'
import { timed, until } from '../wait.ts'
import { show } from './create.ts'

const NAME = 'heal'

export async function benchHeal(bench: Bench, trireme: Trireme): Promise<Row[]> {
  const { docker } = bench
  await trireme.push({ [fileOf(NAME)]: manifests(NAME, '1') })
  await until('all pods serve', async () => servingPods(await trireme.status(), keyOf(NAME)).length === REPLICAS)
  await createService(docker, swarmSpec(NAME, '1', OVERLAY))
  await until('all tasks run', async () => (await runningTasks(docker, NAME)).length === REPLICAS)
  const container: number[] = []
  const pod: number[] = []
  const theirs: number[] = []
  const bare: number[] = []
  for (let run = 0; run < bench.runs; run++) {
    container.push(await killContainer(bench, trireme, run))
    pod.push(await killSandbox(bench, trireme))
    theirs.push(await killTask(bench))
    bare.push(await createAndStart(bench, run))
    bench.say(`kill: container ${show(container)}, whole pod ${show(pod)}, Swarm ${show(theirs)}, create + start ${show(bare)}`)
  }
  await trireme.push({ [fileOf(NAME)]: null })
  await until('the workload is gone', async () => workload(await trireme.status(), keyOf(NAME)) === undefined)
  await removeService(docker, NAME)
  return [
    against('kill a container → replacement ready', container, 'Swarm', theirs),
    against('kill a pod’s sandbox → replacement ready', pod, 'Swarm', theirs),
    {
      ...against('kill a container → replacement ready', container, 'create + start', bare),
      aim: 'for comparison',
      met: true,
      note: 'create + start of one bare container on a bridge network, not probed',
    },
  ]
}

function against(what: string, ours: readonly number[], name: string, theirs: readonly number[]): Row {
  return {
    what,
    trireme: median(ours),
    other: { name, value: median(theirs) },
    unit: 'ms',
    aim: 'not slower than Swarm',
    met: median(ours) <= median(theirs),
    note: 'Trireme: probed and routed again; Swarm with restart delay 0: the new task runs (not probed)',
  }
}

/** Each run another pod: a second crash of one container would rightly wait. */
async function killContainer({ docker }: Bench, trireme: Trireme, run: number): Promise<number> {
  const pods = servingPods(await trireme.status(), keyOf(NAME))
  const victim = pods.toSorted((a, b) => a.restarts - b.restarts)[0]
  const id = victim?.containers[0]?.containerId
  if (id === undefined) throw new Error(`run ${run}: no pod to kill`)
  return timed(async () => {
    await docker.getContainer(id).kill()
    await until('a container in its place serves', async () => {
      const serving = servingPods(await trireme.status(), keyOf(NAME))
      return serving.length === REPLICAS && serving.every(({ containers }) => containers[0]?.containerId !== id)
    })
  })
}

async function killSandbox({ docker }: Bench, trireme: Trireme): Promise<number> {
  const victim = servingPods(await trireme.status(), keyOf(NAME)).at(-1)
  if (victim === undefined) throw new Error('no pod to kill')
  const label = [`io.kubernetes.pod.uid=${victim.uid}`, 'io.kubernetes.docker.type=podsandbox']
  const [sandbox] = await docker.listContainers({ filters: { label } })
  if (sandbox === undefined) throw new Error(`pod ${victim.name} has no sandbox`)
  return timed(async () => {
    await docker.getContainer(sandbox.Id).kill()
    await until('a pod in its place serves', async () => {
      const serving = servingPods(await trireme.status(), keyOf(NAME))
      return serving.length === REPLICAS && serving.every(({ uid }) => uid !== victim.uid)
    })
  })
}

async function killTask({ docker }: Bench): Promise<number> {
  const [victim] = await runningTasks(docker, NAME)
  const id = victim?.Status.ContainerStatus?.ContainerID
  if (victim === undefined || id === undefined) throw new Error('no task to kill')
  return timed(async () => {
    await docker.getContainer(id).kill()
    await until('a task in its place runs', async () => {
      const running = await runningTasks(docker, NAME)
      return running.length === REPLICAS && running.every(({ ID }) => ID !== victim.ID)
    })
  })
}

async function createAndStart({ docker }: Bench, run: number): Promise<number> {
  const started = performance.now()
  const container = await docker.createContainer({ name: `bare-${run}`, Image: IMAGE, HostConfig: { Init: true } })
  await container.start()
  const took = performance.now() - started
  await container.remove({ force: true })
  return took
}
