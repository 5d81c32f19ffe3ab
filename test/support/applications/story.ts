/** Runs one application from its first commit to its removal, and notes what came of it. */
import type { ClusterStatus, ServiceStatus, WorkloadStatus } from '../../../src/reconcilers/status.ts'
import { DaemonLab, workloadIn } from '../daemon.ts'
import { askFromHost, askFromPod, keepAsking, type Load } from './asking.ts'
import {
  type Application,
  type Document,
  keyOf,
  listAt,
  mapAt,
  readApplication,
  templateOf,
  templatePath,
  textAt,
  valueAt,
} from './manifests.ts'
import { missingReferences, replaceAt, selecting, standIn, stubbed } from './stubbed.ts'

const READY_MS = 150_000
const ROLL_MS = 90_000
const ANNOTATION = 'example.com/changed'

export interface Outcome {
  readonly application: Application
  /** references that were made out of band */
  readonly missing: readonly string[]
  readonly workloads: { readonly total: number; readonly ready: number; readonly troubles: readonly string[] }
  readonly services: { readonly total: number; readonly answering: number; readonly troubles: readonly string[] }
  /** conditions of Services that are not `Ready` although something is behind them */
  readonly conditions: readonly string[]
  readonly roll: Roll | undefined
  readonly readySeconds: number
  readonly seconds: number
}

export interface Roll {
  readonly workload: string
  readonly service: string
  readonly probed: boolean
  readonly seconds: number
  readonly load: Load
  /** `''` when it came to its end */
  readonly trouble: string
}

/** `keep` leaves the containers running and the folder in place. Throws when the daemon itself cannot be run. */
export async function runApplication(path: string, keep: boolean, tell: (line: string) => void): Promise<Outcome> {
  const began = performance.now()
  const application = await readApplication(path)
  const missing = missingReferences(application.documents)
  const documents = stubbed(application.documents)
  const lab = new DaemonLab(`app-${application.name.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`.slice(0, 40).replace(/-$/, ''), {
    source: 'git',
  })
  try {
    await lab.init()
    await lab.write({ 'app.yaml': documents, 'out-of-band.yaml': missing.map(standIn) }, 'The application')
    const runnable = await runnableKeys(lab.tree)
    const running = documents.filter((document) => runnable.has(keyOf(document)))
    tell(`cluster ${lab.cluster}: ${runnable.size} workloads to run`)
    const started = performance.now()
    await lab.start()
    const workloads = await untilReady(lab, runnable)
    const readySeconds = secondsSince(started)
    tell(`${workloads.ready}/${workloads.total} Ready after ${readySeconds} s`)
    const behind = withBackends(documents, running)
    const services = await checkServices(lab, behind)
    tell(`${services.answering}/${services.total} Services answer`)
    const conditions = conditionsOf(await lab.status(), behind)
    const roll = await rollOne(lab, documents, running, tell)
    return {
      application,
      missing: missing.map(({ kind, namespace, name }) => `${kind}/${namespace}/${name}`),
      workloads,
      services,
      conditions,
      roll,
      readySeconds,
      seconds: secondsSince(began),
    }
  } finally {
    if (keep) await lab.kill('SIGTERM')
    else await lab.remove()
  }
}

/** Keys of the workloads that validation lets through. */
async function runnableKeys(tree: string): Promise<Set<string>> {
  const { documents, verdicts } = await readApplication(tree)
  const refused = new Set(
    verdicts.filter(({ verdict }) => verdict === 'refused').map(({ kind, namespace, name }) => `${kind}/${namespace}/${name}`),
  )
  const workloads = documents.filter((document) => templatePath(textAt(document, 'kind')) !== undefined)
  return new Set(workloads.map(keyOf).filter((key) => !refused.has(key)))
}

async function untilReady(lab: DaemonLab, keys: ReadonlySet<string>): Promise<Outcome['workloads']> {
  const healthy = (status: ClusterStatus): number =>
    [...keys].filter((key) => workloadIn(status, key, (each) => each.healthy)).length
  if (keys.size === 0) return { total: 0, ready: 0, troubles: [] }
  let waited: unknown
  await lab
    .until('all workloads healthy', (status) => healthy(status) === keys.size, READY_MS)
    .catch((error: unknown) => {
      waited = error
    })
  // A daemon that has ended says nothing more; its last words are in what the wait told.
  const status = await lab.status().catch(() => Promise.reject(waited))
  const troubles = [...keys].flatMap((key) => {
    const workload = status.workloads.find((each) => each.key === key)
    if (workload === undefined)
      return [`${key}: unknown to the daemon: ${status.sources[0]?.error} ${status.sources[0]?.problems[0]}`]
    return workload.healthy ? [] : [`${key}: ${describe(workload)}`]
  })
  return { total: keys.size, ready: healthy(status), troubles }
}

function describe({ condition, message, pods }: WorkloadStatus): string {
  const parts = pods.map(({ reason, message: why, containers }) =>
    [reason, why, ...containers.map(({ lastProbeAnswer }) => lastProbeAnswer)].filter((text) => text !== '').join(' '),
  )
  return [condition, message, ...new Set(parts)].filter((text) => text !== '').join('; ')
}

/** Keys of Services that select pods of something that runs. */
function withBackends(documents: readonly Document[], running: readonly Document[]): Set<string> {
  const services = documents.filter((document) => textAt(document, 'kind') === 'Service')
  return new Set(running.flatMap((workload) => selecting(services, workload, templateOf(workload) ?? {})).map(keyOf))
}

