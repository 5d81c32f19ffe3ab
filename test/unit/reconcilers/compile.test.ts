import { describe, expect, test } from 'vitest'
import { type CompiledPod, compilePod } from '../../../src/reconcilers/compile.ts'
import type { BoundConfig } from '../../../src/reconcilers/memory.ts'
import type { ContainerSpec } from '../../../src/reconcilers/plan.ts'
import { app, cluster, namespace, type TemplateChange, template } from '../../support/world.ts'

const config: BoundConfig = {
  configMaps: { conf: { data: { 'a.ini': 'text', 'z.ini': 'z' }, binaryData: { 'b.bin': 'AAEC' } } },
  secrets: { keys: { type: 'Opaque', data: { token: 'digest-1' } } },
}

function compiled(change: TemplateChange, nodeMemoryBytes = 2 ** 30, mountsParts = false, links = ''): CompiledPod {
  return compilePod({
    cluster: cluster(),
    uid: 'u-1',
    name: 'web-1',
    namespace,
    ip: '10.88.1.1',
    node: 'alpha',
    nodeMemoryBytes,
    nodeCpus: 4,
    mountsParts,
    owner: 'Deployment/shop/web',
    set: 'web-abc',
    hash: 'abc',
    sourceRevision: 'r1',
    template: template(change),
    config,
    links,
    units: { 'example.com/serial': ['/dev/ttyUSB0', '/dev/ttyUSB1'], 'nvidia.com/gpu': ['gpu:0', 'gpu:GPU-8f2c'] },
    memory: { z: 1, a: 2 },
  })
}

function first(change: TemplateChange, attempt = 0, imageUser = ''): ContainerSpec {
  const [container] = compiled(change).containers
  if (container === undefined) throw new Error('no container')
  return container.spec(attempt, 0, imageUser, (volume) => `/var/lib/${volume}`)
}

const container = (change: object) => first({ containers: [app(change as Record<string, unknown>)] })

