import { describe, expect, test } from 'vitest'
import { writersAbove } from '../../../src/reconcilers/places.ts'
import type { Step } from '../../../src/reconcilers/plan.ts'
import { Stage } from '../../support/stage.ts'
import { app, claim, deployment, type TemplateChange } from '../../support/world.ts'

const web = 'Deployment/shop/web'

/** What was to be so in the volumes before each `create` and `start` of the app container. */
function within(spec: Record<string, unknown>, mounts: readonly object[], change: TemplateChange = {}): unknown[] {
  const stage = new Stage().apply(claim())
  const seen: Step[] = []
  stage.watch = (step) => seen.push(step)
  stage.apply(deployment({ template: { containers: [app({ volumeMounts: mounts })], spec, ...change }, spec: { replicas: 1 } }))
  stage.settle()
  return seen.flatMap((step) =>
    (step.op === 'create' || step.op === 'start') && step.target.endsWith('/app') ? [[step.op, step.within?.places]] : [],
  )
}

const data = { volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }] }
const source = 'trireme-test-claim-shop_data'

describe('before a container is made and started', () => {
  test('an emptyDir needs nothing', () => {
    const places = within({ volumes: [{ name: 'd', emptyDir: {} }] }, [{ name: 'd', mountPath: '/d' }])
    expect(places).toEqual([
      ['create', undefined],
      ['start', undefined],
    ])
  })

  test('a claim gets its owners once, and its parts are looked at each time', () => {
    const spec = { ...data, securityContext: { fsGroup: 7, fsGroupChangePolicy: 'OnRootMismatch' } }
    const place = { volume: source, folder: '/trireme/d', parts: ['a', 'b'], guarded: true }
    const mounts = ['b', 'a'].map((subPath) => ({ name: 'd', mountPath: `/${subPath}`, subPath }))
    expect(within(spec, mounts)).toEqual([
      ['create', [{ ...place, own: { gid: 7, onMismatch: true } }]],
      ['start', [place]],
    ])
  })

  test('a claim that may only be read keeps its owners', () => {
    const spec = { volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'data', readOnly: true } }] }
    expect(within(spec, [{ name: 'd', mountPath: '/d' }])).toEqual([
      ['create', undefined],
      ['start', undefined],
    ])
  })
})

test('whoever could exchange a part is found, and nobody else', () => {
  const volume = { name: 'v', driver: 'local', labels: {}, mountpoint: '/volumes/v/_data' }
  const whole = { type: 'volume', name: 'v', source: '/volumes/v/_data', destination: '/v', readOnly: false }
  const part = { ...whole, type: 'bind', name: '', source: '/volumes/v/_data/a' }
  const running = (name: string, mount: object) => ({ name, state: 'running', labels: {}, mounts: [mount] }) as never
  const ended = { name: 'ended', state: 'exited', labels: {}, mounts: [whole] } as never
  const all = [running('whole', whole), running('reader', { ...whole, readOnly: true }), running('part', part), ended]
  expect(writersAbove(all, volume, 'a')).toEqual(['whole'])
  expect(writersAbove(all, volume, 'a/b')).toEqual(['part', 'whole'])
  expect(writersAbove(all, volume, 'ab')).toEqual(['whole'])
  expect(writersAbove(all, { ...volume, name: 'w', mountpoint: '/volumes/w/_data' }, 'a')).toEqual([])
})

test('Docker never restarts a container by itself whose part of a volume it would mount unseen', () => {
  const policies = (subPath: string) => {
    const containers = [app({ volumeMounts: [{ name: 'd', mountPath: '/d', subPath }] })]
    const stage = new Stage().apply(claim(), deployment({ template: { containers, spec: data }, spec: { replicas: 1 } }))
    stage.run(600_000)
    return stage.running().map(({ restartPolicy }) => restartPolicy)
  }
  expect(policies('')).toEqual(['always'])
  expect(policies('a')).toEqual(['no'])
})

test('a container that can never be made says why', () => {
  const containers = [app({ volumeMounts: [{ name: 'd', mountPath: '/d', subPathExpr: '$(NONE)' }] })]
  const stage = new Stage().apply(
    deployment({ template: { containers, spec: { volumes: [{ name: 'd', emptyDir: {} }] } }, spec: { replicas: 1 } }),
  )
  stage.settle()
  expect(stage.containers()).toEqual([])
  expect(stage.passes.get(web)?.status?.message).toContain('CreateContainerConfigError: app: the subPathExpr "$(NONE)"')
})