async function checkServices(lab: DaemonLab, keys: ReadonlySet<string>): Promise<Outcome['services']> {
  const status = await lab.status()
  const services = status.services.filter(({ key }) => keys.has(key))
  const troubles = new Map<string, string>(
    [...keys].filter((key) => !services.some((each) => each.key === key)).map((key) => [key, 'not served']),
  )
  for (const service of services) note(troubles, service, await askFromHost(service))
  for (const [namespace, inside] of Map.groupBy(services, (service) => service.namespace)) {
    const pod = status.workloads.flatMap(({ pods }) => pods).find((each) => each.namespace === namespace && each.ready)
    const said = pod === undefined ? undefined : await askFromPod(lab, pod, inside)
    for (const service of inside)
      note(troubles, service, said === undefined ? 'no pod to ask from' : (said.get(service.name) ?? ''))
  }
  const told = [...troubles].map(([key, trouble]) => `${key}: ${trouble}`)
  return { total: keys.size, answering: keys.size - troubles.size, troubles: told }
}

function note(troubles: Map<string, string>, { key }: ServiceStatus, trouble: string): void {
  if (trouble !== '') troubles.set(key, [troubles.get(key), trouble].filter((text) => text !== undefined).join('; '))
}

function conditionsOf(status: ClusterStatus, keys: ReadonlySet<string>): string[] {
  return status.services
    .filter(({ key, condition }) => keys.has(key) && condition !== 'Ready')
    .map(({ key, condition, message }) => `${key}: ${condition}: ${message}`)
}

/** Changes one line of one Deployment, takes it back, and loses no request on its Service meanwhile. */
async function rollOne(
  lab: DaemonLab,
  documents: readonly Document[],
  running: readonly Document[],
  tell: (line: string) => void,
): Promise<Roll | undefined> {
  const target = await chooseTarget(lab, documents, running)
  if (target === undefined) return undefined
  const { deployment, service, port } = target
  const key = keyOf(deployment)
  const path = ['spec', 'template', 'metadata', 'annotations']
  const changed = replaceAt(deployment, path, { ...mapAt(deployment, ...path), [ANNOTATION]: 'yes' })
  const stop = keepAsking(service.clusterIP, port)
  const began = performance.now()
  let trouble = ''
  try {
    await commitAndWait(
      lab,
      documents.map((document) => (document === deployment ? changed : document)),
      key,
      'Change one line',
    )
    tell(`${key} rolled after ${secondsSince(began)} s`)
    await commitAndWait(lab, documents, key, 'Revert')
    tell(`${key} rolled back`)
  } catch (error) {
    trouble = (error as Error).message
  }
  const seconds = secondsSince(began)
  return { workload: key, service: service.key, probed: isProbed(deployment), seconds, load: await stop(), trouble }
}

/** Every pod that was there before must be gone: each of these commits changes the template. */
async function commitAndWait(lab: DaemonLab, documents: readonly Document[], key: string, message: string): Promise<void> {
  const podsOf = (status: ClusterStatus): readonly string[] =>
    status.workloads.find((workload) => workload.key === key)?.pods.map(({ uid }) => uid) ?? []
  const before = new Set(podsOf(await lab.status()))
  const sha = await lab.write({ 'app.yaml': documents }, message)
  const rolled = (status: ClusterStatus): unknown =>
    status.sources[0]?.applied === sha &&
    workloadIn(status, key, ({ healthy }) => healthy) &&
    podsOf(status).every((uid) => !before.has(uid))
  await lab.until(`${key} at ${message}`, rolled, ROLL_MS)
}

/** A healthy Deployment that may not drop below one pod, behind a Service with an address; probed ones first. */
async function chooseTarget(
  lab: DaemonLab,
  documents: readonly Document[],
  running: readonly Document[],
): Promise<{ deployment: Document; service: ServiceStatus; port: number } | undefined> {
  const status = await lab.status()
  const services = documents.filter((document) => textAt(document, 'kind') === 'Service')
  const candidates = running.flatMap((deployment) => {
    if (textAt(deployment, 'kind') !== 'Deployment' || !staysUp(deployment)) return []
    if (!workloadIn(status, keyOf(deployment), ({ healthy }) => healthy)) return []
    const selected = selecting(services, deployment, templateOf(deployment) ?? {}).map(keyOf)
    const service = status.services.find(({ key, clusterIP }) => selected.includes(key) && /^\d/.test(clusterIP))
    const port = service?.ports.find(({ protocol, ready }) => protocol === 'TCP' && ready > 0)?.port
    return service === undefined || port === undefined ? [] : [{ deployment, service, port }]
  })
  return candidates.find(({ deployment }) => isProbed(deployment)) ?? candidates[0]
}

function isProbed(workload: Document): boolean {
  return listAt(templateOf(workload), 'spec', 'containers').some((container) => container.readinessProbe !== undefined)
}

function staysUp(deployment: Document): boolean {
  if (textAt(deployment, 'spec', 'strategy', 'type') === 'Recreate') return false
  const replicas = Number(valueAt(deployment, 'spec', 'replicas') ?? 1)
  const unavailable = String(valueAt(deployment, 'spec', 'strategy', 'rollingUpdate', 'maxUnavailable') ?? '25%')
  const count = unavailable.endsWith('%') ? Math.floor((replicas * Number.parseInt(unavailable, 10)) / 100) : Number(unavailable)
  return count < replicas
}

function secondsSince(began: number): number {
  return Math.round((performance.now() - began) / 100) / 10
}