describe('a container', () => {
  test('is named and labelled as the old dockershim did', () => {
    expect(first({}, 3)).toMatchObject({
      name: 'k8s_app_web-1_shop_u-1_3',
      networkMode: 'container:k8s_POD_web-1_shop_u-1_0',
      labels: {
        test: 'yes',
        'io.kubernetes.pod.name': 'web-1',
        'io.kubernetes.pod.namespace': 'shop',
        'io.kubernetes.pod.uid': 'u-1',
        'io.kubernetes.container.name': 'app',
        'io.kubernetes.docker.type': 'container',
        'trireme.cluster': 'test',
        'trireme.owner': 'Deployment/shop/web',
        'trireme.template-hash': 'abc',
        'trireme.revision': 'r1',
        'trireme.attempt': '3',
      },
    })
  })

  for (const { name, resources, want } of [
    { name: 'none', resources: {}, want: { cpuShares: 2 } },
    {
      name: 'limits',
      resources: { limits: { cpu: '1500m', memory: '64Mi' } },
      want: { cpuShares: 1536, cpuQuota: 150_000, memoryBytes: 67_108_864 },
    },
    { name: 'requests', resources: { requests: { cpu: '250m', memory: '1Gi' } }, want: { cpuShares: 256 } },
    { name: 'the smallest quota', resources: { limits: { cpu: '1m' } }, want: { cpuShares: 2, cpuQuota: 1000 } },
  ])
    test(`resources: ${name}`, () => expect(container({ resources }).resources).toEqual(want))

  for (const { name, pod, own, want } of [
    { name: 'the engine has its own', pod: {}, own: {}, want: [] },
    { name: 'none', pod: {}, own: { type: 'Unconfined' }, want: ['apparmor=unconfined'] },
    { name: 'of the node', pod: {}, own: { type: 'Localhost', localhostProfile: 'k8s-web' }, want: ['apparmor=k8s-web'] },
    { name: 'of the pod', pod: { type: 'Unconfined' }, own: {}, want: ['apparmor=unconfined'] },
    { name: 'of the container first', pod: { type: 'Unconfined' }, own: { type: 'RuntimeDefault' }, want: [] },
  ])
    test(`AppArmor profile: ${name}`, () => {
      const profiled = (profile: object) => (Object.keys(profile).length === 0 ? {} : { appArmorProfile: profile })
      const spec = { securityContext: profiled(pod) }
      expect(first({ containers: [app({ securityContext: profiled(own) })], spec }).securityOpt).toEqual(want)
    })

  for (const { name, pod, own, want } of [
    { name: 'none', pod: {}, own: { type: 'Unconfined' }, want: ['seccomp=unconfined'] },
    {
      name: 'of the operator',
      pod: { type: 'Localhost', localhostProfile: 'a/b.json' },
      own: undefined,
      want: ['seccomp=localhost/a/b.json'],
    },
    { name: 'of the container first', pod: { type: 'Unconfined' }, own: { type: 'RuntimeDefault' }, want: [] },
  ])
    test(`seccomp profile: ${name}`, () => {
      const spec = { securityContext: { seccompProfile: pod } }
      const containers = [app({ securityContext: own === undefined ? {} : { seccompProfile: own } })]
      expect(first({ containers, spec }).securityOpt).toEqual(want)
    })

  test('all of /proc, where it is asked for', () => {
    expect(container({ securityContext: { procMount: 'Unmasked' } }).unmaskedProc).toBe(true)
    expect(container({}).unmaskedProc).toBeUndefined()
  })

  test('a container has its share of what its pod holds, and nothing where it asks for none', () => {
    expect(container({ resources: { limits: { 'nvidia.com/gpu': '2' } } })).toMatchObject({ gpus: ['0', 'GPU-8f2c'] })
    expect(container({})).not.toMatchObject({ gpus: expect.anything() })
    const asking = (name: string, change: object = {}): Record<string, unknown> =>
      app({ name, resources: { limits: { 'example.com/serial': '1' } }, ...change })
    const containers = [app({ name: 'none' }), asking('last')]
    const initContainers = [asking('before'), asking('beside', { restartPolicy: 'Always' }), asking('after')]
    const devices = compiled({ containers, spec: { initContainers } }).containers.map((one) => [
      one.name,
      one.spec(0, 0, '', () => undefined).devices,
    ])
    // What runs once uses what those get that come after it.
    expect(devices).toEqual([
      ['before', ['/dev/ttyUSB0']],
      ['beside', ['/dev/ttyUSB0']],
      ['after', ['/dev/ttyUSB1']],
      ['none', undefined],
      ['last', ['/dev/ttyUSB1']],
    ])
  })

  for (const { name, change, want } of [
    { name: 'the image decides', change: {}, want: { entrypoint: undefined, cmd: undefined } },
    { name: 'args keep the entrypoint of the image', change: { args: ['x'] }, want: { entrypoint: undefined, cmd: ['x'] } },
    { name: 'a command takes the place of both', change: { command: ['sh'] }, want: { entrypoint: ['sh'], cmd: [] } },
    {
      name: 'variables are expanded',
      change: { args: ['$(A)-$$(A)'], env: [{ name: 'A', value: '1' }] },
      want: { entrypoint: undefined, cmd: ['1-$(A)'] },
    },
  ])
    test(`command: ${name}`, () => {
      const { entrypoint, cmd } = container(change)
      expect({ entrypoint, cmd }).toEqual(want)
    })

  for (const { name, pod, own, image, want } of [
    { name: 'none', pod: {}, own: {}, image: '1000', want: undefined },
    { name: 'of the pod', pod: { runAsUser: 5 }, own: {}, image: '', want: '5' },
    { name: 'of the container first', pod: { runAsUser: 5, runAsGroup: 6 }, own: { runAsUser: 7 }, image: '', want: '7:6' },
    { name: 'a group alone keeps the user of the image', pod: { runAsGroup: 6 }, own: {}, image: '1000:9', want: '1000:6' },
    { name: 'a group alone, and the image runs as root', pod: { runAsGroup: 6 }, own: {}, image: '', want: '0:6' },
  ])
    test(`user: ${name}`, () =>
      expect(first({ containers: [app({ securityContext: own })], spec: { securityContext: pod } }, 0, image).user).toBe(want))

  test('has what its security context says', () => {
    const securityContext = {
      capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
    }
    const spec = { securityContext: { fsGroup: 7, supplementalGroups: [7, 8] } }
    expect(first({ containers: [app({ securityContext })], spec })).toMatchObject({
      capAdd: ['NET_BIND_SERVICE'],
      capDrop: ['ALL'],
      readonlyRootfs: true,
      securityOpt: ['no-new-privileges'],
      groupAdd: ['7', '8'],
    })
  })
})

