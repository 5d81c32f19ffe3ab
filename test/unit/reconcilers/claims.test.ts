import { describe, expect, test } from 'vitest'
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../../src/model/types/volume.ts'
import { bindClaims, claimVolume, declaredClaims } from '../../../src/reconcilers/claims.ts'
import { claimVolumeName } from '../../../src/reconcilers/names.ts'
import { Stage } from '../../support/stage.ts'
import { app, claim, cluster, deployment, namespace, persistentVolume, statefulSet, storageClass } from '../../support/world.ts'

interface Given {
  readonly claims?: readonly PersistentVolumeClaim[]
  readonly volumes?: readonly PersistentVolume[]
  readonly classes?: readonly StorageClass[]
  readonly held?: Readonly<Record<string, string>>
}

/** `<claim>: <PersistentVolume or driver> <options>`, or why there is none. */
function bound({ claims = [claim()], volumes = [], classes = [], held = {} }: Given): string[] {
  return [...bindClaims({ claims, volumes, classes, held: new Map(Object.entries(held)) })]
    .map(([id, { provision, why }]) => {
      if (provision === undefined) return `${id}: ${why}`
      const options = Object.entries(provision.options).map(([key, value]) => `${key}=${value}`)
      return [`${id}:`, provision.persistentVolume, provision.driver, ...options].filter((word) => word !== '').join(' ')
    })
    .sort()
}

const noProvisioner = storageClass('manual', { provisioner: 'kubernetes.io/no-provisioner' })

test('a claim of its own counts over the one that a StatefulSet would have for its pod', () => {
  const volumeClaimTemplates = [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'gp3' } }]
  const found = declaredClaims([claim({}, 'data-web-1'), statefulSet({ spec: { volumeClaimTemplates, replicas: 2 } })])
  expect(found.map(({ metadata, spec }) => `${metadata.name} ${spec.storageClassName ?? ''}`)).toEqual([
    'data-web-1 ',
    'data-web-0 gp3',
  ])
  expect(found[1]?.metadata).toMatchObject({ namespace, labels: { app: 'web' } })
})

