import { describe, expect, test } from 'vitest'
import { collectState } from '../../../src/metrics/metrics.ts'
import type { ClusterStatus } from '../../../src/reconcilers/status.ts'
import {
  busyCluster,
  cluster,
  container,
  cronJobStatus,
  epochMs,
  jobStatus,
  newSha,
  node,
  oldSha,
  pod,
  service,
  source,
  workload,
} from '../../support/status.ts'

/** Samples of a metric as text: `label=value,… number`, without empty labels. */
function samples(status: ClusterStatus, name: string): string[] {
  return [...collectState(status, [])]
    .filter((each) => each.name === name)
    .map(({ labels, value }) => {
      const given = Object.entries(labels).filter(([, text]) => text !== '')
      return `${given.map(([key, text]) => `${key}=${text}`).join(',')} ${value}`
    })
}

describe('deployments', () => {
  test('unavailable is what is missing, during a surge as well', () => {
    const unavailable = (change: Parameters<typeof workload>[0]) =>
      samples(cluster({ workloads: [workload(change)] }), 'kube_deployment_status_replicas_unavailable')
    expect(unavailable({ desired: 3, current: 0, available: 0 })).toEqual(['namespace=shop,deployment=web 3'])
    expect(unavailable({ desired: 3, current: 4, available: 3 })).toEqual(['namespace=shop,deployment=web 1'])
    expect(unavailable({ desired: 0, current: 0, available: 0 })).toEqual(['namespace=shop,deployment=web 0'])
  })

  test('conditions are one of true, false and unknown', () => {
    const found = samples(busyCluster(), 'kube_deployment_status_condition').filter((line) =>
      line.includes('ProgressDeadlineExceeded'),
    )
    const of = 'namespace=shop,deployment=cart,condition=Progressing,reason=ProgressDeadlineExceeded'
    expect(found).toEqual([`${of},status=true 0`, `${of},status=false 1`, `${of},status=unknown 0`])
  })

  test('other kinds are not counted as Deployments', () => {
    expect(
      samples(cluster({ workloads: [workload({ kind: 'Pod' }), workload({ kind: 'ReplicaSet' })] }), 'kube_deployment_created'),
    ).toEqual([])
  })

  test('times are in seconds', () => {
    expect(samples(cluster(), 'kube_deployment_created')).toEqual([`namespace=shop,deployment=web ${epochMs / 1_000}`])
  })
})

test('a StatefulSet tells which revision it comes from and which it goes to, and how many pods each has', () => {
  const of = 'namespace=shop,statefulset=db'
  expect(samples(busyCluster(), 'kube_statefulset_status_current_revision')).toEqual([`${of},revision=db-old 1`])
  expect(samples(busyCluster(), 'kube_statefulset_status_update_revision')).toEqual([`${of},revision=db-new 1`])
  expect(samples(busyCluster(), 'kube_statefulset_status_replicas_current')).toEqual([`${of} 2`])
  expect(samples(busyCluster(), 'kube_statefulset_status_replicas_updated')).toEqual([`${of} 1`])
})

test('a DaemonSet is unavailable where a node has no pod that serves', () => {
  expect(samples(busyCluster(), 'kube_daemonset_status_number_unavailable')).toEqual(['namespace=shop,daemonset=agent 1'])
})

describe('Jobs and CronJobs', () => {
  const of = (...workloads: Parameters<typeof workload>[0][]) => cluster({ workloads: workloads.map(workload) })
  const job = (change: Parameters<typeof jobStatus>[0]) => of({ kind: 'Job', name: 'sums', job: jobStatus(change) })
  const sums = 'namespace=shop,job_name=sums'

  test('a Job belongs to its CronJob, or to none', () => {
    expect(samples(job({ owner: 'CronJob/shop/tick' }), 'kube_job_owner')).toEqual([
      `${sums},owner_kind=CronJob,owner_name=tick,owner_is_controller=true 1`,
    ])
    expect(samples(job({}), 'kube_job_owner')).toEqual([
      `${sums},owner_kind=<none>,owner_name=<none>,owner_is_controller=<none> 1`,
    ])
  })

  test('what has not come yet has no sample', () => {
    for (const name of ['kube_job_complete', 'kube_job_failed', 'kube_job_status_completion_time'])
      expect(samples(job({}), name)).toEqual([])
    expect(samples(job({ suspended: true, startedAt: 0 }), 'kube_job_status_start_time')).toEqual([])
  })

  test('how it ended', () => {
    const done = job({ result: 'Complete', endedAt: epochMs + 5_000 })
    expect(samples(done, 'kube_job_complete')).toEqual(
      ['true 1', 'false 0', 'unknown 0'].map((last) => `${sums},condition=${last}`),
    )
    expect(samples(done, 'kube_job_status_completion_time')).toEqual([`${sums} ${epochMs / 1_000 + 5}`])
    const failed = job({ result: 'Failed', reason: 'BackoffLimitExceeded', failed: 7 })
    expect(samples(failed, 'kube_job_status_failed')).toEqual([`${sums},reason=BackoffLimitExceeded 7`])
  })

  test('when a CronJob runs', () => {
    const status = of({ kind: 'CronJob', name: 'tick', cronJob: cronJobStatus() })
    const tick = 'namespace=shop,cronjob=tick'
    expect(samples(status, 'kube_cronjob_info')).toEqual([`${tick},schedule=*/5 * * * *,concurrency_policy=Allow,timezone=UTC 1`])
    expect(samples(status, 'kube_cronjob_next_schedule_time')).toEqual([`${tick} ${epochMs / 1_000 + 300}`])
    expect(samples(status, 'kube_cronjob_status_last_successful_time')).toEqual([])
  })
})

