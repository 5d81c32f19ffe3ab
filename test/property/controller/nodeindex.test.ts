import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createNodeIndex } from '../../../src/controller/nodeindex.ts'
import { groupPods, volumesByPod } from '../../../src/reconcilers/grouping.ts'
import { LABEL } from '../../../src/reconcilers/names.ts'
import type { ContainerView, VolumeView } from '../../../src/runtime/engine.ts'

const UIDS = ['u1', 'u2', 'u3']
const OWNERS = ['Deployment/shop/web', 'Pod/shop/job', 'CronJob/shop/night']

const container = fc
  .record({
    id: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    role: fc.constantFrom('pod', 'edge', 'router', 'unknown'),
    uid: fc.constantFrom(...UIDS),
    name: fc.constantFrom('POD', 'app', undefined),
    owner: fc.constantFrom(...OWNERS, undefined),
    ip: fc.constantFrom('', '10.0.0.1', '10.0.0.2'),
  })
  .map(({ id, role, uid, name, owner, ip }): ContainerView => {
    const labels = {
      [LABEL.role]: role,
      [LABEL.podUid]: uid,
      [LABEL.containerName]: name,
      [LABEL.owner]: owner,
      [LABEL.service]: 'Service/shop/web',
    }
    const given = Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== undefined))
    return {
      id,
      name: id,
      labels: given,
      createdAt: 1,
      networks: { pods: { networkId: '', ip, requestedIp: '' } },
    } as unknown as ContainerView
  })
const volume = fc
  .record({ name: fc.constantFrom('v1', 'v2', 'v3'), uid: fc.constantFrom(...UIDS) })
  // A volume is never another pod's: its name has the pod in it.
  .map(
    ({ name, uid }): VolumeView => ({ name: `${uid}-${name}`, driver: 'local', labels: { [LABEL.podUid]: uid }, mountpoint: '' }),
  )
const change = fc.oneof(
  fc.record({ container, gone: fc.boolean() }),
  fc.record({ volume, gone: fc.boolean() }),
  fc.record({ known: fc.subarray(UIDS) }),
)

test('kept change by change, the index says what a search of everything does', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
      const index = createNodeIndex('alpha')
      const containers = new Map<string, ContainerView>()
      const volumes = new Map<string, VolumeView>()
      let known = new Set<string>()
      for (const one of changes) {
        if ('container' in one) {
          const { id } = one.container
          const [before, after] = [containers.get(id), one.gone ? undefined : one.container]
          if (after === undefined) containers.delete(id)
          else containers.set(id, after)
          index.take({ containers: [{ before, after }], volumes: [] })
        } else if ('volume' in one) {
          const { name } = one.volume
          const [before, after] = [volumes.get(name), one.gone ? undefined : one.volume]
          if (after === undefined) volumes.delete(name)
          else volumes.set(name, after)
          index.take({ containers: [], volumes: [{ before, after }] })
        } else {
          const next = new Set(one.known)
          index.released([...known].filter((uid) => !next.has(uid)))
          known = next
        }
        const grouped = groupPods(containers.values(), 'alpha')
        for (const owner of OWNERS.slice(0, 2)) expect(sorted(index.podsOf(owner))).toEqual(sorted(grouped.get(owner) ?? []))
        const all = [...containers.values()]
        expect(ids(index.edgesOf('Service/shop/web').values())).toEqual(
          ids(all.filter(({ labels }) => labels[LABEL.role] === 'edge')),
        )
        const looked = OWNERS.slice(0, 2).flatMap((owner) => [...(grouped.get(owner) ?? [])])
        const parts = new Set(
          looked.flatMap(({ sandbox, containers: own }) => [
            ...(sandbox ? [sandbox.id] : []),
            ...[...own.values()].flat().map(({ id }) => id),
          ]),
        )
        expect(ids(index.apart().values())).toEqual(ids(all.filter(({ id }) => !parts.has(id))))
        for (const ip of ['10.0.0.1', '10.0.0.2'])
          expect(index.hasAddress(ip)).toBe(all.some(({ networks }) => networks.pods?.ip === ip))
        const names = volumesByPod(volumes.values())
        for (const uid of UIDS) expect(index.volumesOf(uid)).toEqual(names.get(uid) ?? [])
        const inUse = new Set(all.map(({ labels }) => labels[LABEL.podUid]))
        const left = [...volumes.values()].filter(
          ({ labels }) => !known.has(labels[LABEL.podUid] ?? '') && !inUse.has(labels[LABEL.podUid]),
        )
        expect(index.leftVolumes((uid) => known.has(uid)).map(({ name }) => name)).toEqual(left.map(({ name }) => name).sort())
      }
    }),
  )
})

function sorted<T extends { readonly uid: string }>(pods: readonly T[]): T[] {
  return pods.toSorted((a, b) => (a.uid < b.uid ? -1 : 1))
}

function ids(views: Iterable<ContainerView>): string[] {
  return [...views].map(({ id }) => id).sort()
}
