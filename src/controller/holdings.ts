/** Who holds which address, pod and port: looked up often, so kept by value and brought up to date key by key. */
import type { ObjectKey } from '../model/types/meta.ts'
import type { ServiceMemory, WorkloadMemory } from '../reconcilers/memory.ts'

export interface Holdings {
  /** Takes over what the memory of `key` holds now, `undefined` when it is forgotten; uids of pods that nobody holds any more. */
  workload(key: ObjectKey, memory: WorkloadMemory | undefined): readonly string[]
  service(key: ObjectKey, memory: ServiceMemory | undefined): void
  /** Takes over which ports of the host a Service has a say in. */
  claims(key: ObjectKey, ports: readonly string[]): void
  hasPod(uid: string): boolean
  /** keys of the workloads that hold it */
  ownersOf(uid: string): Iterable<ObjectKey>
  hasPodAddress(ip: string): boolean
  /** whether a Service other than `except` holds it */
  hasServiceAddress(ip: string, except: ObjectKey): boolean
  /** other Services than `except` with a say in this port of the host */
  claimants(port: string, except: ObjectKey): readonly ObjectKey[]
  /** other Services with a say in a port that `key` has a say in */
  rivals(key: ObjectKey): readonly ObjectKey[]
}

export function createHoldings(): Holdings {
  const pods = createHolders()
  const podAddresses = createHolders()
  const serviceAddresses = createHolders()
  const hostPorts = createHolders()
  return {
    workload(key, memory) {
      const released = pods.set(key, memory?.pods.map(({ uid }) => uid) ?? [])
      podAddresses.set(key, memory?.pods.map(({ ip }) => ip) ?? [])
      return released
    },
    service(key, memory) {
      serviceAddresses.set(key, memory === undefined ? [] : [memory.clusterIP])
    },
    claims: hostPorts.set,
    claimants: hostPorts.holders,
    rivals: (key) => [...new Set(hostPorts.valuesOf(key).flatMap((port) => hostPorts.holders(port, key)))],
    hasPod: (uid) => pods.has(uid),
    ownersOf: pods.of,
    hasPodAddress: (ip) => podAddresses.has(ip),
    hasServiceAddress: (ip, except) => serviceAddresses.has(ip, except),
  }
}

/** Values and the keys that hold them; a value may have several holders while one takes it over from another. */
function createHolders() {
  const held = new Map<ObjectKey, readonly string[]>()
  const holders = new Map<string, Set<ObjectKey>>()

  function release(key: ObjectKey): void {
    for (const value of held.get(key) ?? []) {
      const keys = holders.get(value)
      keys?.delete(key)
      if (keys?.size === 0) holders.delete(value)
    }
    held.delete(key)
  }

  return {
    /** Returns what is held by nobody any more. */
    set(key: ObjectKey, values: readonly string[]): readonly string[] {
      const before = held.get(key) ?? []
      if (before.length === values.length && before.every((value, index) => value === values[index])) return []
      release(key)
      if (values.length > 0) held.set(key, values)
      for (const value of values) {
        const keys = holders.get(value)
        if (keys === undefined) holders.set(value, new Set([key]))
        else keys.add(key)
      }
      return before.filter((value) => !holders.has(value))
    },
    of: (value: string): Iterable<ObjectKey> => holders.get(value) ?? [],
    has(value: string, except?: ObjectKey): boolean {
      const keys = holders.get(value)
      return keys !== undefined && (except === undefined || keys.size > 1 || !keys.has(except))
    },
    valuesOf: (key: ObjectKey): readonly string[] => held.get(key) ?? [],
    holders: (value: string, except: ObjectKey): ObjectKey[] =>
      [...(holders.get(value) ?? [])].filter((key) => key !== except).sort(),
  }
}
