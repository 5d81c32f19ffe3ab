/**
 * `npm run demo -- --exit`: the story that a user would play, with every claim checked. A claim that does not
 * hold ends the story, except for lost requests: those are kept, and the story goes on.
 */
import { LABEL } from '../../src/reconcilers/names.ts'
import type { ClusterStatus, WorkloadStatus } from '../../src/reconcilers/status.ts'
import type { Engine } from '../../src/runtime/engine.ts'
import { type Daemon, INTERVAL_SECONDS } from './daemon.ts'
import { type Load, startLoad } from './load.ts'
import type { Edit, Shop } from './shop.ts'
import { evidenceOf, renderRow, seconds, type Tally, tallyOf } from './timeline.ts'

export interface Stage {
  readonly daemon: Daemon
  readonly shop: Shop
  readonly engine: Engine
  /** when the story began, as `performance.now()` counts */
  readonly zero: number
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

/** What must be true of a chapter's load. */
type Loss = 'none' | 'some'

interface Scene extends Stage {
  readonly load: Load
  /** claims that did not hold, with their evidence */
  readonly broken: string[]
  readonly lost: { anywhere: number; atKills: number }
  /** until when requests have been judged, as `performance.now()` counts */
  told: number
}

/** Requests that must have ended well on a broken commit before it counts as survived. */
const ENOUGH = 150
const LAST_WORDS = /CrashLoopBackOff.*last log line: .*settings\.json: unexpected end of input/

export interface Ending {
  /** claims that did not hold, with their evidence */
  readonly broken: readonly string[]
  /** all of the load in one line */
  readonly load: string
}

/** Plays all chapters. Errors: as `Daemon.until`. */
export async function playStory(stage: Stage): Promise<Ending> {
  const addresses = await converge(stage)
  const load = startLoad(addresses, stage.signal)
  const scene: Scene = { ...stage, load, broken: [], lost: { anywhere: 0, atKills: 0 }, told: stage.zero }
  try {
    await load.more(ENOUGH)
    await roll(scene)
    await killContainer(scene)
    await killPod(scene)
    await killStore(scene)
    await breakImage(scene)
    await crash(scene)
    await revert(scene)
    await scale(scene, 3, 5)
    await scale(scene, 5, 2)
  } finally {
    await load.stop()
  }
  judge(scene, 'the end', 'none', performance.now())
  const { anywhere, atKills } = scene.lost
  const kills = atKills === 0 ? '' : `; at the two kills ${atKills} more`
  return { broken: scene.broken, load: `${load.outcomes.length} requests, ${anywhere === 0 ? 'none' : anywhere} lost${kills}` }
}

async function converge({ daemon, shop, zero, say }: Stage): Promise<{ name: string; url: string }[]> {
  const status = await daemon.until('the first commit is healthy', (now) => healthySource(now) && now)
  const service = (name: string) => status.services.find((each) => each.name === name)
  const serving = status.workloads.filter(({ kind }) => kind !== 'CronJob' && kind !== 'Job')
  const counts = serving.map(({ name, ready, desired }) => `${name} ${ready}/${desired}`).join(', ')
  const at = performance.now() - zero
  const nodePort = `127.0.0.1:${shop.nodePort}`
  const lines = [
    `${revisionOf(status)} runs: ${counts} ready`,
    `Service web is ${service('web')?.clusterIP}:80 and ${nodePort}, api is ${service('api')?.clusterIP}:80`,
  ]
  say(renderRow({ at, step: 'converge', tookMs: at, lines }))
  return [
    { name: 'Service', url: `http://${service('web')?.clusterIP}/` },
    { name: 'NodePort', url: `http://${nodePort}/` },
  ]
}

async function roll(scene: Scene): Promise<void> {
  const before = podNames(await scene.daemon.status())
  await chapter(scene, 'roll', 'none', async () => {
    const pushed = await scene.shop.commit('Version 2, with the evening catch', [
      { file: 'web.yaml', from: 'trireme/demo:v1', to: 'trireme/demo:v2' },
      { file: 'api.yaml', from: 'trireme/demo:v1', to: 'trireme/demo:v2' },
      { file: 'config.yaml', from: 'Fresh fish, every morning', to: 'Fresh fish, every evening' },
    ])
    const status = await healthyAt(scene, pushed)
    const stayed = podNames(status).filter((name) => before.includes(name))
    if (stayed.length > 0) throw new Error(`pods of version 1 are still there: ${stayed.join(', ')}`)
    const page = await (await fetch(`http://127.0.0.1:${scene.shop.nodePort}/`, { signal: scene.signal })).text()
    if (!page.includes('every evening') || page.split('v2').length < 3) throw new Error(`the page is not version 2's: ${page}`)
    return [`git push → ${revisionOf(status)}: ${before.length} pods replaced, new page served by new api`]
  })
}

async function killContainer(scene: Scene): Promise<void> {
  const victim = web(await scene.daemon.status()).pods[0]
  const container = victim?.containers[0]?.containerId ?? ''
  await chapter(scene, 'kill', 'some', async () => {
    await scene.engine.killContainer(container, 'SIGKILL')
    const killedAt = performance.now()
    await scene.daemon.until('a killed container is replaced', (status) => healed(web(status), container))
    return [`docker kill of ${victim?.name}/web → Ready again in ${seconds(performance.now() - killedAt)}`]
  })
}

async function killPod(scene: Scene): Promise<void> {
  const victim = web(await scene.daemon.status()).pods[0]
  await chapter(scene, 'kill pod', 'some', async () => {
    const uid = `${LABEL.podUid}=${victim?.uid}`
    const containers = await scene.engine.listContainers([uid])
    const killedAt = performance.now()
    await Promise.all(containers.map(({ id }) => scene.engine.removeContainer(id)))
    const status = await scene.daemon.until('a removed pod is replaced', (status) => {
      const { pods, healthy } = web(status)
      return healthy && !pods.some(({ uid }) => uid === victim?.uid) && status
    })
    const pods = web(status).pods
    const newest = pods.toSorted((a, b) => b.createdAt - a.createdAt)[0]
    const took = seconds(performance.now() - killedAt)
    return [`docker rm --force of all of ${victim?.name} → ${newest?.name} Ready in ${took}`]
  })
}

/** The pod of the store goes whole, and comes back by the same name to the same claim. */
async function killStore(scene: Scene): Promise<void> {
  const { clusterIP } = (await scene.daemon.status()).services.find(({ name }) => name === 'store') ?? {}
  const count = async (): Promise<number> => {
    const answer = await fetch(`http://${clusterIP}/visits`, { signal: scene.signal })
    return ((await answer.json()) as { visits: number }).visits
  }
  const victim = store(await scene.daemon.status()).pods[0]
  await chapter(scene, 'kill store', 'none', async () => {
    const before = await count()
    const containers = await scene.engine.listContainers([`${LABEL.podUid}=${victim?.uid}`])
    const killedAt = performance.now()
    await Promise.all(containers.map(({ id }) => scene.engine.removeContainer(id)))
    await scene.daemon.until('the store is back', (status) => {
      const { pods, healthy } = store(status)
      return healthy && !pods.some(({ uid }) => uid === victim?.uid)
    })
    const took = seconds(performance.now() - killedAt)
    const after = await count()
    if (after < before) throw new Error(`the store has forgotten: ${before} visits before, ${after} after`)
    return [`docker rm --force of all of ${victim?.name} → same name, same claim, Ready in ${took}; ${before} visits kept`]
  })
}

async function breakImage(scene: Scene): Promise<void> {
  await chapter(scene, 'no image', 'none', async () => {
    await scene.shop.commit('A tag that nobody has built', [imageOfWeb('v2', 'does-not-exist')])
    return survive(scene, /ImagePull.*trireme\/demo:does-not-exist/)
  })
}

async function crash(scene: Scene): Promise<void> {
  await chapter(scene, 'crash', 'none', async () => {
    await scene.shop.commit('A version that cannot start', [imageOfWeb('does-not-exist', 'crash')])
    return survive(scene, LAST_WORDS)
  })
}

/** Waits until the status explains itself, then for enough requests; the old pods must all serve on. */
async function survive(scene: Scene, explanation: RegExp): Promise<string[]> {
  const message = await scene.daemon.until('the status explains a broken commit', (status) => {
    const { message } = web(status)
    return explanation.test(message) && message
  })
  await scene.load.more(ENOUGH)
  const status = await scene.daemon.status()
  const { available, condition } = web(status)
  if (available < 3) throw new Error(`only ${available} of 3 old replicas are available`)
  if (healthySource(status) !== false) throw new Error('a broken commit is called healthy')
  return [`the ${available} old replicas serve on; web is ${condition}:`, ...fold(message)]
}

async function revert(scene: Scene): Promise<void> {
  await chapter(scene, 'revert', 'none', async () => {
    const status = await healthyAt(scene, await scene.shop.revert(2))
    return [`git revert → ${revisionOf(status)}: healthy again`]
  })
}

async function scale(scene: Scene, from: number, to: number): Promise<void> {
  await chapter(scene, `scale ${to}`, 'none', async () => {
    const edit = { file: 'web.yaml', from: `replicas: ${from}`, to: `replicas: ${to}` }
    const status = await healthyAt(scene, await scene.shop.commit(`${to} replicas`, [edit]))
    return [`web has ${web(status).pods.length} pods, all ready`]
  })
}

/** Plays one chapter under load, and says how it went. */
async function chapter(scene: Scene, step: string, loss: Loss, play: () => Promise<string[]>): Promise<void> {
  const from = performance.now()
  const lines = await play()
  const to = performance.now()
  await scene.load.settled()
  const tally = judge(scene, step, loss, to)
  if (tally.requests === 0) scene.broken.push(`${step}: no request was made in it`)
  const evidence = evidenceOf(tally, scene.zero)
  scene.say(renderRow({ at: from - scene.zero, step, tookMs: to - from, tally, lines: [...lines, ...evidence] }))
}

/** Counts what began since the last judgement and before `to`, so that no request falls between two chapters. */
function judge(scene: Scene, step: string, loss: Loss, to: number): Tally {
  const tally = tallyOf(scene.load.outcomes, scene.told, to)
  scene.told = to
  scene.lost[loss === 'some' ? 'atKills' : 'anywhere'] += tally.lost.length
  if (loss === 'none' && tally.lost.length > 0) {
    const evidence = evidenceOf(tally, scene.zero).map((line) => `\n    ${line}`)
    scene.broken.push(`${step}: ${tally.lost.length} of ${tally.requests} requests were lost${evidence.join('')}`)
  }
  return tally
}

function healthyAt({ daemon }: Scene, revision: string): Promise<ClusterStatus> {
  return daemon.until(`commit ${revision.slice(0, 7)} is healthy`, (now) => healthySource(now) === revision && now)
}

/** The newest revision, when every workload and Service of it is healthy. */
function healthySource({ sources }: ClusterStatus): string | false {
  const [source] = sources
  return source !== undefined && source.attempted !== '' && source.healthy === source.attempted && source.healthy
}

function healed({ pods, healthy }: WorkloadStatus, killed: string): boolean {
  return healthy && !pods.some(({ containers }) => containers.some(({ containerId }) => containerId === killed))
}

function web({ workloads }: ClusterStatus): WorkloadStatus {
  const found = workloads.find(({ kind, name }) => kind === 'Deployment' && name === 'web')
  if (found === undefined) throw new Error('the status has no Deployment web')
  return found
}

function store({ workloads }: ClusterStatus): WorkloadStatus {
  const found = workloads.find(({ kind, name }) => kind === 'StatefulSet' && name === 'store')
  if (found === undefined) throw new Error('the status has no StatefulSet store')
  return found
}

/** Of what is rolled: the store and what a CronJob makes stay as they are. */
function podNames({ workloads }: ClusterStatus): string[] {
  const rolled = workloads.filter(({ kind }) => kind === 'Deployment')
  return rolled.flatMap(({ pods }) => pods.map(({ name }) => name))
}

function revisionOf({ sources }: ClusterStatus): string {
  const [source] = sources
  return `${source?.attempted.slice(0, 7)} "${source?.message}"`
}

function imageOfWeb(from: string, to: string): Edit {
  return { file: 'web.yaml', from: `trireme/demo:${from}`, to: `trireme/demo:${to}` }
}

/** In lines of at most a hundred characters. */
function fold(text: string): string[] {
  return text.match(/.{1,98}(\s|$)|\S{98}/g)?.map((line) => `  ${line.trim()}`) ?? []
}

export const ABOUT_LOAD = `Load: 8 clients, half on the Service address and half on the host's port, half of each on kept connections.
Git is polled every ${INTERVAL_SECONDS} s; times of commits are from before the commit is made and pushed.`