describe('bindClaims', () => {
  for (const { name, given, want } of [
    { name: 'nothing is said: a volume of its own', given: {}, want: ['shop/data: local'] },
    { name: 'a class that is not in Git', given: { claims: [claim({ storageClassName: 'gp3' })] }, want: ['shop/data: local'] },
    {
      name: 'a class whose provisioner runs elsewhere',
      given: { claims: [claim({ storageClassName: 'gp3' })], classes: [storageClass('gp3', { parameters: { type: 'gp3' } })] },
      want: ['shop/data: local'],
    },
    {
      name: 'a class of a volume driver of Docker',
      given: {
        claims: [claim({ storageClassName: 'nas' })],
        classes: [
          storageClass('nas', { provisioner: 'docker.io/local', parameters: { type: 'nfs', o: 'addr=nas', device: ':/x' } }),
        ],
      },
      want: ['shop/data: local type=nfs o=addr=nas device=:/x'],
    },
    {
      name: 'the default class',
      given: {
        classes: [
          storageClass('plug', { provisioner: 'docker.io/rexray' }, { 'storageclass.kubernetes.io/is-default-class': 'true' }),
        ],
      },
      want: ['shop/data: rexray'],
    },
    {
      name: 'a class that provisions nothing',
      given: { claims: [claim({ storageClassName: 'manual' })], classes: [noProvisioner] },
      want: ['shop/data: no PersistentVolume of class manual fits it'],
    },
    {
      name: 'no class, and no PersistentVolume',
      given: { claims: [claim({ storageClassName: '' })] },
      want: ['shop/data: no PersistentVolume without a class fits it'],
    },
    {
      name: 'a folder of the node',
      given: { volumes: [persistentVolume('pv')] },
      want: ['shop/data: pv local type=none o=bind device=/srv/pv'],
    },
    {
      name: 'an NFS server',
      given: { volumes: [persistentVolume('pv', { nfs: { server: 'nas', path: '/x' }, mountOptions: ['nfsvers=4'] })] },
      want: ['shop/data: pv local type=nfs o=addr=nas,rw,nfsvers=4 device=:/x'],
    },
    {
      name: 'a volume driver',
      given: {
        volumes: [persistentVolume('pv', { csi: { driver: 'rexray', volumeHandle: 'h', volumeAttributes: { a: '1' } } })],
      },
      want: ['shop/data: pv rexray a=1'],
    },
    {
      name: 'the smallest that fits, and each once',
      given: {
        claims: [claim({}, 'a'), claim({}, 'b'), claim({}, 'c')],
        volumes: [persistentVolume('large'), persistentVolume('small', { capacity: { storage: '1Gi' } })],
      },
      want: [
        'shop/a: small local type=none o=bind device=/srv/small',
        'shop/b: large local type=none o=bind device=/srv/large',
        'shop/c: local',
      ],
    },
    {
      name: 'one that is reserved goes to nobody else',
      given: {
        claims: [claim({}, 'a'), claim({}, 'b')],
        volumes: [persistentVolume('pv', { claimRef: { namespace, name: 'b' } })],
      },
      want: ['shop/a: local', 'shop/b: pv local type=none o=bind device=/srv/pv'],
    },
    {
      name: 'who asks by name comes first',
      given: { claims: [claim({}, 'a'), claim({ volumeName: 'pv' }, 'b')], volumes: [persistentVolume('pv')] },
      want: ['shop/a: local', 'shop/b: pv local type=none o=bind device=/srv/pv'],
    },
    {
      name: 'who holds it keeps it, whoever comes later',
      given: {
        claims: [claim({ volumeName: 'pv' }, 'a'), claim({}, 'b')],
        volumes: [persistentVolume('pv')],
        held: { 'shop/b': 'pv' },
      },
      want: ['shop/a: PersistentVolume pv belongs to another claim', 'shop/b: pv local type=none o=bind device=/srv/pv'],
    },
    {
      name: 'what a claim holds that is declared no more goes to nobody else',
      given: { claims: [claim({}, 'a')], volumes: [persistentVolume('pv')], held: { 'shop/left': 'pv' } },
      want: ['shop/a: local'],
    },
    {
      name: 'one by name that is reserved for another',
      given: {
        claims: [claim({ volumeName: 'pv' }, 'a')],
        volumes: [persistentVolume('pv', { claimRef: { namespace, name: 'b' } })],
      },
      want: ['shop/a: PersistentVolume pv does not fit: it is reserved for shop/b'],
    },
    {
      name: 'one by name that another one has',
      given: { claims: [claim({ volumeName: 'pv' }, 'a'), claim({ volumeName: 'pv' }, 'b')], volumes: [persistentVolume('pv')] },
      want: ['shop/a: pv local type=none o=bind device=/srv/pv', 'shop/b: PersistentVolume pv belongs to another claim'],
    },
    {
      name: 'one of exactly the size',
      given: { volumes: [persistentVolume('pv', { capacity: { storage: '1Gi' } })] },
      want: ['shop/data: pv local type=none o=bind device=/srv/pv'],
    },
    {
      name: 'one that is not there',
      given: { claims: [claim({ volumeName: 'none' })] },
      want: ['shop/data: PersistentVolume none does not exist'],
    },
    {
      name: 'one that is too small',
      given: {
        claims: [claim({ volumeName: 'pv', resources: { requests: { storage: '1Ti' } } })],
        volumes: [persistentVolume('pv')],
      },
      want: ['shop/data: PersistentVolume pv does not fit: its capacity of 10Gi is less than 1Ti'],
    },
    {
      name: 'one that cannot be shared',
      given: { claims: [claim({ volumeName: 'pv', accessModes: ['ReadWriteMany'] })], volumes: [persistentVolume('pv')] },
      want: ['shop/data: PersistentVolume pv does not fit: it does not offer ReadWriteMany'],
    },
    {
      name: 'by labels',
      given: {
        claims: [claim({ selector: { matchLabels: { disk: 'fast' } } })],
        volumes: [persistentVolume('a'), persistentVolume('b', {}, { disk: 'fast' })],
      },
      want: ['shop/data: b local type=none o=bind device=/srv/b'],
    },
    {
      name: 'by labels that none has',
      given: { claims: [claim({ selector: { matchLabels: { disk: 'fast' } } })], volumes: [persistentVolume('a')] },
      want: ['shop/data: no PersistentVolume fits its selector'],
    },
  ] satisfies { name: string; given: Given; want: string[] }[])
    test(name, () => expect(bound(given)).toEqual(want))

  test('many claims look at the PersistentVolumes that may be theirs, not each at all of them', () => {
    let looked = 0
    const names = Array.from({ length: 500 }, (_, index) => String(index).padStart(3, '0'))
    const watched = (volume: PersistentVolume): PersistentVolume => {
      const spec = { ...volume.spec }
      const accessModes = (): readonly string[] => {
        looked += 1
        return volume.spec.accessModes
      }
      Object.defineProperty(spec, 'accessModes', { get: accessModes, enumerable: true })
      return { ...volume, spec }
    }
    const volumes = names.flatMap((name) => [
      watched(persistentVolume(`any-${name}`)),
      watched(persistentVolume(`small-${name}`, { capacity: { storage: '1Mi' } })),
      watched(persistentVolume(`kept-${name}`, { claimRef: { namespace, name: `own-${name}` } })),
    ])
    const claims = names.flatMap((name) => [claim({}, `some-${name}`), claim({}, `own-${name}`)])
    const found = bindClaims({ claims, volumes, classes: [], held: new Map() })
    expect(found.get('shop/own-042')?.provision?.persistentVolume).toBe('kept-042')
    expect(found.get('shop/some-042')?.provision?.persistentVolume).toBe('any-042')
    expect(looked).toBeLessThan(2 * volumes.length)
  })

  test('the order of the objects changes nothing', () => {
    const claims = [claim({}, 'a'), claim({}, 'b'), claim({ volumeName: 'v2' }, 'c')]
    const volumes = [persistentVolume('v1'), persistentVolume('v2'), persistentVolume('v3')]
    expect(bound({ claims: claims.toReversed(), volumes: volumes.toReversed() })).toEqual(bound({ claims, volumes }))
  })
})

