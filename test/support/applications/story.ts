/** Runs one application from its first commit to its removal, and notes what came of it. */
import type { Policy } from '../../../src/model/policy.ts'
import type { ClusterStatus, ServiceStatus, WorkloadStatus } from '../../../src/reconcilers/status.ts'
import { DaemonLab, workloadIn } from '../daemon.ts'
import { type Application, readApplication } from './application.ts'
import { askFromHost, askFromPod } from './asking.ts'
import { type Document, keyOf, templateOf, templatePath, textAt } from './manifests.ts'
import { chooseTarget, longestDelayMs, type Roll, rollUnderLoad } from './roll.ts'
import { missingReferences, selecting, standIn, stubbed } from './stubbed.ts'

/** Longest wait for everything to be Ready, beside what probes are told to wait: ms. */
const READY_MS = 120_000

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

export interface RunOptions {
  /** leaves the containers running and the folder in place */
  readonly keep: boolean
  /** policy exceptions, in every namespace */
  readonly allow: readonly Policy[]
  readonly tell: (line: string) => void
  /** told as soon as there is something to remove */
  readonly opened: (lab: DaemonLab) => void
}

/** Throws when the daemon itself cannot be run. */
export async function runApplication(path: string, { keep, allow, tell, opened }: RunOptions): Promise<Outcome> {
  const began = performance.now()
  const application = await readApplication(path, { '*': allow })
  const runnable = runnableKeys(application)
  const missing = missingReferences(application.documents)
  const documents = stubbed(application.documents)
  const target = chooseTarget(documents, runnable)
  const running = documents.filter((document) => runnable.has(keyOf(document)))
  const lab = new DaemonLab(labName(application.name), { source: 'git' })
  opened(lab)
  try {
    await lab.init()
    await lab.write({ 'app.yaml': documents, 'out-of-band.yaml': missing.map(standIn) }, 'The application')
    tell(`cluster ${lab.cluster}: ${runnable.size} workloads to run`)
    const started = performance.now()
    // The stubs need next to nothing of what the workloads request for the images that they stand for.
    const room = ['--node-allocatable', 'cpu=1k', '--node-allocatable', 'memory=1Ti']
    await lab.start(...room, ...(allow.length === 0 ? [] : ['--allow', `*=${allow.join()}`]))
    const workloads = await untilReady(lab, running)
    const readySeconds = secondsSince(started)
    tell(`${workloads.ready}/${workloads.total} Ready after ${readySeconds} s`)
    const behind = withBackends(documents, running)
    const services = await checkServices(lab, behind)
    tell(`${services.answering}/${services.total} Services answer`)
    return {
      application,
      missing: missing.map(({ kind, namespace, name }) => `${kind}/${namespace}/${name}`),
      workloads,
      services,
      conditions: conditionsOf(await lab.status(), behind),
      roll: target === undefined ? undefined : await rollUnderLoad(lab, documents, target, tell),
      readySeconds,
      seconds: secondsSince(began),
    }
  } finally {
    if (keep) await lab.kill('SIGTERM')
    else await lab.remove()
  }
}

/** Fits into a cluster id. */
function labName(application: string): string {
  const label = application.toLowerCase().replace(/[^a-z0-9]+/g, '-')
  return `app-${label}`.slice(0, 40).replace(/-$/, '')
}

/** Keys of the workloads that validation lets through. */
function runnableKeys({ documents, verdicts }: Application): Set<string> {
  const refused = verdicts
    .filter(({ verdict }) => verdict === 'refused')
    .map((each) => `${each.kind}/${each.namespace}/${each.name}`)
  const workloads = documents.filter((document) => templatePath(textAt(document, 'kind')) !== undefined)
  return new Set(workloads.map(keyOf).filter((key) => !refused.includes(key)))
}

async function untilReady(lab: DaemonLab, running: readonly Document[]): Promise<Outcome['workloads']> {
  const keys = new Set(running.map(keyOf))
  const healthy = (status: ClusterStatus): number =>
    [...keys].filter((key) => workloadIn(status, key, (each) => each.healthy)).length
  if (keys.size === 0) return { total: 0, ready: 0, troubles: [] }
  let waited: unknown
  await lab
    .until('all workloads healthy', (status) => healthy(status) === keys.size, READY_MS + longestDelayMs(running))
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

function secondsSince(began: number): number {
  return Math.round((performance.now() - began) / 100) / 10
}
