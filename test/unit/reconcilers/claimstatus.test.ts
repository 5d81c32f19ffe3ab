import { describe, expect, test } from 'vitest'
import { bindClaims, claimVolume } from '../../../src/reconcilers/claims.ts'
import { claimStatuses } from '../../../src/reconcilers/claimstatus.ts'
import type { VolumeView } from '../../../src/runtime/engine.ts'
import { claim, cluster, persistentVolume } from '../../support/world.ts'

const bind = (...volumes: Parameters<typeof persistentVolume>[0][]) =>
  bindClaims({ claims: [claim()], volumes: volumes.map((name) => persistentVolume(name)), classes: [], held: new Map() })

/** The volume that a claim gets. */
function made(claims = bind()): ReadonlyMap<string, VolumeView> {
  const found = claims.get('shop/data')
  const { name, driver, labels } = claimVolume(cluster(), found!, found!.provision!)
  return new Map([['shop/data', { name, driver, labels, mountpoint: '/x' }]])
}

const sandbox = {
  labels: { 'io.kubernetes.container.name': 'POD', 'io.kubernetes.pod.name': 'db-0' },
  mounts: [{ name: 'trireme-test-claim-shop_data' }],
} as never

describe('claimStatuses', () => {
  for (const { name, claims, volumes, doomed = new Set<string>(), want } of [
    {
      name: 'a claim that no pod has used',
      claims: bind(),
      volumes: new Map(),
      want: { phase: 'Pending', volume: '', message: 'its volume is made with its first pod', requestBytes: 2 ** 30 },
    },
    {
      name: 'one that nothing fits',
      claims: bindClaims({ claims: [claim({ storageClassName: '' })], volumes: [], classes: [], held: new Map() }),
      volumes: new Map(),
      want: { phase: 'Pending', message: 'no PersistentVolume without a class fits it' },
    },
    {
      name: 'one in use',
      claims: bind(),
      volumes: made(),
      want: { phase: 'Bound', pods: ['db-0'], driver: 'local', message: '' },
    },
    {
      name: 'one that left Git',
      claims: new Map(),
      volumes: made(),
      want: { phase: 'Retained', volume: 'trireme-test-claim-shop_data', message: expect.stringContaining('its data is kept') },
    },
    {
      name: 'one that its StatefulSet deletes',
      claims: new Map(),
      volumes: made(),
      doomed: new Set(['shop/data']),
      want: { phase: 'Terminating', pods: ['db-0'], message: expect.stringContaining('once no pod has it') },
    },
    {
      name: 'one that would be made of something else today',
      claims: bind('pv'),
      volumes: made(),
      want: { phase: 'Bound', message: expect.stringContaining('was made of something else, and stays as it is') },
    },
  ])
    test(name, () => {
      const [status, ...others] = claimStatuses({ claims, volumes, containers: [sandbox], doomed })
      expect(status).toMatchObject({ namespace: 'shop', name: 'data', ...want })
      expect(others).toEqual([])
    })
})