describe("an engine's own shutdown", () => {
  for (const { terminationGracePeriodSeconds, sandbox } of [
    { terminationGracePeriodSeconds: 120, sandbox: 10 },
    { terminationGracePeriodSeconds: 2, sandbox: 2 },
  ])
    test(`grants containers their ${terminationGracePeriodSeconds} s, and is held up by sandboxes for ${sandbox}`, () => {
      const change = { spec: { terminationGracePeriodSeconds } }
      expect(first(change).stopTimeoutSeconds).toBe(terminationGracePeriodSeconds)
      expect(compiled(change).sandbox.stopTimeoutSeconds).toBe(sandbox)
    })
})

describe('the sandbox', () => {
  test('whose volumes are removed while it is being made brings them as they were: ours, and in memory where they hold secrets', () => {
    const { sandbox, volumes } = compiled({
      spec: { volumes: [{ name: 'keys', secret: { secretName: 'keys', optional: true } }] },
    })
    expect(sandbox.mounts.map(({ volume }) => volume)).toEqual(volumes.map(({ volume }) => volume))
    expect(sandbox.mounts[0]?.volume).toMatchObject({ driverOpts: { type: 'tmpfs' }, labels: { 'trireme.role': 'volume' } })
  })

  test('holds the address, the name and what resolves names', () => {
    expect(compiled({}).sandbox).toMatchObject({
      name: 'k8s_POD_web-1_shop_u-1_0',
      hostname: 'web-1',
      networkMode: 'trireme-test',
      ip: '10.88.1.1',
      restartPolicy: 'always',
      dns: ['10.88.128.10'],
      dnsSearch: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
      dnsOptions: ['ndots:5'],
      capDrop: ['ALL'],
    })
  })

  test('remembers its pod in one canonical text', () =>
    expect(compiled({}).sandbox.labels['trireme.memory']).toBe('{"a":2,"z":1}'))

  for (const { name, spec, want } of [
    {
      name: 'its own host name and subdomain',
      spec: { hostname: 'db-0', subdomain: 'db' },
      want: { hostname: 'db-0', domainname: 'db.shop.svc.cluster.local' },
    },
    {
      name: 'further name servers',
      spec: { dnsConfig: { nameservers: ['1.1.1.1'], searches: ['x.org'], options: [{ name: 'ndots', value: '2' }] } },
      want: {
        dns: ['10.88.128.10', '1.1.1.1'],
        dnsSearch: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'x.org'],
        dnsOptions: ['ndots:2'],
      },
    },
    {
      name: 'no cluster names at all',
      spec: { dnsPolicy: 'None', dnsConfig: { nameservers: ['1.1.1.1'] } },
      want: { dns: ['1.1.1.1'], dnsSearch: [], dnsOptions: [] },
    },
    {
      name: 'host aliases',
      spec: { hostAliases: [{ ip: '10.0.0.1', hostnames: ['a', 'b'] }] },
      want: { extraHosts: ['a:10.0.0.1', 'b:10.0.0.1'] },
    },
  ])
    test(name, () => expect(compiled({ spec }).sandbox).toMatchObject(want))
})

