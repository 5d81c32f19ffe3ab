/** Containers, sandboxes and volumes of pods. Lost is what was inside of what was killed, or on its way there. */
import type { PodStatus } from '../../../src/reconcilers/status.ts'
import type { Chance } from '../../simulation/chance.ts'
import type { Act } from '../act.ts'
import { REPLICAS, SIDE, WEB } from '../application.ts'
import type { Theatre } from '../theatre.ts'

const INSIDE = 'inside of the pod that was taken away, or on the way to it'
const KEPT = 'kept by the container that was paused, for longer than the client waits'
const WAYS = ['new', 'held', 'published'] as const

/** Until nothing is sent to this pod any more, or it is back. */
function excusePod(theatre: Theatre, pod: PodStatus): void {
  const since = Date.now()
  theatre.excuse(INSIDE, WAYS, () => theatre.unrouted(since, pod), [pod.name])
}

function onPod(name: string, container: 'app' | 'POD', ...words: readonly string[]): Act {
  return {
    name,
    mayLose: INSIDE,
    async perform(theatre, chance) {
      const pod = await theatre.pod(chance)
      const id = await theatre.lab.container(pod, container)
      excusePod(theatre, pod)
      await theatre.lab.docker(...words, id)
    },
  }
}

/** A paused container keeps what it is asked until it goes on: a client waits, unless the daemon is away for longer than it waits. */
const containerPaused: Act = {
  name: 'container paused',
  mayLose: KEPT,
  async perform(theatre, chance) {
    const { lab } = theatre
    const pod = await theatre.pod(chance)
    const id = await lab.container(pod, 'app')
    const paused = lab.docker('pause', id)
    const over = async () => {
      await paused
      return (await lab.docker('ps', '-q', '--no-trunc', '--filter', 'status=paused')) === ''
    }
    theatre.excuse(KEPT, WAYS, over, [pod.name])
    await paused
  },
}

/** Whose sandbox is paused goes on serving: nothing runs in it. */
const sandboxPaused: Act = {
  name: 'sandbox paused',
  mayLose: '',
  async perform(theatre, chance) {
    const pod = await theatre.pod(chance)
    await theatre.lab.docker('pause', await theatre.lab.container(pod, 'POD'))
  },
}

async function removeWithVolumes({ lab }: Theatre, { uid }: PodStatus): Promise<void> {
  const ofPod = ['--filter', `label=io.kubernetes.pod.uid=${uid}`]
  const list = async (...words: string[]) => (await lab.docker(...words, ...ofPod)).split('\n').filter((word) => word !== '')
  const containers = await list('ps', '-aq')
  await lab.docker('rm', '-f', ...containers)
  // Without force: with it Docker forgets the labels of what it cannot remove, and then nobody knows whose it is.
  for (const volume of await list('volume', 'ls', '-q')) await lab.docker('volume', 'rm', volume)
}

async function disconnect(theatre: Theatre, chance: Chance): Promise<void> {
  const { lab } = theatre
  const pod = await theatre.pod(chance)
  const sandbox = await lab.container(pod, 'POD')
  const attached = async () =>
    (await lab.docker('inspect', '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', sandbox)) === pod.ip
  const since = Date.now()
  const cut = lab.docker('network', 'disconnect', `trireme-${lab.cluster}`, sandbox)
  const over = async () => {
    await cut
    return (await theatre.unrouted(since, pod)) || attached()
  }
  theatre.excuse(INSIDE, WAYS, over, [pod.name])
  await cut
}

export const podActs: readonly Act[] = [
  onPod('container killed', 'app', 'kill'),
  onPod('container stopped', 'app', 'stop', '-t', '5'),
  onPod('container removed', 'app', 'rm', '-f'),
  onPod('sandbox killed', 'POD', 'kill'),
  onPod('sandbox removed', 'POD', 'rm', '-f'),
  containerPaused,
  sandboxPaused,
  { name: 'pod off its network', mayLose: INSIDE, perform: disconnect },
  {
    name: 'pod removed with its volumes',
    mayLose: INSIDE,
    async perform(theatre, chance) {
      const pod = await theatre.pod(chance)
      excusePod(theatre, pod)
      await removeWithVolumes(theatre, pod)
    },
  },
  {
    name: 'another pod removed with its volumes',
    mayLose: '',
    async perform(theatre, chance) {
      await removeWithVolumes(theatre, await theatre.pod(chance, SIDE))
    },
  },
  {
    name: 'every container killed',
    mayLose: 'no replica was left',
    async perform(theatre) {
      const { lab } = theatre
      const since = Date.now()
      const ids = await lab.containers(`trireme.owner=${WEB}`, 'io.kubernetes.container.name=app')
      theatre.excuse('no replica was left', WAYS, () => theatre.unrouted(since))
      await lab.docker('kill', ...ids.slice(0, 2 * REPLICAS)).catch(() => undefined)
    },
  },
  {
    name: 'a copy of a container',
    mayLose: '',
    async perform(theatre, chance) {
      const { lab } = theatre
      const id = await lab.container(await theatre.pod(chance), 'app')
      const labels = JSON.parse(await lab.docker('inspect', '--format', '{{json .Config.Labels}}', id)) as object
      const given = Object.entries(labels).flatMap(([name, value]) => ['--label', `${name}=${value}`])
      await lab.docker('run', '-d', '--network', 'none', ...given, 'trireme/stub:1')
    },
  },
]
