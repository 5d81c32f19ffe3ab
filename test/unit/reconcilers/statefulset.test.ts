import { describe, expect, test } from 'vitest'
import { objectKey } from '../../../src/model/types/meta.ts'
import { LABEL } from '../../../src/reconcilers/names.ts'
import { renderPlan } from '../../../src/reconcilers/plan.ts'
import { statefulSet as controller } from '../../../src/reconcilers/statefulset.ts'
import { wantedOf } from '../../../src/reconcilers/wanted.ts'
import { NOT_READY, READY, Stage } from '../../support/stage.ts'
import { app, persistentVolume, service, statefulSet, storageClass } from '../../support/world.ts'

const web = objectKey('StatefulSet', 'shop', 'web')
const readinessProbe = { httpGet: { path: '/', port: 8080 } }

/** `bad` versions never get ready. */
function version(image: string, spec = {}): ReturnType<typeof statefulSet> {
  return statefulSet({ spec, template: { containers: [app({ image, readinessProbe })] } })
}

function begun(spec = {}): Stage {
  const stage = new Stage().apply(version('web:1', spec), service({ clusterIP: 'None' }))
  stage.probe = ({ image }) => (image.startsWith('bad') ? NOT_READY : READY)
  stage.run(60_000)
  return stage
}

/** `web-0 web:1, web-1 web:1`, of running app containers in the order they were made. */
function running(stage: Stage): string {
  return stage
    .running()
    .map(({ labels, image }) => `${labels[LABEL.podName]} ${image}`)
    .join(', ')
}

const status = (stage: Stage) => stage.passes.get(web)?.status

/** Turns until all is done, and the names of pods in the order they were made or began to leave, such as `+web-0`. */
function comings(stage: Stage): string {
  const said: string[] = []
  for (let turn = 0; turn < 300; turn++) {
    const before = new Map(stage.records().map((record) => [record.uid, record]))
    const done = stage.turn()
    for (const { uid, name, deletion } of stage.records()) {
      const known = before.get(uid)
      if (known === undefined) said.push(`+${name}`)
      else if (deletion !== undefined && known.deletion === undefined) said.push(`-${name}`)
    }
    if (done.length === 0 && stage.nextWake() === undefined) break
    if (done.length === 0) stage.now = stage.nextWake() ?? stage.now
  }
  return said.join(' ')
}

describe('order', () => {
  test('pods come one after the other, each once the one before is available', () => {
    const stage = new Stage().apply(version('web:1'), service({ clusterIP: 'None' }))
    let ready = false
    stage.probe = () => (ready ? READY : NOT_READY)
    stage.run(120_000)
    expect(running(stage)).toBe('web-0 web:1')
    expect(status(stage)).toMatchObject({ desired: 3, current: 1, ready: 0, condition: 'Progressing', healthy: false })
    ready = true
    stage.run(60_000)
    expect(running(stage)).toBe('web-0 web:1, web-1 web:1, web-2 web:1')
    expect(status(stage)).toMatchObject({ healthy: true, condition: 'Available', updated: 3 })
    expect(stage.turn()).toEqual([])
  })

  test('in parallel they come together', () => {
    const stage = new Stage().apply(version('web:1', { podManagementPolicy: 'Parallel' }))
    stage.probe = () => NOT_READY
    stage.run(60_000)
    expect(stage.running()).toHaveLength(3)
  })

  test('scaled down, the highest goes first and is gone before the next one goes', () => {
    const stage = begun()
    expect(comings(stage.apply(version('web:1', { replicas: 1 })))).toBe('-web-2 -web-1')
    expect(running(stage)).toBe('web-0 web:1')
  })

  test('minReadySeconds holds each one up', () => {
    const stage = new Stage().apply(version('web:1', { minReadySeconds: 30 }), service({ clusterIP: 'None' }))
    stage.run(29_000)
    expect(stage.running()).toHaveLength(1)
    stage.run(2_000)
    expect(stage.running()).toHaveLength(2)
  })

  test('once it left Git all go at once', () => {
    const stage = begun()
    stage.remove(web).turn()
    expect(stage.records().every(({ deletion }) => deletion?.cause === 'left Git')).toBe(true)
    stage.settle()
    expect(stage.memory.size).toBe(0)
  })
})

