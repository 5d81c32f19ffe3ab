import { describe, expect, test } from 'vitest'
import { objectKey } from '../../../src/model/types/meta.ts'
import { doomedClaims } from '../../../src/reconcilers/retention.ts'
import { READY, Stage } from '../../support/stage.ts'
import { app, claim, deployment, persistentVolume, service, statefulSet, storageClass } from '../../support/world.ts'

const web = objectKey('StatefulSet', 'shop', 'web')
const volumeClaimTemplates = [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'fast' } }]

function set(replicas: number, policy: object | undefined, spec = {}): ReturnType<typeof statefulSet> {
  const retention = policy === undefined ? {} : { persistentVolumeClaimRetentionPolicy: policy }
  const containers = [app({ volumeMounts: [{ name: 'data', mountPath: '/data' }] })]
  return statefulSet({
    spec: { volumeClaimTemplates, podManagementPolicy: 'Parallel', replicas, ...retention, ...spec },
    template: { containers },
  })
}

function begun(policy: object | undefined, replicas = 3): Stage {
  const stage = new Stage().apply(set(replicas, policy), service({ clusterIP: 'None' }))
  stage.probe = () => READY
  stage.run(60_000)
  expect(claims(stage)).toBe(Array.from({ length: replicas }, (_, index) => `data-web-${index}`).join(' '))
  return stage
}

/** Names of the claims that have a volume. */
function claims(stage: Stage): string {
  return [...stage.node.volumes.values()]
    .flatMap(({ labels }) => labels['trireme.claim']?.replace('shop/', '') ?? [])
    .sort()
    .join(' ')
}

const scaled = { whenScaled: 'Delete' }
const deleted = { whenDeleted: 'Delete' }

const reader = deployment({
  name: 'reader',
  spec: { replicas: 1 },
  template: {
    spec: { volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'data-web-2' } }] },
    containers: [app({ volumeMounts: [{ name: 'd', mountPath: '/d' }] })],
  },
})

describe('scaled down', () => {
  test.each([
    ['nothing is said', undefined, 'data-web-0 data-web-1 data-web-2'],
    ['they go with their set alone', deleted, 'data-web-0 data-web-1 data-web-2'],
    ['they go with their pods', scaled, 'data-web-0'],
  ])('%s', (_, policy, left) => {
    const stage = begun(policy)
    stage.apply(set(1, policy))
    stage.run(60_000)
    expect(stage.running()).toHaveLength(1)
    expect(claims(stage)).toBe(left)
    expect(stage.memory.get(web)?.claims?.doomed ?? []).toEqual([])
  })

  test('its claim goes after the pod, never before', () => {
    const stage = begun(scaled)
    const gone: string[] = []
    stage.watch = (step) => {
      if (step.op === 'removeVolume' && step.volume.includes('-claim-')) gone.push(`${step.volume} ${stage.containers().length}`)
    }
    stage.apply(set(2, scaled))
    stage.run(60_000)
    expect(gone).toEqual(['trireme-test-claim-shop_data-web-2 2'])
  })

  test('what was left over before the policy said Delete stays', () => {
    const stage = begun(undefined)
    stage.apply(set(1, undefined))
    stage.run(60_000)
    stage.apply(set(1, scaled))
    stage.run(60_000)
    expect(claims(stage)).toBe('data-web-0 data-web-1 data-web-2')
  })

  test('a pod that still has the claim keeps it until it goes', () => {
    const stage = begun(scaled)
    stage.apply(reader)
    stage.run(60_000)
    stage.apply(set(2, scaled))
    stage.run(60_000)
    expect(claims(stage)).toContain('data-web-2')
    expect(doomedClaims(stage.memory)).toEqual(new Set(['shop/data-web-2']))
    stage.remove(objectKey('Deployment', 'shop', 'reader'))
    stage.run(60_000)
    expect(claims(stage)).toBe('data-web-0 data-web-1')
  })

  test('scaled up again before it went, a claim stays with its data', () => {
    const stage = begun(scaled)
    stage.apply(set(2, scaled))
    stage.turn()
    const before = stage.node.volumes.get('trireme-test-claim-shop_data-web-2')
    stage.apply(set(3, scaled))
    stage.run(60_000)
    expect(stage.node.volumes.get('trireme-test-claim-shop_data-web-2')).toBe(before)
    expect(stage.running()).toHaveLength(3)
  })

  test('scaled up again while its claim is being removed, a pod waits for a new one', () => {
    const stage = begun(scaled)
    stage.apply(set(2, scaled))
    stage.run(60_000)
    stage.inFlight.add('claim/shop/data-web-2')
    stage.apply(set(3, scaled))
    stage.run(60_000)
    expect(stage.running()).toHaveLength(2)
    expect(JSON.stringify(stage.passes.get(web)?.status)).toContain('persistentvolumeclaim \\"data-web-2\\" is being deleted')
    stage.inFlight.clear()
    stage.run(60_000)
    expect(stage.running()).toHaveLength(3)
  })

  test('a pod of another workload that waits for the removal looks again, for nothing of its own ends with it', () => {
    const stage = begun(scaled)
    stage.apply(set(2, scaled))
    stage.run(60_000)
    stage.inFlight.add('claim/shop/data-web-2')
    stage.apply(claim({}, 'data-web-2'), reader)
    const key = objectKey('Deployment', 'shop', 'reader')
    const { wakeAt, status } = stage.plan(key)
    expect(JSON.stringify(status)).toContain('persistentvolumeclaim \\"data-web-2\\" is being deleted')
    expect(wakeAt).toBe(stage.now + 10_000)
  })
})

