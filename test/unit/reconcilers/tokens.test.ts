import { describe, expect, test } from 'vitest'
import type { Step, TokenRequest } from '../../../src/reconcilers/plan.ts'
import { Stage } from '../../support/stage.ts'
import { app, canonical, deployment, secret } from '../../support/world.ts'

const web = 'Deployment/shop/web'
const MINUTE = 60_000

interface Asked {
  /** of the pod */
  readonly spec?: object
  readonly container?: object
  readonly token?: object
  readonly defaultMode?: number
}

const asking = ({ spec = {}, container = {}, token = {}, defaultMode }: Asked = {}) => {
  const sources = [{ serviceAccountToken: { path: 'token', ...token } }, { secret: { name: 'keys' } }]
  const volumes = [{ name: 'id', projected: { sources, ...(defaultMode === undefined ? {} : { defaultMode }) } }]
  const containers = [app({ volumeMounts: [{ name: 'id', mountPath: '/id' }], ...container })]
  return deployment({ template: { containers, spec: { volumes, ...spec } }, spec: { replicas: 1 } })
}

const keys = secret('keys', { password: 'x' })
const account = canonical({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'teller' } })

type Put = Extract<Step, { readonly op: 'put' }>

/** A pod that runs with its token, and the files that are put from then on. */
function running(asked: Asked = {}): { readonly stage: Stage; readonly first: Put; readonly steps: Put[] } {
  const stage = new Stage()
  const steps: Put[] = []
  stage.watch = (step) => void (step.op === 'put' && steps.push(step))
  stage.apply(asking(asked), keys)
  stage.settle()
  const first = steps.shift()
  if (first === undefined) throw new Error('no files were put')
  return { stage, first, steps }
}

const tokenOf = ({ files }: Put) => files.find(({ path }) => path === 'token')
const requestOf = (put: Put): TokenRequest | undefined => {
  const content = tokenOf(put)?.content
  return content !== undefined && 'token' in content ? content.token : undefined
}

test('it says whose it is, and nothing of it is secret', () => {
  const { stage, first } = running({ token: { audience: 'vault', expirationSeconds: 600 } })
  const [pod] = stage.memory.get(web)?.pods ?? []
  const uid = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(requestOf(first)).toEqual({
    namespace: 'shop',
    serviceAccount: { name: 'default', uid },
    pod: { name: pod?.name, uid: pod?.uid },
    node: { name: stage.node.name, uid },
    audience: 'vault',
    expirationSeconds: 600,
  })
})

test('it is good for an hour, for whoever trusts the issuer, if nothing is said', () => {
  expect(requestOf(running().first)).toMatchObject({ audience: '', expirationSeconds: 3600 })
})

test('it lives in memory, as Secrets do', () => {
  const made: Step[] = []
  const stage = new Stage()
  stage.watch = (step) => made.push(step)
  stage.apply(asking(), keys).settle()
  const volume = { driverOpts: { type: 'tmpfs' }, labels: { 'trireme.volume': 'projectedSecret/id' } }
  expect(made.filter(({ op, target }) => op === 'createVolume' && target.startsWith('web'))).toMatchObject([{ volume }])
})

describe('who may read it, as in Kubernetes', () => {
  const second = { name: 'other', image: 'web:1', securityContext: { runAsUser: 7 } }
  for (const { name, asked, want } of [
    { name: 'everybody, if nothing says who reads it', asked: {}, want: { mode: 0o644, uid: undefined } },
    { name: 'as the volume says', asked: { defaultMode: 0o400 }, want: { mode: 0o400, uid: undefined } },
    {
      name: 'the user of all containers',
      asked: { spec: { securityContext: { runAsUser: 1000 } } },
      want: { mode: 0o600, uid: 1000 },
    },
    {
      name: 'the group of the volumes',
      asked: { spec: { securityContext: { fsGroup: 2000 } }, defaultMode: 0o444 },
      want: { mode: 0o640, uid: undefined },
    },
    {
      name: 'a user and the group',
      asked: { spec: { securityContext: { fsGroup: 2000 } }, container: { securityContext: { runAsUser: 5 } } },
      want: { mode: 0o640, uid: 5 },
    },
    {
      name: 'everybody, where users differ',
      asked: { spec: { initContainers: [second], securityContext: { runAsUser: 1000 } } },
      want: { mode: 0o644, uid: undefined },
    },
  ]) {
    test(name, () => {
      const file = tokenOf(running(asked).first)
      expect({ mode: file?.mode, uid: file?.uid }).toEqual(want)
    })
  }
})

