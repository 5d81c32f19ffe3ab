/** The status as tables. Pure: the time, the terminal's width and the colours are arguments. */
import { formatQuantity } from '../model/quantity.ts'
import { splitKey } from '../model/types/meta.ts'
import type {
  ClaimStatus,
  ClusterStatus,
  NodeStatus,
  PodStatus,
  QuotaStatus,
  ServiceStatus,
  SourceStatus,
  WorkloadStatus,
} from '../reconcilers/status.ts'
import { cut, paintWord, type TableOptions } from './cells.ts'
import { cronJobHead, cronJobRow, jobHead, jobRow } from './jobtables.ts'
import { renderAge, renderTable } from './table.ts'

/** All tables that have rows, with a blank line between. */
export function renderStatus(status: ClusterStatus, options: TableOptions): string {
  const pods = status.workloads.flatMap((workload) => workload.pods)
  const { Job: jobs = [], CronJob: cronJobs = [] } = Object.groupBy(status.workloads, ({ kind }) => kind)
  const workloads = status.workloads.filter(({ kind }) => kind !== 'Job' && kind !== 'CronJob')
  const tables = [
    table(['SOURCE', 'BRANCH', 'ATTEMPTED', 'APPLIED', 'HEALTHY', 'FETCHED', 'MESSAGE'], status.sources, sourceRow),
    table(workloadHead, workloads, workloadRow),
    table(jobHead, jobs, jobRow),
    table(cronJobHead, cronJobs, cronJobRow),
    table(['NAMESPACE', 'POD', 'READY', 'STATUS', 'RESTARTS', 'AGE', 'IP', 'NODE'], pods, podRow),
    table(['NAMESPACE', 'SERVICE', 'TYPE', 'CLUSTER-IP', 'PORTS', 'ENDPOINTS', 'CONDITION'], status.services, serviceRow),
    table(['NAMESPACE', 'CLAIM', 'STATUS', 'REQUEST', 'CLASS', 'VOLUME', 'PODS', 'MESSAGE'], status.claims, claimRow),
    table(['NODE', 'STATUS', 'ENGINE', 'CPUS', 'MEMORY', 'PODS', 'ROUTER'], status.nodes, nodeRow),
    table(['NAMESPACE', 'QUOTA', 'USED'], status.quotas, quotaRow),
    table(['NOT ENFORCED', 'FILE', 'REASON'], unenforcedRows(status), ({ cells }) => cells),
  ]
  const written = tables.map((each) => each(options)).filter((text) => text !== '')
  return written.length === 0 ? 'nothing yet: the first pass is not done\n' : written.join('\n')
}

type Row<T> = (item: T, options: TableOptions) => readonly string[]

function table<T>(head: readonly string[], items: readonly T[], row: Row<T>): (options: TableOptions) => string {
  return (options) => {
    if (items.length === 0) return ''
    return renderTable(
      head,
      items.map((item) => row(item, options)),
    )
  }
}

const workloadHead = ['NAMESPACE', 'NAME', 'READY', 'UP-TO-DATE', 'AVAILABLE', 'AGE', 'CONDITION', 'MESSAGE']

function sourceRow(source: SourceStatus, { now, columns, ink }: TableOptions): readonly string[] {
  const behind = source.healthy !== source.attempted
  const healthy = short(source.healthy)
  const message = source.error || source.problems[0] || source.message
  return [
    source.name,
    source.branch || '-',
    short(source.attempted),
    short(source.applied),
    behind ? ink.yellow(healthy) : ink.green(healthy),
    source.lastFetch === 0 ? 'never' : `${renderAge(now - source.lastFetch)} ago`,
    source.error ? ink.red(cut(message, columns, 70)) : cut(message, columns, 70),
  ]
}

function workloadRow(workload: WorkloadStatus, { now, columns, ink }: TableOptions): readonly string[] {
  const name = workload.kind === 'Deployment' ? workload.name : `${workload.kind.toLowerCase()}/${workload.name}`
  return [
    workload.namespace,
    name,
    `${workload.ready}/${workload.desired}`,
    String(workload.updated),
    String(workload.available),
    renderAge(now - workload.createdAt),
    paintWord(workload.condition, ink),
    cut(workload.message, columns, 80),
  ]
}

function podRow(pod: PodStatus, { now, ink }: TableOptions): readonly string[] {
  const lasting = [...pod.containers, ...pod.initContainers.filter(({ role }) => role === 'sidecar')]
  const ready = lasting.filter((container) => container.ready).length
  return [
    pod.namespace,
    pod.name,
    `${ready}/${lasting.length}`,
    paintWord(pod.terminating ? 'Terminating' : pod.reason || pod.phase, ink),
    String(pod.restarts),
    renderAge(now - pod.createdAt),
    pod.ip || '<none>',
    pod.node || '<none>',
  ]
}

function serviceRow(service: ServiceStatus, { columns, ink }: TableOptions): readonly string[] {
  const ready = service.endpoints.filter((endpoint) => endpoint.ready).length
  const address = service.type === 'ExternalName' ? service.externalName : service.clusterIP || '<pending>'
  const condition = paintWord(service.condition, ink)
  return [
    service.namespace,
    service.name,
    service.type,
    address,
    service.ports.map(renderPort).join(',') || '<none>',
    `${ready}/${service.endpoints.length}`,
    service.message === '' ? condition : `${condition}: ${cut(service.message, columns, 90)}`,
  ]
}

function renderPort({ port, nodePort, protocol }: ServiceStatus['ports'][number]): string {
  return `${port}${nodePort > 0 ? `:${nodePort}` : ''}/${protocol}`
}

function claimRow(claim: ClaimStatus, { columns, ink }: TableOptions): readonly string[] {
  return [
    claim.namespace,
    claim.name,
    paintWord(claim.phase, ink),
    claim.requestBytes === 0 ? '-' : formatQuantity({ nanos: BigInt(claim.requestBytes) * 1_000_000_000n, format: 'BinarySI' }),
    claim.storageClass || '-',
    claim.volume || '-',
    claim.pods.join(',') || '-',
    cut(claim.message, columns, 90),
  ]
}

function nodeRow(node: NodeStatus, { columns, ink }: TableOptions): readonly string[] {
  const { connected, address, message } = node.router
  return [
    node.name,
    node.reachable ? ink.green('Ready') : ink.red(`NotReady: ${cut(node.message, columns, 80)}`),
    node.engineVersion || '-',
    String(node.cpus),
    `${(node.memoryBytes / 1_073_741_824).toFixed(1)}Gi`,
    String(node.pods),
    connected ? address : ink.yellow(cut(message || 'not connected', columns, 80)),
  ]
}

function quotaRow({ namespace, name, resources }: QuotaStatus): readonly string[] {
  return [namespace, name, resources.map(({ resource, hard, used }) => `${resource} ${used}/${hard}`).join(', ')]
}

function unenforcedRows({ unenforced }: ClusterStatus): readonly { readonly cells: readonly string[] }[] {
  return unenforced.map(({ key, file, line, reasons }) => {
    const { kind, namespace, name } = splitKey(key)
    const object = [kind.toLowerCase(), namespace, name].filter((part) => part !== '').join('/')
    return { cells: [object, `${file}:${line}`, reasons.join('; ')] }
  })
}

function short(sha: string): string {
  if (sha === '') return '-'
  return sha.startsWith('folder-') ? sha.slice(0, 15) : sha.slice(0, 8)
}