test('a ReplicaSet is owned by its Deployment, or by none', () => {
  expect(samples(busyCluster(), 'kube_replicaset_owner')).toEqual([
    'namespace=shop,replicaset=web-7c9f,owner_kind=Deployment,owner_name=web,owner_is_controller=true 1',
    'namespace=shop,replicaset=web-1a2b,owner_kind=Deployment,owner_name=web,owner_is_controller=true 1',
    'namespace=shop,replicaset=cart-9,owner_kind=Deployment,owner_name=cart,owner_is_controller=true 1',
    'namespace=shop,replicaset=plain,owner_kind=<none>,owner_name=<none>,owner_is_controller=<none> 1',
  ])
})

describe('pods', () => {
  const of = (change: Parameters<typeof pod>[0], name: string) =>
    samples(cluster({ workloads: [workload({ pods: [pod({ uid: 'u', name: 'p', ...change })] })] }), name)

  for (const { name, change, want } of [
    {
      name: 'of a Deployment belongs to its ReplicaSet',
      change: {},
      want: 'owner_kind=ReplicaSet,owner_name=web-7c9f,owner_is_controller=true',
    },
    {
      name: 'of a ReplicaSet belongs to it',
      change: { owner: 'ReplicaSet/shop/plain', set: 'plain' },
      want: 'owner_kind=ReplicaSet,owner_name=plain,owner_is_controller=true',
    },
    {
      name: 'bare belongs to none',
      change: { owner: 'Pod/shop/p', set: '' },
      want: 'owner_kind=<none>,owner_name=<none>,owner_is_controller=<none>',
    },
  ])
    test(`a pod ${name}`, () => expect(of(change, 'kube_pod_owner')).toEqual([`namespace=shop,pod=p,uid=u,${want} 1`]))

  test('exactly one phase holds', () => {
    const phases = of({ phase: 'Failed' }, 'kube_pod_status_phase')
    expect(phases.map((line) => line.replace('namespace=shop,pod=p,uid=u,phase=', ''))).toEqual([
      'Pending 0',
      'Running 0',
      'Succeeded 0',
      'Failed 1',
      'Unknown 0',
    ])
  })

  test('labels are the well-known ones', () => {
    expect(of({}, 'kube_pod_labels')).toEqual(['namespace=shop,pod=p,uid=u,label_app=web,label_app_kubernetes_io_part_of=shop 1'])
  })

  test('a running container has a start and no reasons', () => {
    expect(of({}, 'kube_pod_container_state_started')).toEqual([
      `namespace=shop,pod=p,uid=u,container=app ${(epochMs + 2_000) / 1_000}`,
    ])
    for (const name of ['waiting_reason', 'terminated_reason', 'last_terminated_reason'])
      expect(of({}, `kube_pod_container_status_${name}`)).toEqual([])
  })

  test('a crashing container says why it waits and how it ended', () => {
    const at = 'namespace=shop,pod=cart-9-b1,uid=u-cart,container=app'
    const found = (name: string) => samples(busyCluster(), name).filter((line) => line.startsWith(at))
    expect(found('kube_pod_container_status_waiting_reason')).toEqual([`${at},reason=CrashLoopBackOff 1`])
    expect(found('kube_pod_container_status_last_terminated_reason')).toEqual([`${at},reason=Error 1`])
    expect(found('kube_pod_container_status_last_terminated_exitcode')).toEqual([`${at} 1`])
    expect(found('kube_pod_container_status_restarts_total')).toEqual([`${at} 4`])
  })

  test('resources have their unit, and none when not asked for', () => {
    const at = 'namespace=shop,pod=p,uid=u,container=app,node=alpha'
    expect(of({}, 'kube_pod_container_resource_limits')).toEqual([
      `${at},resource=cpu,unit=core 0.5`,
      `${at},resource=memory,unit=byte 134217728`,
      `${at},resource=nvidia_com_gpu,unit=integer 1`,
    ])
    const unlimited = container({ limits: { cpuCores: 0, memoryBytes: 0, extended: {} } })
    expect(of({ containers: [unlimited] }, 'kube_pod_container_resource_limits')).toEqual([])
  })
})