describe('a rolling update', () => {
  test('goes from the highest ordinal down, one at a time', () => {
    const stage = begun()
    expect(comings(stage.apply(version('web:2')))).toBe('-web-2 +web-2 -web-1 +web-1 -web-0 +web-0')
    expect(status(stage)).toMatchObject({ healthy: true, updated: 3 })
  })

  test('stops at the partition; a pod below it comes back on the old revision, one above on the new', () => {
    const parts = { updateStrategy: { rollingUpdate: { partition: 1 } } }
    const stage = begun(parts)
    stage.apply(version('web:2', parts)).run(60_000)
    expect(running(stage)).toBe('web-0 web:1, web-2 web:2, web-1 web:2')
    expect(status(stage)).toMatchObject({ healthy: true, updated: 2, message: '' })
    for (const view of stage.sandboxes())
      stage.node = { ...stage.node, containers: new Map([...stage.node.containers].filter(([id]) => id !== view.id)) }
    stage.run(60_000)
    expect(running(stage).split(', ').sort()).toEqual(['web-0 web:1', 'web-1 web:2', 'web-2 web:2'])
    stage.apply(version('web:2')).run(60_000)
    expect(running(stage)).toContain('web-0 web:2')
  })

  test('the old revision of a partition outlives revisions that history does not keep', () => {
    const parts = { updateStrategy: { rollingUpdate: { partition: 3 } }, revisionHistoryLimit: 0 }
    const stage = begun(parts)
    for (const image of ['web:2', 'web:3', 'web:4']) stage.apply(version(image, parts)).run(60_000)
    stage.node = { ...stage.node, containers: new Map() }
    stage.run(60_000)
    expect(running(stage)).toBe('web-0 web:1, web-1 web:1, web-2 web:1')
  })

  test('once it is whole, its revision is what pods below a later partition come back on', () => {
    const stage = begun()
    stage.apply(version('web:2')).run(60_000)
    stage.apply(version('web:3', { updateStrategy: { rollingUpdate: { partition: 3 } } })).run(60_000)
    stage.node = { ...stage.node, containers: new Map() }
    stage.run(60_000)
    expect(running(stage)).toBe('web-0 web:2, web-1 web:2, web-2 web:2')
  })

  test('that cannot get ready holds still, is told as failed, and a commit that mends it takes effect', () => {
    const stage = begun()
    stage.apply(version('bad:2')).run(700_000)
    expect(running(stage)).toBe('web-0 web:1, web-1 web:1, web-2 bad:2')
    expect(status(stage)).toMatchObject({ healthy: false, condition: 'Failed' })
    stage.apply(version('web:1')).run(60_000)
    expect(running(stage)).toBe('web-0 web:1, web-1 web:1, web-2 web:1')
    expect(status(stage)).toMatchObject({ healthy: true })
  })

  test('OnDelete leaves pods alone; one that is removed by hand comes back new', () => {
    const stage = begun({ updateStrategy: { type: 'OnDelete' } })
    stage.apply(version('web:2', { updateStrategy: { type: 'OnDelete' } })).run(60_000)
    expect(running(stage)).toBe('web-0 web:1, web-1 web:1, web-2 web:1')
    expect(status(stage)).toMatchObject({ healthy: true, updated: 0 })
    const [first] = stage.sandboxes()
    stage.node = { ...stage.node, containers: new Map([...stage.node.containers].filter(([id]) => id !== first?.id)) }
    stage.run(60_000)
    expect(running(stage)).toBe('web-1 web:1, web-2 web:1, web-0 web:2')
  })

  test('superseded before a pod of it was made, it goes on with the newest', () => {
    const stage = begun()
    stage.apply(version('web:2')).plan(web)
    stage.apply(version('web:3')).run(60_000)
    expect(status(stage)).toMatchObject({ healthy: true, updated: 3 })
    expect(stage.running().every(({ image }) => image === 'web:3')).toBe(true)
  })
})

