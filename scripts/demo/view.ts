/** What the live demo shows: one picture for a terminal, or lines of what has changed. Pure. */
import { brief, renderTable } from '../../src/cli/table.ts'
import type { ClusterStatus, PodStatus, ServiceStatus, WorkloadStatus } from '../../src/reconcilers/status.ts'

/** Revision, rollouts, pods and addresses, each line at most `columns` wide; ends with a newline. */
export function renderView(status: ClusterStatus, columns: number): string {
  const rows = [
    ['DEPLOYMENT', 'READY', 'UPDATED', 'STATE'],
    ...status.workloads.map((each) => [each.name, `${each.ready}/${each.desired}`, String(each.updated), stateOf(each)]),
  ]
  const pods = status.workloads.flatMap((workload) => workload.pods)
  const tables = [
    rows,
    [['POD', 'STATE', 'ADDRESS', 'IMAGE', 'RESTARTS'], ...pods.map(podRow)],
    [['SERVICE', 'ADDRESS', 'ON THIS HOST', 'PODS BEHIND IT'], ...status.services.map(serviceRow)],
  ]
  const text = [`${revisionLine(status)}\n`, ...tables.map(([head = [], ...body]) => renderTable(head, body))].join('\n')
  return text.replace(/.+/g, (line) => brief(line, columns))
}

function revisionLine({ sources }: ClusterStatus): string {
  const [source] = sources
  if (source === undefined || source.attempted === '') return 'revision: none yet'
  const verdict = source.healthy === source.attempted ? 'healthy' : `on its way (healthy: ${short(source.healthy)})`
  const trouble = source.error || source.problems[0] || ''
  return `revision ${short(source.attempted)} "${source.message}": ${trouble === '' ? verdict : trouble}`
}

function short(sha: string): string {
  return sha === '' ? 'none' : sha.slice(0, 7)
}

function stateOf({ condition, message }: WorkloadStatus): string {
  return message === '' ? condition : `${condition}: ${message}`
}

function podRow(pod: PodStatus): string[] {
  return [pod.name, podState(pod), pod.ip || '-', pod.containers.map(({ image }) => image).join(), String(pod.restarts)]
}

function podState({ terminating, ready, reason, phase }: PodStatus): string {
  if (terminating) return 'Terminating'
  return ready ? 'Ready' : reason || phase
}

function serviceRow({ name, clusterIP, ports, endpoints, condition }: ServiceStatus): string[] {
  const [port] = ports
  const onHost = port === undefined || port.nodePort === 0 ? '-' : `http://127.0.0.1:${port.nodePort}`
  const ready = endpoints.filter(({ ready }) => ready).map(({ ip }) => ip)
  return [name, `${clusterIP || '-'}:${port?.port}`, onHost, ready.join(' ') || condition]
}

/** One line for each thing that is not as it was; `before` is undefined at first. */
export function renderChanges(before: ClusterStatus | undefined, after: ClusterStatus): string[] {
  const known = before === undefined ? new Map<string, string>() : factsOf(before)
  const facts = factsOf(after)
  const gone = [...known.keys()].filter((key) => !facts.has(key))
  return [
    ...[...facts].filter(([key, fact]) => known.get(key) !== fact).map(([key, fact]) => `${key}: ${fact}`),
    ...gone.map((key) => `${key}: gone`),
  ]
}

function factsOf(status: ClusterStatus): Map<string, string> {
  const { sources, workloads, services } = status
  const pods = workloads.flatMap((workload) => workload.pods)
  return new Map([
    ...(sources.length === 0 ? [] : [['source', revisionLine(status)] as const]),
    ...workloads.map((each): [string, string] => [
      `deployment ${each.name}`,
      `${each.ready}/${each.desired} ready, ${each.updated} updated, ${stateOf(each)}`,
    ]),
    ...pods.map((pod): [string, string] => {
      const [, state = '', address = '', image = '', restarts = ''] = podRow(pod)
      return [`pod ${pod.name}`, `${state}, ${address}, ${image}${restarts === '0' ? '' : `, ${restarts} restarts`}`]
    }),
    ...services.map((service): [string, string] => {
      const [, address, onHost, pods] = serviceRow(service)
      return [`service ${service.name}`, `${address}${onHost === '-' ? '' : `, ${onHost}`} → ${pods}`]
    }),
  ])
}