test('endpoints are counted by readiness; an ExternalName has none', () => {
  const status = cluster({
    services: [
      service({
        endpoints: [
          { pod: 'a', ip: '10.0.0.1', ready: true },
          { pod: 'b', ip: '10.0.0.2', ready: false },
        ],
      }),
      service({ name: 'mail', type: 'ExternalName', externalName: 'mail.example.org', endpoints: [] }),
    ],
  })
  expect(samples(status, 'kube_endpoint_address_available')).toEqual(['namespace=shop,endpoint=web 1'])
  expect(samples(status, 'kube_endpoint_address_not_ready')).toEqual(['namespace=shop,endpoint=web 1'])
  expect(samples(status, 'kube_endpoint_address')).toEqual([
    'namespace=shop,endpoint=web,ip=10.0.0.1,ready=true 1',
    'namespace=shop,endpoint=web,ip=10.0.0.2,ready=false 1',
  ])
})

test('a node that does not answer is unknown, as Kubernetes has it', () => {
  const ready = (reachable: boolean) => samples(cluster({ nodes: [node({ reachable })] }), 'kube_node_status_condition')
  expect(ready(true)[0]).toBe('node=alpha,condition=Ready,status=true 1')
  expect(ready(false)[2]).toBe('node=alpha,condition=Ready,status=unknown 1')
})

test('a quota is told by what it allows and what is used', () => {
  const resources = [{ resource: 'requests.cpu', hard: '2', used: '500m' }]
  const quotas = [{ namespace: 'shop', name: 'small', resources }]
  expect(samples(cluster({ quotas }), 'kube_resourcequota')).toEqual([
    'resourcequota=small,namespace=shop,resource=requests.cpu,type=hard 2',
    'resourcequota=small,namespace=shop,resource=requests.cpu,type=used 0.5',
  ])
})

describe('sources', () => {
  for (const { name, change, want } of [
    { name: 'all of the newest revision is healthy', change: {}, want: 1 },
    { name: 'a newer one is attempted', change: { healthy: oldSha }, want: 0 },
    { name: 'nothing was attempted yet', change: { attempted: '', applied: '', healthy: '' }, want: 0 },
    { name: 'the last poll failed', change: { error: 'timeout' }, want: 0 },
  ])
    test(`healthy is ${want} when ${name}`, () =>
      expect(samples(cluster({ sources: [source(change)] }), 'trireme_source_healthy')).toEqual([`source=shop ${want}`]))

  test('a revision is told by state, and none that is not there', () => {
    expect(samples(cluster({ sources: [source({ applied: oldSha, healthy: '' })] }), 'trireme_source_revision_info')).toEqual([
      `source=shop,state=attempted,revision=${newSha} 1`,
      `source=shop,state=applied,revision=${oldSha} 1`,
    ])
  })
})

test('no series is told twice', () => {
  const seen = [...collectState(busyCluster(), [])].map(
    ({ name, labels }) => `${name}${JSON.stringify(Object.entries(labels).sort())}`,
  )
  expect(new Set(seen).size).toBe(seen.length)
})

test('claims: their phase and size; a volume that is kept is no claim any more', () => {
  const of = (name: string) => samples(busyCluster(), `kube_persistentvolumeclaim_${name}`)
  expect(of('status_phase').filter((line) => line.endsWith(' 1'))).toEqual([
    'namespace=shop,persistentvolumeclaim=data,phase=Bound 1',
    'namespace=shop,persistentvolumeclaim=new,phase=Pending 1',
  ])
  expect(of('resource_requests_storage_bytes')[0]).toBe('namespace=shop,persistentvolumeclaim=data 1073741824')
  expect(of('info')[0]).toBe(
    'namespace=shop,persistentvolumeclaim=data,storageclass=standard,volumename=trireme-default-claim-shop_data,volumemode=Filesystem 1',
  )
  expect(of('access_mode')[0]).toBe('namespace=shop,persistentvolumeclaim=data,access_mode=ReadWriteOnce 1')
})
