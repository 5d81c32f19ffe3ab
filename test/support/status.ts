/** Builders of statuses: a healthy cluster to start from, and pieces to change in it. */
import type {
  ClaimStatus,
  ClusterStatus,
  ContainerStatus,
  CronJobStatus,
  JobStatus,
  NodeStatus,
  PodStatus,
  ServiceStatus,
  SetStatus,
  SourceStatus,
  WorkloadStatus,
} from '../../src/reconcilers/status.ts'

/** 2026-01-01T00:00:00Z */
export const epochMs = 1_767_225_600_000
export const newSha = 'b1b2b3b4b5b6b7b8b9b0b1b2b3b4b5b6b7b8b9b0'
export const oldSha = 'a1a2a3a4a5a6a7a8a9a0a1a2a3a4a5a6a7a8a9a0'

export function container(change: Partial<ContainerStatus> = {}): ContainerStatus {
  return {
    name: 'app',
    role: 'main',
    image: 'registry.example/web:2',
    containerId: 'c0ffee00',
    state: 'running',
    reason: '',
    message: '',
    ready: true,
    started: true,
    restarts: 0,
    exitCode: 0,
    startedAt: epochMs + 2_000,
    lastTermination: null,
    lastProbeAnswer: 'HTTP 200',
    logTail: [],
    requests: { cpuCores: 0.1, memoryBytes: 67_108_864, extended: { 'nvidia.com/gpu': 1 } },
    limits: { cpuCores: 0.5, memoryBytes: 134_217_728, extended: { 'nvidia.com/gpu': 1 } },
    ...change,
  }
}

export function pod(change: Partial<PodStatus> = {}): PodStatus {
  return {
    uid: '00000000-0000-4000-8000-000000000001',
    name: 'web-7c9f-x2k1q',
    namespace: 'shop',
    owner: 'Deployment/shop/web',
    set: 'web-7c9f',
    hash: '7c9f',
    node: 'alpha',
    ip: '10.88.0.10',
    hostNetwork: false,
    labels: { app: 'web', 'app.kubernetes.io/part-of': 'shop', internal: 'yes' },
    phase: 'Running',
    reason: 'Running',
    message: '',
    ready: true,
    routed: true,
    available: true,
    terminating: false,
    createdAt: epochMs + 1_000,
    readySince: epochMs + 3_000,
    restarts: 0,
    initContainers: [],
    containers: [container()],
    ...change,
  }
}

export function set(change: Partial<SetStatus> = {}): SetStatus {
  return {
    name: 'web-7c9f',
    uid: '00000000-0000-4000-8000-0000000000aa',
    hash: '7c9f',
    revision: 2,
    replicas: 1,
    current: 1,
    ready: 1,
    available: 1,
    createdAt: epochMs,
    ...change,
  }
}

