/** Records of pods that are still to be made: name, node and address. */
import { choosePodAddress } from './cluster.ts'
import type { PodRecord, SetRecord } from './memory.ts'
import type { WorkloadInput } from './workloadinput.ts'

export interface NewPods {
  /**
   * The record of a new pod of `set`, which is not in the memory yet.
   *
   * @param name from a random suffix of five characters
   * @param taken records of all pods of the workload, the new ones of this pass among them
   * @param on name of the node that it is for; any that can be reached unless told
   * @returns `undefined` while a pod of that name still exists, or no address is free
   */
  place(set: SetRecord, taken: readonly PodRecord[], name: (suffix: string) => string, on?: string): PodRecord | undefined
}

export function newPods(input: WorkloadInput, ids: () => { uid: string; suffix: string }): NewPods {
  return {
    place(set, taken, name, on) {
      const nodes = input.nodes.filter((node) => on === undefined || node.name === on)
      const node = nodes.find(({ reachable }) => reachable) ?? nodes[0]
      if (node === undefined) return undefined
      const { uid, suffix } = ids()
      const podName = name(suffix)
      if ([...taken, ...input.pods].some((other) => other.name === podName)) return undefined
      const isUsed = (address: string): boolean => input.addressUsed(address) || taken.some(({ ip }) => ip === address)
      // On the network of its node it has the address that pods know the node by.
      const { hostNetwork } = set.template.spec
      const ip = hostNetwork ? input.cluster.gateway : choosePodAddress(input.cluster, uid, isUsed)
      if (ip === undefined) return undefined
      return {
        uid,
        name: podName,
        set: set.name,
        hash: set.hash,
        node: node.name,
        ip,
        createdAt: input.now,
        cause: '',
        placed: false,
        bound: false,
        launched: [],
        readySince: 0,
      }
    },
  }
}
