import { expect, test } from 'vitest'
import { LABEL } from '../../../src/reconcilers/names.ts'
import type { EnvEntry } from '../../../src/reconcilers/plan.ts'
import { linksText, linkVariables, MOST_LINKS } from '../../../src/reconcilers/servicelinks.ts'
import { Stage } from '../../support/stage.ts'
import { deployment, service } from '../../support/world.ts'

const placed = (name: string, spec: Record<string, unknown> = {}, clusterIP = '10.88.128.5') => ({
  service: service(spec, name),
  clusterIP,
})
const show = (entries: readonly EnvEntry[]): string[] => entries.map(({ name, value }) => `${name}=${String(value)}`)
const variables = (...services: ReturnType<typeof placed>[]): string[] => show(linkVariables(linksText(services)))

test('a Service is told of as the kubelet does it', () => {
  expect(variables(placed('redis-main', { ports: [{ port: 6379, targetPort: 1 }] }))).toEqual([
    'REDIS_MAIN_SERVICE_HOST=10.88.128.5',
    'REDIS_MAIN_SERVICE_PORT=6379',
    'REDIS_MAIN_PORT=tcp://10.88.128.5:6379',
    'REDIS_MAIN_PORT_6379_TCP=tcp://10.88.128.5:6379',
    'REDIS_MAIN_PORT_6379_TCP_PROTO=tcp',
    'REDIS_MAIN_PORT_6379_TCP_PORT=6379',
    'REDIS_MAIN_PORT_6379_TCP_ADDR=10.88.128.5',
  ])
})

test('each port has its variables, the first one the short ones, and a named one its name', () => {
  const ports = [
    { name: 'p-q', port: 53, protocol: 'UDP' },
    { name: 'www', port: 80 },
  ]
  expect(variables(placed('a', { ports }))).toEqual([
    'A_SERVICE_HOST=10.88.128.5',
    'A_SERVICE_PORT=53',
    'A_SERVICE_PORT_P_Q=53',
    'A_SERVICE_PORT_WWW=80',
    'A_PORT=udp://10.88.128.5:53',
    'A_PORT_53_UDP=udp://10.88.128.5:53',
    'A_PORT_53_UDP_PROTO=udp',
    'A_PORT_53_UDP_PORT=53',
    'A_PORT_53_UDP_ADDR=10.88.128.5',
    'A_PORT_80_TCP=tcp://10.88.128.5:80',
    'A_PORT_80_TCP_PROTO=tcp',
    'A_PORT_80_TCP_PORT=80',
    'A_PORT_80_TCP_ADDR=10.88.128.5',
  ])
})

test('Services without an address are not told of, and of too many the first by name are', () => {
  expect(linksText([placed('headless', {}, '')])).toBe('')
  const many = Array.from({ length: MOST_LINKS + 5 }, (_, index) => placed(`s${String(index).padStart(3, '0')}`))
  const links = linksText(many.toReversed()).split(' ')
  expect(links).toHaveLength(MOST_LINKS)
  expect([links[0], links.at(-1)]).toEqual(['s000=10.88.128.5:80/TCP', 's249=10.88.128.5:80/TCP'])
})

test('a label that somebody else has written gives no variables', () => {
  expect(linkVariables('')).toEqual([])
  expect(linkVariables('a=b c=1.2.3.4 D=1.2.3.4:80/TCP =1.2.3.4:80/TCP')).toEqual([])
})

/** A stage, and the `*_SERVICE_HOST` of each app container in the order they were made. */
function watched(spec: Record<string, unknown> = {}): { stage: Stage; told: string[][] } {
  const told: string[][] = []
  const stage = new Stage().apply(service({}, 'web'), deployment({ spec: { replicas: 1 }, template: { spec } }))
  stage.watch = (step) => {
    if (step.op !== 'create' || step.spec.labels[LABEL.containerName] !== 'app') return
    const variables = linkVariables(step.spec.links ?? '').map(({ name }) => name)
    told.push(variables.filter((name) => name.endsWith('_SERVICE_HOST')))
  }
  return { stage, told }
}

test('a pod is told of the Services that there are when it is made, and its containers keep that', () => {
  const { stage, told } = watched()
  stage.run(60_000)
  const [{ uid, hash } = { uid: '', hash: '' }] = stage.records()
  stage.apply(service({}, 'api')).run(60_000)
  expect(stage.records()).toMatchObject([{ uid, hash }])
  for (const view of stage.running()) stage.end(view)
  stage.run(60_000)
  stage.memory.clear()
  stage.restart().run(60_000)
  for (const view of stage.running()) stage.end(view)
  stage.run(60_000)
  expect(stage.records()).toMatchObject([{ uid, hash }])
  for (const view of stage.sandboxes()) stage.end(view)
  stage.run(60_000)
  expect(told).toEqual([
    ['WEB_SERVICE_HOST'],
    ['WEB_SERVICE_HOST'],
    ['WEB_SERVICE_HOST'],
    ['API_SERVICE_HOST', 'WEB_SERVICE_HOST'],
  ])
  expect(stage.records().map((record) => record.hash)).toEqual([hash])
})

test('a pod that wants no links has none, and neither has its sandbox', () => {
  const { stage, told } = watched({ enableServiceLinks: false })
  stage.run(60_000)
  expect(told).toEqual([[]])
  expect(stage.sandboxes().map(({ labels }) => labels[LABEL.services])).toEqual([undefined])
})