export function workload(change: Partial<WorkloadStatus> = {}): WorkloadStatus {
  const { namespace = 'shop', name = 'web', kind = 'Deployment' } = change
  return {
    key: `${kind}/${namespace}/${name}`,
    kind,
    namespace,
    name,
    uid: '00000000-0000-4000-8000-0000000000bb',
    labels: { app: name },
    generation: 2,
    createdAt: epochMs,
    desired: 1,
    current: 1,
    updated: 1,
    ready: 1,
    available: 1,
    paused: false,
    maxSurge: 1,
    maxUnavailable: 0,
    revision: newSha,
    condition: 'Available',
    message: '',
    healthy: true,
    conditions: [
      { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: '', since: epochMs },
      { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable', message: '', since: epochMs },
    ],
    currentSet: 'web-7c9f',
    updateSet: 'web-7c9f',
    sets: [set()],
    pods: [pod()],
    rollout: { startedAt: epochMs, endedAt: epochMs + 4_000, result: 'complete' },
    ...change,
  }
}

/** A Job of three completions that was started at `epochMs`. */
export function jobStatus(change: Partial<JobStatus> = {}): JobStatus {
  return {
    owner: '',
    parallelism: 2,
    completions: 3,
    activeDeadlineSeconds: 0,
    active: 0,
    ready: 0,
    terminating: 0,
    succeeded: 0,
    failed: 0,
    succeededIndexes: '',
    failedIndexes: '',
    suspended: false,
    startedAt: epochMs,
    endedAt: 0,
    result: '',
    reason: '',
    ...change,
  }
}

/** A CronJob of every five minutes that was last due a minute after `epochMs`. */
export function cronJobStatus(change: Partial<CronJobStatus> = {}): CronJobStatus {
  return {
    schedule: '*/5 * * * *',
    timeZone: 'UTC',
    concurrencyPolicy: 'Allow',
    suspended: false,
    startingDeadlineSeconds: 0,
    successfulJobsHistoryLimit: 3,
    failedJobsHistoryLimit: 1,
    active: 0,
    lastScheduledAt: epochMs + 60_000,
    lastSuccessAt: 0,
    nextScheduleAt: epochMs + 300_000,
    ...change,
  }
}

export function service(change: Partial<ServiceStatus> = {}): ServiceStatus {
  const { namespace = 'shop', name = 'web' } = change
  return {
    key: `Service/${namespace}/${name}`,
    namespace,
    name,
    type: 'ClusterIP',
    labels: { app: name },
    createdAt: epochMs,
    clusterIP: '10.88.128.1',
    ports: [{ name: 'http', protocol: 'TCP', port: 80, nodePort: 0, hostPorts: [], ready: 1 }],
    externalName: '',
    endpoints: [{ pod: 'web-7c9f-x2k1q', ip: '10.88.0.10', ready: true }],
    condition: 'Ready',
    message: '',
    healthy: true,
    ...change,
  }
}

export function claim(change: Partial<ClaimStatus> = {}): ClaimStatus {
  return {
    namespace: 'shop',
    name: 'data',
    phase: 'Bound',
    volume: 'trireme-default-claim-shop_data',
    driver: 'local',
    persistentVolume: '',
    storageClass: 'standard',
    accessModes: ['ReadWriteOnce'],
    requestBytes: 1_073_741_824,
    pods: ['db-0'],
    message: '',
    ...change,
  }
}

export function node(change: Partial<NodeStatus> = {}): NodeStatus {
  return {
    name: 'alpha',
    reachable: true,
    message: '',
    engineVersion: '20.10.24',
    apiVersion: '1.41',
    kernel: '6.1.0',
    os: 'Debian GNU/Linux 12',
    architecture: 'x86_64',
    cpus: 2,
    extended: { 'nvidia.com/gpu': 2 },
    memoryBytes: 8_589_934_592,
    allocatable: { cpuCores: 1.5, memoryBytes: 6_442_450_944 },
    requested: { cpuCores: 0.25, memoryBytes: 1_073_741_824 },
    pods: 1,
    router: { connected: true, address: '10.88.0.2', message: '' },
    ...change,
  }
}

export function source(change: Partial<SourceStatus> = {}): SourceStatus {
  return {
    name: 'shop',
    repo: 'https://git.example/team/shop.git',
    branch: 'main',
    path: '.',
    attempted: newSha,
    applied: newSha,
    healthy: newSha,
    message: 'Raise the limit',
    author: 'Ada <ada@example.org>',
    committedAt: epochMs - 10_000,
    lastFetch: epochMs + 60_000,
    error: '',
    problems: [],
    pruneHeld: [],
    ...change,
  }
}

export function cluster(change: Partial<ClusterStatus> = {}): ClusterStatus {
  return {
    cluster: 'default',
    version: '0.1.0',
    startedAt: epochMs,
    sources: [source()],
    workloads: [workload()],
    services: [service()],
    claims: [],
    nodes: [node()],
    quotas: [],
    unenforced: [],
    ...change,
  }
}

/** Something of everything: healthy, rolling, crashing, unpullable, bare, finished, held. */
export function busyCluster(): ClusterStatus {
  const crashing = container({
    name: 'app',
    image: 'registry.example/cart:9',
    state: 'waiting',
    reason: 'CrashLoopBackOff',
    message: 'back-off 40s restarting failed container',
    ready: false,
    started: false,
    restarts: 4,
    exitCode: 1,
    startedAt: 0,
    lastTermination: { reason: 'Error', message: '', exitCode: 1, finishedAt: epochMs + 50_000 },
    logTail: ['cannot open /data'],
  })
  const unpullable = container({ state: 'waiting', reason: 'ImagePullBackOff', containerId: '', ready: false, started: false })
  const finished = container({
    state: 'terminated',
    reason: 'Completed',
    ready: false,
    limits: { cpuCores: 0, memoryBytes: 0, extended: {} },
  })
  const migrated = container({ ...finished, name: 'migrate', role: 'init', ready: true })
  const proxy = container({ ...crashing, name: 'proxy', role: 'sidecar' })
  return cluster({
    sources: [source({ healthy: oldSha, error: 'fetch: timeout', problems: ['x.yaml:1: bad'], pruneHeld: ['Service/shop/old'] })],
    workloads: [
      workload({
        desired: 2,
        current: 2,
        sets: [set({ replicas: 2, current: 2 }), set({ name: 'web-1a2b', replicas: 0, current: 0 })],
      }),
      workload({
        kind: 'Job',
        name: 'migrate',
        healthy: false,
        condition: 'Failed',
        sets: [],
        pods: [],
        job: jobStatus({ failed: 7, endedAt: epochMs + 40_000, result: 'Failed', reason: 'BackoffLimitExceeded' }),
      }),
      workload({
        name: 'cart',
        desired: 2,
        current: 3,
        updated: 1,
        ready: 2,
        available: 2,
        healthy: false,
        condition: 'Failed',
        message: 'cart-9-b1: CrashLoopBackOff: exit code 1',
        conditions: [
          { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: '', since: epochMs },
          { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: '', since: epochMs },
        ],
        sets: [set({ name: 'cart-9', replicas: 1, ready: 0, available: 0 })],
        pods: [
          pod({
            uid: 'u-cart',
            name: 'cart-9-b1',
            owner: 'Deployment/shop/cart',
            set: 'cart-9',
            reason: 'CrashLoopBackOff',
            ready: false,
            restarts: 4,
            containers: [crashing],
          }),
          pod({
            uid: 'u-cart-2',
            name: 'cart-9-b2',
            owner: 'Deployment/shop/cart',
            set: 'cart-9',
            phase: 'Pending',
            reason: 'ImagePullBackOff',
            ready: false,
            initContainers: [migrated, proxy],
            containers: [unpullable],
          }),
        ],
        rollout: { startedAt: epochMs, endedAt: 0, result: 'running' },
      }),
      workload({
        kind: 'StatefulSet',
        name: 'db',
        desired: 3,
        current: 3,
        ready: 2,
        available: 2,
        currentSet: 'db-old',
        updateSet: 'db-new',
        sets: [set({ name: 'db-old', current: 2 }), set({ name: 'db-new' })],
        pods: [],
      }),
      workload({ kind: 'DaemonSet', name: 'agent', desired: 2, sets: [], pods: [] }),
      workload({ kind: 'ReplicationController', name: 'older', sets: [], pods: [] }),
      workload({ kind: 'ReplicaSet', name: 'plain', sets: [set({ name: 'plain' })], pods: [] }),
      workload({
        kind: 'Pod',
        namespace: 'ops',
        name: 'once',
        sets: [],
        pods: [
          pod({
            uid: 'u-once',
            namespace: 'ops',
            name: 'once',
            owner: 'Pod/ops/once',
            set: '',
            phase: 'Succeeded',
            reason: 'Completed',
            containers: [finished],
          }),
        ],
      }),
    ],
    services: [
      service({
        endpoints: [
          { pod: 'web-7c9f-x2k1q', ip: '10.88.0.10', ready: true },
          { pod: 'web-7c9f-zzzzz', ip: '10.88.0.11', ready: false },
        ],
      }),
      service({ name: 'edge', type: 'NodePort', condition: 'PortConflict', healthy: false, message: 'port 80 is taken' }),
      service({ name: 'mail', type: 'ExternalName', externalName: 'mail.example.org', clusterIP: '', endpoints: [], ports: [] }),
    ],
    claims: [
      claim(),
      claim({
        name: 'old',
        phase: 'Retained',
        requestBytes: 0,
        accessModes: [],
        storageClass: '',
        pods: [],
        message: 'left Git',
      }),
      claim({ name: 'new', phase: 'Pending', volume: '', driver: '', pods: [], message: 'no PersistentVolume fits' }),
    ],
    nodes: [
      node(),
      node({
        name: 'beta',
        reachable: false,
        message: 'connection refused',
        router: { connected: false, address: '', message: 'engine unreachable' },
      }),
    ],
    unenforced: [
      { key: 'ServiceAccount/shop/web', file: 'sa.yaml', line: 1, reasons: ['there is no Kubernetes API to authorise'] },
    ],
  })
}