test('a pod that never came to be is dropped, and looked at again at once, though no step ends', () => {
  const stage = new Stage().apply(version('web:1'))
  stage.plan(web)
  const pass = stage.apply(version('web:2')).plan(web)
  expect([pass.memory?.pods, pass.wakeAt]).toEqual([[], stage.now])
  expect(stage.plan(web).memory?.pods).toMatchObject([{ name: 'web-0', set: pass.memory?.sets.at(-1)?.name }])
})

test('what is left of a pod that nobody remembers is gone before its name is given again', () => {
  const stage = begun({ replicas: 1 })
  const lost = stage.sandboxes().find(({ labels }) => labels[LABEL.podName] === 'web-0')
  stage.node = { ...stage.node, containers: new Map([...stage.node.containers].filter(([id]) => id !== lost?.id)) }
  stage.memory.clear()
  stage.restart()
  const pass = stage.plan(web)
  expect(pass.memory?.pods).toEqual([])
  expect(stage.readable(renderPlan(pass.plan))).toContain('drift: an extra pod')
  stage.run(60_000)
  expect(running(stage)).toBe('web-0 web:1')
})

describe('identity', () => {
  test('a pod is a host of its own name under its Service, and labels tell its number', () => {
    const stage = begun()
    const endpoint = stage.passes.get(web)?.endpoints.find(({ name }) => name === 'web-1')
    expect(endpoint).toMatchObject({
      hostname: 'web-1',
      subdomain: 'web',
      labels: { app: 'web', 'statefulset.kubernetes.io/pod-name': 'web-1', 'apps.kubernetes.io/pod-index': '1' },
    })
    const names = stage.table.dns.flatMap((record) => (record.type === 'A' ? [record.name] : []))
    expect(names).toEqual(expect.arrayContaining([0, 1, 2].map((ordinal) => `web-${ordinal}.web.shop.svc.cluster.local`)))
    expect(stage.passes.get(web)?.status?.pods[0]?.labels).toMatchObject({ 'apps.kubernetes.io/pod-index': '0' })
  })

  test('a Service may select a single pod by its label', () => {
    const only = service({ selector: { 'statefulset.kubernetes.io/pod-name': 'web-2' } }, 'last')
    const stage = begun()
    stage.apply(only).settle()
    const found = stage.table.services.find(({ name }) => name === 'last')
    expect(found?.ports.flatMap(({ backends }) => backends.map(({ pod }) => pod))).toEqual(['web-2'])
  })

  test('another Service name is another template, for hosts are named under it', () => {
    const stage = begun()
    expect(comings(stage.apply(version('web:1', { serviceName: 'other' })))).toBe('-web-2 +web-2 -web-1 +web-1 -web-0 +web-0')
  })

  test('a pod has a claim of its own name for each template, in place of a volume of that name', () => {
    const volumeClaimTemplates = [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'] } }]
    const target = statefulSet({
      spec: { volumeClaimTemplates },
      template: {
        spec: {
          volumes: [
            { name: 'data', emptyDir: {} },
            { name: 'tmp', emptyDir: {} },
          ],
        },
      },
    })
    const { template, hash } = wantedOf(target, { configMap: () => undefined, secret: () => undefined }, 'r1', [])
    const { spec } = controller.podTemplate(template, { name: 'web-1', hash }, { name: 'web', uid: 'u' })
    expect(spec.volumes).toEqual([
      { name: 'tmp', emptyDir: { medium: '' } },
      { name: 'data', claim: { claimName: 'data-web-1', readOnly: false } },
    ])
  })
})

describe('claims', () => {
  const volumeClaimTemplates = [
    { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
  ]
  const template = { containers: [app({ volumeMounts: [{ name: 'data', mountPath: '/data' }] })] }
  const keeping = (spec = {}) => statefulSet({ spec: { volumeClaimTemplates, ...spec }, template })
  const claimsOf = (stage: Stage): string[] =>
    [...stage.node.volumes.values()].flatMap(({ labels }) => labels[LABEL.claim] ?? []).sort()

  test('each pod has its own, which outlives pods, scaling and the StatefulSet', () => {
    const stage = new Stage().apply(keeping())
    stage.run(60_000)
    const all = ['shop/data-web-0', 'shop/data-web-1', 'shop/data-web-2']
    expect(claimsOf(stage)).toEqual(all)
    const mounted = stage.running().map(({ labels, mounts }) => `${labels[LABEL.podName]} ${mounts[0]?.source}`)
    expect(mounted).toEqual([0, 1, 2].map((ordinal) => `web-${ordinal} trireme-test-claim-shop_data-web-${ordinal}`))
    stage.apply(keeping({ replicas: 1 })).run(60_000)
    stage.apply(keeping({ replicas: 2 })).run(60_000)
    expect(stage.running().map(({ mounts }) => mounts[0]?.source)).toContain('trireme-test-claim-shop_data-web-1')
    stage.remove(web).settle()
    expect(claimsOf(stage)).toEqual(all)
  })

  test('another size rolls no pod: a claim that is there stays as it is', () => {
    const stage = new Stage().apply(keeping())
    stage.run(60_000)
    const larger = [
      { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '9Gi' } } } },
    ]
    expect(comings(stage.apply(keeping({ volumeClaimTemplates: larger })))).toBe('')
    expect(status(stage)).toMatchObject({ healthy: true })
  })

  test('one that nothing can be found for keeps its pod, and in order those after it, from being made', () => {
    const manual = storageClass('manual', { provisioner: 'kubernetes.io/no-provisioner' })
    const [{ metadata, spec } = { metadata: {}, spec: {} }] = volumeClaimTemplates
    const wanting = keeping({ volumeClaimTemplates: [{ metadata, spec: { ...spec, storageClassName: 'manual' } }] })
    const stage = new Stage().apply(wanting, manual)
    stage.run(60_000)
    expect(stage.records().map(({ name }) => name)).toEqual(['web-0'])
    expect(status(stage)?.message).toContain('no PersistentVolume of class manual fits it')
    stage.apply(...[0, 1, 2].map((number) => persistentVolume(`disk-${number}`, { storageClassName: 'manual' }))).run(60_000)
    expect(status(stage)).toMatchObject({ healthy: true, current: 3 })
  })
})

describe('a lost store', () => {
  test('adopts all pods and restarts none', () => {
    const stage = begun()
    const before = stage.running().map(({ id }) => id)
    stage.memory.clear()
    stage.restart()
    stage.run(60_000)
    expect(stage.running().map(({ id }) => id)).toEqual(before)
    expect(status(stage)).toMatchObject({ healthy: true, current: 3 })
  })

  test('in a partitioned rollout, pods below the partition still come back on the old revision', () => {
    const parts = { updateStrategy: { rollingUpdate: { partition: 2 } } }
    const stage = begun(parts)
    stage.apply(version('web:2', parts)).run(60_000)
    stage.memory.clear()
    stage.restart()
    stage.settle()
    const lost = stage.sandboxes().find(({ labels }) => labels[LABEL.podName] === 'web-0')
    stage.node = { ...stage.node, containers: new Map([...stage.node.containers].filter(([id]) => id !== lost?.id)) }
    stage.run(60_000)
    expect(running(stage).split(', ').sort()).toEqual(['web-0 web:1', 'web-1 web:1', 'web-2 web:2'])
  })
})