test('no two claims share a volume, however alike their names are', () => {
  const names = [
    ['a-b', 'c'],
    ['a', 'b-c'],
    ['a', 'b.c'],
    ['a', 'x'.repeat(253)],
    ['a', `${'x'.repeat(252)}y`],
  ].map(([space = '', name = '']) => claimVolumeName(cluster(), space, name))
  expect(new Set(names).size).toBe(names.length)
  expect(Math.max(...names.map(({ length }) => length))).toBeLessThanOrEqual(255)
})

describe('a pod with a claim', () => {
  const web = 'Deployment/shop/web'
  const volume = 'trireme-test-claim-shop_data'
  const pod = { spec: { volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }] } }
  const mounted = { ...pod, containers: [app({ volumeMounts: [{ name: 'd', mountPath: '/d' }] })] }
  const stage = () => new Stage().apply(deployment({ template: mounted, spec: { replicas: 1 } }))

  test('waits for it, and says so', () => {
    const one = stage()
    one.settle()
    expect(one.containers()).toEqual([])
    expect(one.passes.get(web)?.status?.message).toContain('PersistentVolumeClaim shop/data does not exist (volume d)')
  })

  test('waits for a claim that nothing fits, and says why', () => {
    const one = stage().apply(claim({ storageClassName: '' }))
    one.settle()
    expect(one.containers()).toEqual([])
    expect(one.passes.get(web)?.status?.message).toContain('is pending: no PersistentVolume without a class fits it')
  })

  test('makes its volume, which outlives the pod, the workload and the claim', () => {
    const one = stage().apply(claim())
    expect(one.settle()).toContain(`createVolume volume ${volume}: first pod of claim data`)
    const made = one.node.volumes.get(volume)
    expect(made?.labels).toMatchObject({ 'trireme.role': 'claim', 'trireme.claim': 'shop/data' })
    expect(one.running()[0]?.mounts).toMatchObject([{ type: 'volume', name: volume, destination: '/d', readOnly: false }])
    one.remove(web).objects.delete('PersistentVolumeClaim/shop/data')
    one.run(60_000)
    expect(one.containers()).toEqual([])
    expect(one.node.volumes.get(volume)).toBe(made)
  })

  test('finds its volume again, and never makes it anew', () => {
    const one = stage().apply(claim())
    one.settle()
    one.apply(deployment({ template: { ...mounted, labels: { app: 'web', v: '2' } }, spec: { replicas: 1 } }))
    expect(one.run(120_000).filter((line) => line.startsWith('createVolume'))).toEqual([])
    expect(one.running()).toHaveLength(1)
  })

  test.each([
    ['hostPath', { path: '/srv/pv' }, { type: 'bind', name: '', source: '/srv/pv' }],
    ['hostPath', { path: '/srv/pv', type: 'DirectoryOrCreate' }, { type: 'bind', name: '', source: '/srv/pv' }],
    ['hostPath', { path: '/srv/pv', type: 'Directory' }, { type: 'volume', name: volume }],
    ['local', { path: '/srv/pv' }, { type: 'volume', name: volume }],
  ])('on a %s %o: its sandbox makes the folder where Kubernetes would', (source, path, want) => {
    const one = stage().apply(claim(), persistentVolume('pv', { [source]: path }))
    one.settle()
    expect(one.sandboxes()[0]?.mounts).toMatchObject([want])
    expect(one.running()[0]?.mounts).toMatchObject([{ type: 'volume', name: volume }])
  })

  test('whose volume was made of something else keeps that, and no folder is made', () => {
    const one = stage().apply(claim())
    one.settle()
    one.remove(web)
    one.run(60_000)
    one.apply(persistentVolume('pv'), deployment({ template: mounted, spec: { replicas: 1 } })).settle()
    expect(one.sandboxes()[0]?.mounts).toMatchObject([{ type: 'volume', name: volume }])
  })

  test('whose claim left Git runs on, and no new one is made', () => {
    const one = stage().apply(claim())
    one.settle()
    one.objects.delete('PersistentVolumeClaim/shop/data')
    one.run(60_000)
    expect(one.running()).toHaveLength(1)
    expect(one.passes.get(web)?.status?.healthy).toBe(true)
  })
})

test('what a volume is made of is in its labels', () => {
  const [first] = bindClaims({ claims: [claim()], volumes: [persistentVolume('pv')], classes: [], held: new Map() }).values()
  expect(claimVolume(cluster(), first!, first!.provision!)).toEqual({
    name: 'trireme-test-claim-shop_data',
    driver: 'local',
    driverOpts: { type: 'none', o: 'bind', device: '/srv/pv' },
    labels: {
      test: 'yes',
      'trireme.cluster': 'test',
      'trireme.role': 'claim',
      'trireme.claim': 'shop/data',
      'trireme.persistent-volume': 'pv',
      'trireme.spec': expect.stringMatching(/^[0-9a-f]{16}$/),
      'trireme.reclaim': 'Retain',
    },
  })
})
