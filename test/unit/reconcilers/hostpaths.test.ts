/** When the places of the node that pods mount are looked at, and what becomes of a pod while one is wrong. */
import { describe, expect, test } from 'vitest'
import type { PathChecks, Step } from '../../../src/reconcilers/plan.ts'
import { Stage } from '../../support/stage.ts'
import { app, claim, deployment, persistentVolume } from '../../support/world.ts'

const web = 'Deployment/shop/web'
const at = (name: string) => ({ name, mountPath: `/${name}` })

function pods(volumes: readonly object[], mounts = ['v'], initMounts: readonly string[] = []) {
  const initContainers = initMounts.length === 0 ? [] : [{ name: 'init', image: 'init:1', volumeMounts: initMounts.map(at) }]
  const template = { containers: [app({ volumeMounts: mounts.map(at) })], spec: { volumes, initContainers } }
  return deployment({ template, spec: { replicas: 1 } })
}

const hostPath = (type?: string, name = 'v') => ({
  name,
  hostPath: { path: `/srv/${name}`, ...(type === undefined ? {} : { type }) },
})

/** A stage, and what was to be looked at, by `<type> <path> of <volume>` for each step that makes a container. */
function staged() {
  const stage = new Stage()
  const looks: PathChecks[] = []
  stage.watch = (step: Step) => {
    if (step.op === 'create' && step.checks !== undefined) looks.push(step.checks)
  }
  const looked = () => looks.map(({ paths }) => paths.map(({ type, path, volume }) => `${type} ${path} of ${volume}`))
  return { stage, looks, looked }
}

describe('a pod is made after a look at', () => {
  for (const { name, objects, want } of [
    { name: 'nothing, where no type is given', objects: [pods([hostPath(), hostPath('', 'w')], ['v', 'w'])], want: [] },
    { name: 'a place of the node with a type', objects: [pods([hostPath('Socket')])], want: [['Socket /srv/v of v']] },
    {
      name: 'what its init containers mount too, once for all of it',
      objects: [pods([hostPath('File'), hostPath('Directory', 'w')], ['v'], ['v', 'w'])],
      want: [['File /srv/v of v', 'Directory /srv/w of w']],
    },
    { name: 'nothing that no container mounts', objects: [pods([hostPath('File')], [])], want: [] },
    {
      name: 'the folder that its claim is',
      objects: [
        pods([{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }]),
        claim(),
        persistentVolume('pv', { hostPath: { path: '/srv/pv', type: 'DirectoryOrCreate' } }),
      ],
      want: [['DirectoryOrCreate /srv/pv of v']],
    },
    {
      name: 'no folder that may be anything',
      objects: [pods([{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }]), claim(), persistentVolume('pv')],
      want: [],
    },
  ])
    test(name, () => {
      const { stage, looked } = staged()
      stage.apply(...objects).settle()
      expect(looked()).toEqual(want)
      expect(stage.sandboxes()).toHaveLength(1)
    })

  test('with a container of its own that can do no more than that', () => {
    const { stage, looks } = staged()
    stage.apply(pods([hostPath('File')])).settle()
    expect(looks[0]?.container).toMatchObject({
      name: expect.stringMatching(/^trireme-test-look-/),
      labels: { 'trireme.role': 'look', 'io.kubernetes.pod.uid': expect.anything() },
      networkMode: 'none',
      mounts: [],
      capDrop: ['ALL'],
      capAdd: [],
    })
  })
})

test('only who makes a file may do so in a folder of somebody else', () => {
  const { stage, looks } = staged()
  stage.apply(pods([hostPath('FileOrCreate')])).settle()
  expect(looks[0]?.container.capAdd).toEqual(['DAC_OVERRIDE'])
})

describe('a pod whose place of the node is wrong', () => {
  const message = 'MountVolume.SetUp failed for volume "v" : hostPath type check failed: /srv/v is not a directory'
  const broken = new Map([['create *', { kind: 'mount' as const, message }]])

  test('waits, says why, and stops nobody; it is looked at again until it is right', () => {
    const { stage, looked } = staged()
    stage.apply(pods([], [])).settle()
    const [before] = stage.running()
    stage.node = { ...stage.node, broken }
    stage.apply(pods([hostPath('Directory')])).run(10_000)
    expect(stage.running().map(({ id }) => id)).toEqual([before?.id])
    const status = stage.passes.get(web)?.status
    expect(status?.pods.find(({ ready }) => !ready)).toMatchObject({
      phase: 'Pending',
      reason: 'ContainerCreating',
      message: `app: ${message}`,
    })
    expect(looked().length).toBeGreaterThan(2)
    stage.node = { ...stage.node, broken: new Map() }
    stage.run(120_000)
    expect(stage.running()).toHaveLength(1)
    expect(stage.running()[0]?.id).not.toBe(before?.id)
    expect(stage.passes.get(web)?.status?.healthy).toBe(true)
  })

  test('runs on when that came later, and its containers are started again', () => {
    const { stage, looked } = staged()
    stage.apply(pods([hostPath('Directory')])).settle()
    stage.end(stage.running()[0]!)
    stage.run(60_000)
    stage.restart().run(60_000)
    expect(stage.running()).toHaveLength(1)
    expect(looked()).toHaveLength(1)
  })
})