describe('it is renewed in place', () => {
  for (const { expirationSeconds, minutes } of [
    { expirationSeconds: 600, minutes: 8 },
    { expirationSeconds: 3600, minutes: 48 },
    { expirationSeconds: 24 * 3600, minutes: 0.8 * 24 * 60 },
    { expirationSeconds: 2 ** 32, minutes: 24 * 60 },
  ]) {
    test(`one of ${expirationSeconds} s after ${minutes} minutes, again and again, and its pod stays`, () => {
      const { stage, first, steps } = running({ token: { expirationSeconds } })
      const before = stage.memory.get(web)
      let signed = [...stage.node.tokens.values()][0] ?? 0
      for (const _ of [1, 2, 3]) {
        expect(stage.plan(web).wakeAt ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(signed + minutes * MINUTE)
        stage.now = signed + minutes * MINUTE - 1
        expect(stage.settle().filter((text) => text.startsWith('put'))).toEqual([])
        stage.now = signed + minutes * MINUTE
        expect(stage.settle().filter((text) => text.startsWith('put'))).toEqual([
          'put web.1/volume id: its token is to be renewed',
        ])
        signed = [...stage.node.tokens.values()][0] ?? 0
        const renewal = steps.pop()
        expect(renewal).toMatchObject({ inPlace: true, files: expect.arrayContaining([tokenOf(first)]) })
        expect(renewal?.drift).toBeUndefined()
      }
      expect(stage.memory.get(web)?.current).toBe(before?.current)
      expect(stage.memory.get(web)?.pods.map(({ uid }) => uid)).toEqual(before?.pods.map(({ uid }) => uid))
    })
  }

  test('one whose age a new daemon does not know is renewed at once', () => {
    const { stage } = running()
    stage.node = { ...stage.node, files: new Map(), put: new Map(), tokens: new Map() }
    expect(stage.planText(web)).toBe('put web.1/volume id: its token is to be renewed')
    stage.settle()
    expect(stage.planText(web)).toBe('')
  })

  test('one that was signed before the clock was set back would not be good yet', () => {
    const { stage } = running()
    stage.now -= 60 * MINUTE
    expect(stage.planText(web)).toContain('put web.1/volume id: its token is to be renewed')
  })

  test('one that cannot be renewed now holds up nothing else of its pod', () => {
    const { stage } = running()
    stage.node = { ...stage.node, tokens: new Map() }
    const [view] = [...stage.node.containers.values()].filter(({ name }) => name.includes('_app_'))
    stage.node = {
      ...stage.node,
      containers: new Map(stage.node.containers).set(view!.id, { ...view!, state: 'paused' }),
    }
    expect(stage.plan(web).plan.lanes.map(({ steps }) => steps[0]?.op)).toEqual(['put', 'unpause'])
  })

  test('a pod that leaves gets no other', () => {
    const { stage } = running()
    stage.node = { ...stage.node, tokens: new Map() }
    stage.remove(web)
    expect(stage.planText(web)).not.toContain('put')
  })
})

describe('a ServiceAccount that nobody has declared', () => {
  const asked = { spec: { serviceAccountName: 'teller' } }

  test('is waited for, by name, and a pod that runs stays when it goes', () => {
    const stage = new Stage().apply(asking(asked), keys)
    expect(stage.settle().filter((text) => text.includes('web.1'))).toEqual([])
    expect(JSON.stringify(stage.plan(web).status)).toContain('ServiceAccount shop/teller does not exist (token in volume id)')
    stage.apply(account as never)
    expect(stage.settle().join('\n')).toContain('put web.1/volume id: new pod')
    const pods = stage.memory.get(web)?.pods
    stage.objects.delete('ServiceAccount/shop/teller')
    expect(stage.settle()).toEqual([])
    expect(stage.memory.get(web)?.pods.map(({ uid }) => uid)).toEqual(pods?.map(({ uid }) => uid))
  })

  test('does not matter to a pod that asks for no token', () => {
    const stage = new Stage().apply(deployment({ template: { spec: { serviceAccountName: 'teller' } } }))
    expect(stage.settle().length).toBeGreaterThan(0)
  })
})
