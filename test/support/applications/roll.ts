/** One Deployment of the application, rolled by a change of one line and rolled back, under load. */
import type { ClusterStatus } from '../../../src/reconcilers/status.ts'
import { type DaemonLab, workloadIn } from '../daemon.ts'
import { keepAsking, type Load } from './asking.ts'
import { type Document, keyOf, listAt, mapAt, templateOf, textAt, valueAt } from './manifests.ts'
import { replaceAt, selecting } from './stubbed.ts'

const ROLL_MS = 90_000
const CONTAINERS = ['spec', 'template', 'spec', 'containers']
const ANNOTATIONS = ['spec', 'template', 'metadata', 'annotations']

export interface Target {
  readonly workload: string
  readonly service: string
  /** of the Service: the port that is asked */
  readonly port: number
  /** whether the application has a readiness probe of its own */
  readonly probed: boolean
}

export interface Roll extends Target {
  readonly seconds: number
  readonly load: Load
  /** `''` when it came to its end */
  readonly trouble: string
}

/**
 * A Deployment that may not drop below one pod, behind a Service with an address, and that says when it can serve, by a probe
 * or by declaring the port: the one that is ready soonest.
 */
export function chooseTarget(documents: readonly Document[], runnable: ReadonlySet<string>): Target | undefined {
  const services = documents.filter((document) => {
    const clusterIP = textAt(document, 'spec', 'clusterIP')
    return textAt(document, 'kind') === 'Service' && clusterIP !== 'None' && textAt(document, 'spec', 'type') !== 'ExternalName'
  })
  const candidates = documents.flatMap((document): Target[] => {
    if (textAt(document, 'kind') !== 'Deployment' || !runnable.has(keyOf(document)) || !staysUp(document)) return []
    const [service] = selecting(services, document, templateOf(document) ?? {})
    const port = listAt(service, 'spec', 'ports').find(({ protocol = 'TCP' }) => protocol === 'TCP')
    if (service === undefined || port === undefined) return []
    const probed = isProbed(document)
    if (!probed && !declares(document, port.targetPort ?? port.port)) return []
    return [{ workload: keyOf(document), service: keyOf(service), port: Number(port.port), probed }]
  })
  const delay = ({ workload }: Target): number => longestDelayMs(documents.filter((document) => keyOf(document) === workload))
  return candidates.toSorted((a, b) => delay(a) - delay(b))[0]
}

function isProbed(workload: Document): boolean {
  return listAt(workload, ...CONTAINERS).some((container) => container.readinessProbe !== undefined)
}

function declares(workload: Document, targetPort: unknown): boolean {
  return listAt(workload, ...CONTAINERS)
    .flatMap((container) => listAt(container, 'ports'))
    .some(({ name, containerPort }) => name === targetPort || containerPort === targetPort)
}

function staysUp(deployment: Document): boolean {
  if (textAt(deployment, 'spec', 'strategy', 'type') === 'Recreate') return false
  const replicas = Number(valueAt(deployment, 'spec', 'replicas') ?? 1)
  const unavailable = String(valueAt(deployment, 'spec', 'strategy', 'rollingUpdate', 'maxUnavailable') ?? '25%')
  const count = unavailable.endsWith('%') ? Math.floor((replicas * Number.parseInt(unavailable, 10)) / 100) : Number(unavailable)
  return count < replicas
}

/** The longest time that any probe of these is told to wait first: ms. */
export function longestDelayMs(workloads: readonly Document[]): number {
  const probes = workloads
    .flatMap((workload) => listAt(templateOf(workload), 'spec', 'containers'))
    .flatMap((container) => [mapAt(container, 'readinessProbe'), mapAt(container, 'startupProbe')])
  return Math.max(0, ...probes.map(({ initialDelaySeconds }) => Number(initialDelaySeconds ?? 0) * 1000))
}

/** Changes one line, takes it back, and counts the requests on the Service meanwhile. */
export async function rollUnderLoad(
  lab: DaemonLab,
  documents: readonly Document[],
  target: Target,
  tell: (line: string) => void,
): Promise<Roll> {
  const { workload: key, service, port } = target
  const began = performance.now()
  const status = await lab.status()
  const healthy = workloadIn(status, key, (workload) => workload.healthy) !== undefined
  const address = status.services.find((each) => each.key === service)?.clusterIP
  if (!healthy || address === undefined)
    return { ...target, seconds: 0, load: { requests: 0, failures: [] }, trouble: `${key} was not healthy before` }
  const deployment = documents.find((document) => keyOf(document) === key) ?? {}
  const changed = replaceAt(deployment, ANNOTATIONS, { ...mapAt(deployment, ...ANNOTATIONS), 'example.com/changed': 'yes' })
  const stop = keepAsking(address, port)
  let trouble = ''
  try {
    const next = documents.map((document) => (document === deployment ? changed : document))
    await commitAndWait(lab, next, changed, 'Change one line')
    tell(`${key} rolled after ${Math.round((performance.now() - began) / 100) / 10} s`)
    await commitAndWait(lab, documents, deployment, 'Revert')
    tell(`${key} rolled back`)
  } catch (error) {
    trouble = (error as Error).message
  }
  const seconds = Math.round((performance.now() - began) / 100) / 10
  return { ...target, seconds, load: await stop(), trouble }
}

/** Every pod that was there before must be gone: each of these commits changes the template. */
async function commitAndWait(
  lab: DaemonLab,
  documents: readonly Document[],
  deployment: Document,
  message: string,
): Promise<void> {
  const key = keyOf(deployment)
  const podsOf = (status: ClusterStatus): readonly string[] =>
    status.workloads.find((workload) => workload.key === key)?.pods.map(({ uid }) => uid) ?? []
  const before = new Set(podsOf(await lab.status()))
  const sha = await lab.write({ 'app.yaml': documents }, message)
  const rolled = (status: ClusterStatus): unknown =>
    status.sources[0]?.applied === sha &&
    workloadIn(status, key, ({ healthy }) => healthy) &&
    podsOf(status).every((uid) => !before.has(uid))
  await lab.until(`${key} at ${message}`, rolled, ROLL_MS + longestDelayMs([deployment]))
}
