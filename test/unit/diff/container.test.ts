import { expect, test } from 'vitest'
import { diffContainer } from '../../../src/diff/container.ts'
import type { ContainerView } from '../../../src/runtime/engine.ts'
import { containerConfig } from '../../support/container.ts'

const spec = {
  ...containerConfig({
    name: 'k8s_POD_web_shop_u1_0',
    image: 'node:1',
    restartPolicy: 'always',
    resources: { memoryBytes: 64 * 1024 * 1024, cpuQuota: 25_000 },
    networkMode: 'pods',
    ip: '10.1.0.7',
  }),
  env: [],
}

const view: ContainerView = {
  id: 'c1',
  name: spec.name,
  image: 'node:1',
  imageId: 'sha256:1',
  labels: {},
  state: 'running',
  exitCode: 0,
  oomKilled: false,
  error: '',
  createdAt: 1,
  startedAt: 2,
  finishedAt: 0,
  restartCount: 0,
  restartPolicy: 'always',
  resources: spec.resources,
  networkMode: 'pods',
  networks: { pods: { networkId: 'n1', ip: '10.1.0.7', requestedIp: '10.1.0.7' } },
  mounts: [],
  pid: 42,
}

const attached = (ip: string, requestedIp: string) => ({ pods: { networkId: 'n1', ip, requestedIp } })

for (const { name, seen, want } of [
  { name: 'as it was made', seen: {}, want: [] },
  { name: 'paused', seen: { state: 'paused' }, want: ['paused state: drift: paused'] },
  { name: 'renamed', seen: { name: 'mine' }, want: ['renamed name: drift: name is mine, not k8s_POD_web_shop_u1_0'] },
  {
    name: 'memory raised',
    seen: { resources: { ...spec.resources, memoryBytes: 128 * 1024 * 1024 } },
    want: ['resources resources.memoryBytes: drift: memory limit is 128Mi, not 64Mi'],
  },
  {
    name: 'an odd amount is told exactly',
    seen: { resources: { ...spec.resources, memoryBytes: 64 * 1024 * 1024 + 1 } },
    want: ['resources resources.memoryBytes: drift: memory limit is 67108865, not 64Mi'],
  },
  {
    name: 'limits lifted and shares set',
    seen: { resources: { memoryBytes: -1, cpuQuota: 0, cpuShares: 512 } },
    want: [
      'resources resources.memoryBytes: drift: memory limit is unlimited, not 64Mi',
      'resources resources.cpuQuota: drift: cpu limit is unlimited, not 250m',
      'resources resources.cpuShares: drift: cpu shares are 512, not the default',
    ],
  },
  {
    name: 'cpu limit changed',
    seen: { resources: { ...spec.resources, cpuQuota: 150_000 } },
    want: ['resources resources.cpuQuota: drift: cpu limit is 1500m, not 250m'],
  },
  {
    name: 'restart policy changed',
    seen: { restartPolicy: 'no' },
    want: ['restartPolicy restartPolicy: drift: restart policy is no, not always'],
  },
  { name: 'disconnected', seen: { networks: {} }, want: ['network networks[pods]: drift: not attached to network pods'] },
  {
    name: 'reconnected at another address',
    seen: { networks: attached('10.1.0.9', '') },
    want: ['network networks[pods].ip: drift: address is 10.1.0.9, not 10.1.0.7'],
  },
  { name: 'stopped, with its address kept for it', seen: { state: 'exited', networks: attached('', '10.1.0.7') }, want: [] },
  {
    name: 'stopped and reconnected without an address',
    seen: { state: 'exited', networks: attached('', '') },
    want: ['network networks[pods].ip: drift: address is left to Docker, not 10.1.0.7'],
  },
  {
    name: 'attached to one network more',
    seen: { networks: { ...view.networks, other: { networkId: 'n2', ip: '172.17.0.2', requestedIp: '' } } },
    want: [],
  },
] as { name: string; seen: Partial<ContainerView>; want: string[] }[]) {
  test(`diffContainer: ${name}`, () => {
    const differences = diffContainer(spec, { ...view, ...seen })
    expect(differences.map(({ kind, path, phrase }) => `${kind} ${path}: ${phrase}`)).toEqual(want)
  })
}

test('absent, zero and negative limits are one and the same, and so is the default weight', () => {
  const unlimited = { ...spec, resources: {} }
  for (const resources of [{}, { memoryBytes: 0, cpuQuota: 0, cpuShares: 0 }, { memoryBytes: -1, cpuQuota: -1, cpuShares: 1024 }])
    expect(diffContainer(unlimited, { ...view, resources })).toEqual([])
})

test('a container in the namespace of another has no network of its own to lose', () => {
  for (const networkMode of ['container:abc', 'none', 'host'])
    expect(diffContainer({ ...spec, networkMode }, { ...view, networks: {} })).toEqual([])
})

test('the restart policy that holds now may be another than at the making', () => {
  expect(diffContainer(spec, { ...view, restartPolicy: 'no' }, 'no')).toEqual([])
  expect(diffContainer(spec, view, 'no')).toMatchObject([{ expected: 'no', observed: 'always' }])
})

test('a network named like an inherited property is not taken for attached', () => {
  expect(diffContainer({ ...spec, networkMode: 'constructor' }, view)).toMatchObject([{ kind: 'network', observed: null }])
})