describe('an emptyDir of huge pages', () => {
  const pages = (limits: object, more: object = {}) => app({ resources: { limits: { memory: '1Gi', ...limits } }, ...more })
  const options = (medium: string, containers: readonly object[], more: object = {}, init: readonly object[] = []) =>
    compiled({
      containers: containers as never,
      spec: { volumes: [{ name: 'v', emptyDir: { medium, ...more } }], initContainers: init },
    }).volumes[0]?.volume?.driverOpts
  const two = [pages({ 'hugepages-2Mi': '64Mi' }), pages({ 'hugepages-2Mi': '2Mi' }, { name: 'b' })]
  const both = [pages({ 'hugepages-2Mi': '64Mi', 'hugepages-1Gi': '1Gi' })]
  const made = (pagesize: number, size: number) => ({
    type: 'hugetlbfs',
    device: 'hugetlbfs',
    o: `mode=1777,pagesize=${pagesize},size=${size}`,
  })
  const mebibyte = 2 ** 20

  for (const { name, got, want } of [
    { name: 'all its pod may have', got: options('HugePages', two), want: made(2 * mebibyte, 66 * mebibyte) },
    { name: 'of the size it names', got: options('HugePages-1Gi', both), want: made(2 ** 30, 2 ** 30) },
    {
      name: 'no more than its own limit',
      got: options('HugePages-2Mi', both, { sizeLimit: '4Mi' }),
      want: made(2 * mebibyte, 4 * mebibyte),
    },
    {
      name: 'a limit of 0 is none',
      got: options('HugePages-2Mi', both, { sizeLimit: 0 }),
      want: made(2 * mebibyte, 64 * mebibyte),
    },
    {
      name: 'as many as there are at once',
      got: options('HugePages', [two[1]!], {}, [pages({ 'hugepages-2Mi': '8Mi' }, { name: 'init' })]),
      want: made(2 * mebibyte, 8 * mebibyte),
    },
  ])
    test(name, () => expect(got).toEqual(want))
})

describe('an emptyDir in memory without a limit of its own', () => {
  const limited = (memory: string | undefined, name: string) => ({
    ...app({ resources: memory === undefined ? {} : { limits: { memory } } }),
    name,
  })
  for (const { limits, size } of [
    { limits: ['64Mi', '32Mi'], size: ',size=100663296' },
    { limits: ['64Mi', undefined], size: '' },
  ])
    test(`is as large as all containers may be, limits ${limits.join()}`, () => {
      const containers = limits.map((limit, at) => limited(limit, `c${at}`))
      const { volumes } = compiled({ containers, spec: { volumes: [{ name: 'v', emptyDir: { medium: 'Memory' } }] } })
      expect(volumes[0]?.volume?.driverOpts.o).toBe(`mode=1777${size}`)
    })
})