describe('left Git', () => {
  test.each([
    ['nothing is said', undefined, 'data-web-0 data-web-1 data-web-2'],
    ['they go with their pods alone', scaled, 'data-web-0 data-web-1 data-web-2'],
    ['they go with their set', deleted, ''],
  ])('%s', (_, policy, left) => {
    const stage = begun(policy)
    stage.remove(web)
    stage.run(60_000)
    expect(claims(stage)).toBe(left)
    expect(stage.memory.has(web)).toBe(false)
  })

  test('those of pods that were scaled down before go too, unless the policy was taken back meanwhile', () => {
    const stage = begun(deleted)
    stage.apply(set(1, deleted))
    stage.run(60_000)
    const other = begun(deleted)
    other.apply(set(1, deleted))
    other.run(60_000)
    other.apply(set(1, undefined))
    other.run(60_000)
    stage.remove(web)
    stage.run(60_000)
    other.remove(web)
    other.run(60_000)
    expect([claims(stage), claims(other)]).toEqual(['', 'data-web-0 data-web-1 data-web-2'])
  })
})

describe('kept whatever the policy says', () => {
  const both = { whenDeleted: 'Delete', whenScaled: 'Delete' }

  test('a claim that is in Git by itself', () => {
    const stage = begun(both)
    stage.apply(claim({}, 'data-web-2'), set(1, both))
    stage.run(60_000)
    expect(claims(stage)).toBe('data-web-0 data-web-2')
    stage.remove(web)
    stage.run(60_000)
    expect(claims(stage)).toBe('data-web-2')
  })

  test.each([
    ['a class that retains', storageClass('fast', { reclaimPolicy: 'Retain' }), 'data-web-0 data-web-1'],
    ['a PersistentVolume', persistentVolume('pv', { storageClassName: 'fast' }), 'data-web-0'],
  ])('one of %s', (_, from, left) => {
    const stage = new Stage().apply(from, set(2, both))
    stage.run(60_000)
    stage.remove(web)
    stage.run(60_000)
    expect(claims(stage)).toBe(left)
  })

  test('one whose set was forgotten with the store', () => {
    const stage = begun(both)
    stage.memory.delete(web)
    stage.remove(web)
    stage.run(60_000)
    expect(claims(stage)).toBe('data-web-0 data-web-1 data-web-2')
  })

  test('those of a node that is out of reach, until it is back', () => {
    const stage = begun(both)
    stage.node = { ...stage.node, reachable: false }
    stage.remove(web)
    stage.run(60_000)
    expect(claims(stage)).toBe('data-web-0 data-web-1 data-web-2')
    stage.node = { ...stage.node, reachable: true }
    stage.run(60_000)
    expect(claims(stage)).toBe('')
  })
})
