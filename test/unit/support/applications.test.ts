import { expect, test } from 'vitest'
import { type Document, listAt } from '../../support/applications/manifests.ts'
import { chooseTarget, longestDelayMs } from '../../support/applications/roll.ts'
import { missingReferences, standIn, stubbed } from '../../support/applications/stubbed.ts'

function deployment(name: string, containers: readonly object[], spec: object = {}, pod: object = {}): Document {
  const template = { metadata: { labels: { app: name } }, spec: { containers, ...pod } }
  return { kind: 'Deployment', metadata: { name }, spec: { ...spec, template } }
}

function service(name: string, port: object, spec: object = {}): Document {
  return { kind: 'Service', metadata: { name }, spec: { selector: { app: name }, ports: [port], ...spec } }
}

function env(document: Document | undefined, index = 0): Record<string, unknown> {
  const container = listAt(document, 'spec', 'template', 'spec', 'containers')[index]
  return Object.fromEntries(listAt(container, 'env').map(({ name, value }) => [name, value]))
}

test('the stub listens where ports, probes and Services say, and answers what probes ask', () => {
  const web = deployment('web', [
    {
      image: 'shop/web:7',
      command: ['run'],
      args: ['--fast'],
      ports: [{ containerPort: 8080 }, { containerPort: 53, protocol: 'UDP' }],
      livenessProbe: { httpGet: { path: '/live?full=1', port: '9000', scheme: 'HTTPS' } },
      env: [{ name: 'PORTS', value: 'theirs' }],
    },
    { image: 'shop/side:1', ports: [{ containerPort: 8080 }, { containerPort: 8081 }] },
  ])
  const [stub] = stubbed([web, service('web', { port: 80, targetPort: 3000 })])
  expect(env(stub)).toEqual({ PORTS: '8080 9000 3000', PATHS: '/ /live' })
  expect(env(stub, 1)).toEqual({ PORTS: '8081', PATHS: '/' })
  const [first] = listAt(stub, 'spec', 'template', 'spec', 'containers')
  expect(first).toMatchObject({ image: 'trireme/stub:1', livenessProbe: { httpGet: { scheme: 'HTTP', port: '9000' } } })
  expect(Object.keys(first ?? {})).not.toContain('command')
})

test('probes that a stub cannot answer ask whether its port is open', () => {
  const exec = { exec: { command: ['redis-cli', 'ping'] } }
  const [stub] = stubbed([
    deployment('db', [
      { image: 'a', ports: [{ containerPort: 6379 }], readinessProbe: { ...exec, periodSeconds: 7 } },
      { image: 'b', livenessProbe: exec },
      { image: 'c', startupProbe: { grpc: { port: 5000 } }, lifecycle: { preStop: exec, postStart: exec } },
    ]),
  ])
  expect(listAt(stub, 'spec', 'template', 'spec', 'containers')).toMatchObject([
    { readinessProbe: { tcpSocket: { port: 6379 }, periodSeconds: 7 } },
    { livenessProbe: { tcpSocket: { port: 65_001 } } },
    {
      startupProbe: { tcpSocket: { port: 5000 } },
      lifecycle: { preStop: { exec: { command: ['sleep', '1'] } }, postStart: { exec: { command: ['true'] } } },
    },
  ])
  expect([0, 1, 2].map((index) => env(stub, index).PORTS)).toEqual(['6379', '65001', '5000'])
})

test('what the repository does not bring is made with the keys that are read, unless it is optional', () => {
  const variable = (name: string, key: string, more = {}) => ({ valueFrom: { secretKeyRef: { name, key, ...more } } })
  const volumes = [{ configMap: { name: 'conf', items: [{ key: 'a.conf' }] } }, { secret: { secretName: 'tls' } }]
  const missing = missingReferences([
    deployment('web', [{ env: [variable('db', 'user'), variable('db', 'pw'), variable('maybe', 'x', { optional: true })] }]),
    deployment('side', [{ envFrom: [{ configMapRef: { name: 'here' } }] }], {}, { volumes }),
    { kind: 'ConfigMap', metadata: { name: 'here' } },
  ])
  expect(missing.map(({ kind, name, keys }) => `${kind}/${name}: ${keys}`)).toEqual([
    'Secret/db: user,pw',
    'ConfigMap/conf: a.conf',
    'Secret/tls: ',
  ])
  expect(standIn(missing[0]!)).toMatchObject({ kind: 'Secret', stringData: { user: 'out-of-band', pw: 'out-of-band' } })
})

test('what is rolled keeps a pod throughout, has an address, and says when it can serve', () => {
  const probe = { readinessProbe: { httpGet: { path: '/', port: 80 }, initialDelaySeconds: 30 } }
  const documents = [
    deployment('recreated', [probe], { strategy: { type: 'Recreate' } }),
    deployment('dropped', [probe], { replicas: 1, strategy: { rollingUpdate: { maxUnavailable: 1 } } }),
    deployment('headless', [probe]),
    deployment('plain', [{}, { ports: [{ name: 'http', containerPort: 80 }] }], { replicas: 2 }),
    deployment('silent', [{}]),
    deployment('refused', [probe]),
    ...['recreated', 'dropped', 'plain', 'silent', 'refused'].map((name) => service(name, { port: 8080, targetPort: 'http' })),
    service('headless', { port: 80 }, { clusterIP: 'None' }),
  ]
  const runnable = new Set(['recreated', 'dropped', 'headless', 'plain'].map((name) => `Deployment/default/${name}`))
  const target = chooseTarget(documents, runnable)
  expect(target).toEqual({
    workload: 'Deployment/default/plain',
    service: 'Service/default/plain',
    port: 8080,
    probed: false,
  })
  const later = new Set(['Deployment/default/silent', 'Deployment/default/refused'])
  expect(chooseTarget(documents, later)).toMatchObject({ workload: 'Deployment/default/refused', probed: true })
  expect(longestDelayMs(documents)).toBe(30_000)
})