describe('volumes', () => {
  const volume = (source: object) => compiled({ spec: { volumes: [{ name: 'v', ...source }] } }).volumes[0]
  for (const { name, source, files, options } of [
    { name: 'emptyDir', source: { emptyDir: {} }, files: [], options: {} },
    {
      name: 'emptyDir in memory',
      source: { emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
      files: [],
      options: { type: 'tmpfs', device: 'tmpfs', o: 'mode=1777,size=1048576' },
    },
    { name: 'configMap', source: { configMap: { name: 'conf' } }, files: ['a.ini 644', 'b.bin 644', 'z.ini 644'], options: {} },
    {
      name: 'configMap, items with paths and modes',
      source: {
        configMap: {
          name: 'conf',
          defaultMode: 0o400,
          items: [
            { key: 'a.ini', path: 'etc/a' },
            { key: 'z.ini', path: 'b', mode: 0o755 },
          ],
        },
      },
      files: ['b 755', 'etc/a 400'],
      options: {},
    },
    {
      name: 'secret, never on a disk',
      source: { secret: { secretName: 'keys' } },
      files: ['token 644'],
      options: { type: 'tmpfs', device: 'tmpfs', o: 'mode=0755' },
    },
    {
      name: 'projected: later sources count over earlier ones',
      source: {
        projected: {
          defaultMode: 0o440,
          sources: [
            { configMap: { name: 'conf' } },
            { configMap: { name: 'conf', items: [{ key: 'z.ini', path: 'a.ini', mode: 0o400 }] } },
            { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
          ],
        },
      },
      files: ['a.ini 400', 'b.bin 440', 'labels 440', 'z.ini 440'],
      options: {},
    },
    {
      name: 'projected with a secret, never on a disk',
      source: { projected: { sources: [{ secret: { name: 'keys' } }, { configMap: { name: 'conf', items: [] } }] } },
      files: ['token 644'],
      options: { type: 'tmpfs', device: 'tmpfs', o: 'mode=0755' },
    },
    {
      name: 'a claim that dies with its pod',
      source: { ephemeral: { volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'] } } } },
      files: [],
      options: {},
    },
    {
      name: 'a share of an NFS server',
      source: { nfs: { server: '10.0.0.9', path: '/x', readOnly: true } },
      files: [],
      options: { type: 'nfs', o: 'addr=10.0.0.9,ro', device: ':/x' },
    },
    {
      name: 'an optional map that is not there',
      source: { configMap: { name: 'none', optional: true } },
      files: [],
      options: {},
    },
  ])
    test(name, () => {
      const made = volume(source)
      expect(made?.files.map(({ path, mode }) => `${path} ${mode.toString(8)}`)).toEqual(files)
      expect(made?.volume?.driverOpts).toEqual(options)
      expect(made?.source).toBe('trireme-test-u-1-v')
    })

  test('a secret file names its value by digest alone', () => {
    expect(volume({ secret: { secretName: 'keys' } })?.files).toEqual([
      {
        path: 'token',
        mode: 0o644,
        digest: 'digest-1',
        content: { secret: { namespace, name: 'keys', key: 'token', digest: 'digest-1' } },
      },
    ])
  })

  for (const { name, source, mount, want } of [
    {
      name: 'an emptyDir can be written',
      source: { emptyDir: {} },
      mount: {},
      want: { type: 'volume', source: 'trireme-test-u-1-v', target: '/m', readOnly: false },
    },
    {
      name: 'config cannot',
      source: { configMap: { name: 'conf' } },
      mount: {},
      want: { type: 'volume', source: 'trireme-test-u-1-v', target: '/m', readOnly: true },
    },
    {
      name: 'a share that is read-only',
      source: { nfs: { server: 'nas', path: '/x', readOnly: true } },
      mount: {},
      want: { type: 'volume', source: 'trireme-test-u-1-v', target: '/m', readOnly: true },
    },
    {
      name: 'a claim',
      source: { persistentVolumeClaim: { claimName: 'data' } },
      mount: {},
      want: { type: 'volume', source: 'trireme-test-claim-shop_data', target: '/m', readOnly: false },
    },
    {
      name: 'a claim that the pod may only read',
      source: { persistentVolumeClaim: { claimName: 'data', readOnly: true } },
      mount: {},
      want: { type: 'volume', source: 'trireme-test-claim-shop_data', target: '/m', readOnly: true },
    },
    {
      name: 'a part of a claim',
      source: { persistentVolumeClaim: { claimName: 'data' } },
      mount: { subPath: './a//b/' },
      want: { type: 'bind', source: '/var/lib/trireme-test-claim-shop_data/a/b', target: '/m', readOnly: false },
    },
    {
      name: 'a part that is named by variables',
      source: { emptyDir: {} },
      mount: { subPathExpr: '$(POD)/logs' },
      want: { type: 'bind', source: '/var/lib/trireme-test-u-1-v/web-1/logs', target: '/m', readOnly: false },
    },
    {
      name: 'a folder of the node that is there',
      source: { hostPath: { path: '/srv', type: 'Directory' } },
      mount: { readOnly: true },
      want: { type: 'bind', source: '/srv', target: '/m', readOnly: true },
    },
    {
      name: 'a folder of the node that is made, and shares its mounts',
      source: { hostPath: { path: '/srv' } },
      mount: { mountPropagation: 'HostToContainer' },
      want: { type: 'bind', source: '/srv', target: '/m', readOnly: false, create: true, propagation: 'rslave' },
    },
    {
      name: 'a part of a volume',
      source: { configMap: { name: 'conf' } },
      mount: { subPath: 'a.ini' },
      want: { type: 'bind', source: '/var/lib/trireme-test-u-1-v/a.ini', target: '/m', readOnly: true },
    },
  ])
    test(`mounted: ${name}`, () => {
      const env = [{ name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }]
      const containers = [app({ env, volumeMounts: [{ name: 'v', mountPath: '/m', ...mount }] })]
      expect(first({ containers, spec: { volumes: [{ name: 'v', ...source }] } }).mounts).toEqual([want])
    })
})

describe('a part of a volume', () => {
  const volumes = [{ name: 'v', emptyDir: {} }]
  const mounting = (mount: object, env: readonly object[] = []) => [
    app({ env, volumeMounts: [{ name: 'v', mountPath: '/m', ...mount }] }),
  ]

  test('is mounted by an engine that can do it itself', () => {
    const [made] = compiled({ containers: mounting({ subPath: 'a' }), spec: { volumes } }, 0, true).containers
    expect(made?.spec(0, 0, '', () => undefined).mounts).toEqual([
      { type: 'volume', source: 'trireme-test-u-1-v', target: '/m', readOnly: false, part: 'a' },
    ])
  })

  test.each([
    ['a variable that is not there', '$(NONE)', []],
    ['a way out', '$(UP)', [{ name: 'UP', value: '../x' }]],
    ['a place of the node', '$(ROOT)', [{ name: 'ROOT', value: '/etc' }]],
    ['a secret', '$(KEY)', [{ name: 'KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } }]],
  ])('that %s names is never made', (_, subPathExpr, env) => {
    const [made] = compiled({ containers: mounting({ subPathExpr }, env), spec: { volumes } }).containers
    expect(made?.unfit).toContain(`the subPathExpr "${subPathExpr}" of the mount of v gives no part of a volume`)
  })
})

test('files tell a pod about itself', () => {
  const items = [
    { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
    { path: 'note', fieldRef: { fieldPath: "metadata.annotations['note']" } },
    { path: 'name', fieldRef: { fieldPath: 'metadata.name' } },
    { path: 'cpu', resourceFieldRef: { containerName: 'app', resource: 'limits.cpu', divisor: '1m' } },
    { path: 'cpus', resourceFieldRef: { containerName: 'app', resource: 'limits.cpu' } },
    { path: 'memory', resourceFieldRef: { containerName: 'app', resource: 'limits.memory', divisor: '1Mi' } },
    { path: 'request', resourceFieldRef: { containerName: 'app', resource: 'requests.memory' } },
  ]
  const { volumes } = compiled({
    labels: { b: '2', a: 'x"y' },
    annotations: { note: 'n' },
    containers: [app({ resources: { limits: { cpu: '1500m' }, requests: { memory: '1Ki' } } })],
    spec: { volumes: [{ name: 'v', downwardAPI: { items } }] },
  })
  const text = volumes[0]?.files.map(({ path, content }) => `${path}: ${'text' in content ? content.text : ''}`)
  expect(text).toEqual([
    'cpu: 1500',
    'cpus: 2',
    'labels: a="x\\"y"\nb="2"',
    'memory: 1024',
    'name: web-1',
    'note: n',
    'request: 1024',
  ])
})

test('pull credentials are named by digest', () => {
  const bound = {
    ...config,
    secrets: { pull: { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': 'digest-9', other: 'digest-8' } } },
  }
  const { pullSecrets } = compilePod({
    cluster: cluster(),
    uid: 'u',
    name: 'web',
    namespace,
    ip: '10.88.1.1',
    node: 'alpha',
    nodeMemoryBytes: 0,
    nodeCpus: 0,
    mountsParts: false,
    owner: 'o',
    set: 's',
    hash: 'h',
    sourceRevision: 'r',
    template: template({ spec: { imagePullSecrets: [{ name: 'pull' }, { name: 'missing' }] } }),
    config: bound,
    links: '',
    units: {},
    memory: {},
  })
  expect(pullSecrets).toEqual([{ namespace, name: 'pull', key: '.dockerconfigjson', digest: 'digest-9' }])
})

describe('what a pod shares', () => {
  const sandbox = 'container:k8s_POD_web-1_shop_u-1_0'
  const host = { networkMode: 'host', ip: undefined, hostname: undefined, portBindings: [] }
  for (const { name, spec, ofSandbox, ofContainer } of [
    {
      name: 'nothing but its network',
      spec: {},
      ofSandbox: {
        init: false,
        entrypoint: undefined,
        runtime: undefined,
        hostname: 'web-1',
        domainname: undefined,
        securityOpt: ['no-new-privileges', 'seccomp=unconfined'],
      },
      ofContainer: { networkMode: sandbox, pidMode: undefined, ipcMode: undefined, runtime: undefined, stopSignal: undefined },
    },
    {
      name: 'its processes, whose first one reaps and ignores the signal to end',
      spec: { shareProcessNamespace: true },
      ofSandbox: {
        init: true,
        entrypoint: ['sh', '-c', "trap '' TERM; exec sleep infinity"],
        securityOpt: ['no-new-privileges'],
      },
      ofContainer: { pidMode: sandbox },
    },
    {
      name: 'a part of what its containers write, which the sandbox makes',
      spec: {
        volumes: [{ name: 'data', emptyDir: {} }],
        containers: [app({ volumeMounts: [{ name: 'data', mountPath: '/data', subPath: 'db' }] })],
      },
      ofSandbox: { capAdd: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID'], securityOpt: ['no-new-privileges'] },
      ofContainer: {},
    },
    {
      name: 'the network of its node, and its resolver',
      spec: { hostNetwork: true, containers: [app({ ports: [{ containerPort: 80, hostPort: 80 }] })] },
      ofSandbox: { ...host, dns: [], dnsSearch: [] },
      ofContainer: { networkMode: sandbox },
    },
    {
      name: 'the network of its node, and names of the cluster',
      spec: { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' },
      ofSandbox: { ...host, dns: [cluster().dnsAddress] },
      ofContainer: {},
    },
    {
      name: 'the processes and the memory of its node',
      spec: { hostPID: true, hostIPC: true },
      ofSandbox: { init: false, pidMode: undefined },
      ofContainer: { pidMode: 'host', ipcMode: 'host' },
    },
    {
      name: 'a runtime of its engine',
      spec: { runtimeClassName: 'gvisor' },
      ofSandbox: { runtime: 'gvisor' },
      ofContainer: { runtime: 'gvisor' },
    },
    {
      name: 'its full name',
      spec: { hostname: 'db', subdomain: 'dbs', setHostnameAsFQDN: true },
      ofSandbox: { hostname: 'db.dbs.shop.svc.cluster.local', domainname: undefined },
      ofContainer: {},
    },
    {
      name: 'its short name where it has no other',
      spec: { setHostnameAsFQDN: true },
      ofSandbox: { hostname: 'web-1', domainname: undefined },
      ofContainer: {},
    },
    {
      name: 'a name of somebody else',
      spec: { hostname: 'db', subdomain: 'dbs', hostnameOverride: 'db.example.com' },
      ofSandbox: { hostname: 'db.example.com', domainname: undefined },
      ofContainer: {},
    },
    {
      name: 'a signal of its own',
      spec: { containers: [app({ lifecycle: { stopSignal: 'SIGQUIT' } })] },
      ofSandbox: {},
      ofContainer: { stopSignal: 'SIGQUIT' },
    },
  ])
    test(name, () => {
      const expected = (values: object): object =>
        Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
      const absent = (values: object): string[] => Object.keys(values).filter((key) => values[key as never] === undefined)
      for (const [made, want] of [
        [compiled({ spec }).sandbox, ofSandbox],
        [first({ spec }), ofContainer],
      ] as const) {
        expect(made).toMatchObject(expected(want))
        for (const key of absent(want)) expect(made, key).not.toHaveProperty(key)
      }
    })
})
