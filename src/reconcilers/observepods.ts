/** The pods of a workload as one pass sees them: each with its place, what it waits for, and what is observed of it. */
import { type ObjectKey, splitKey } from '../model/types/meta.ts'
import type { PodSpec } from '../model/types/pod.ts'
import { sandboxMemory } from './adoption.ts'
import { missingIn } from './binding.ts'
import { type Claim, missingClaims } from './claims.ts'
import { createCompilations } from './compilations.ts'
import { type CompiledPod, compilePod } from './compile.ts'
import { controllerOf } from './controllers.ts'
import type { PodRecord, SetRecord, WorkloadMemory } from './memory.ts'
import { LABEL } from './names.ts'
import { mountsParts, type NodeView, type ObservedPod } from './observed.ts'
import type { PodContext } from './podcontext.ts'
import { placementOf, type Taken, takenIn } from './podplacement.ts'
import { observePod, type PodNow } from './podstate.ts'
import { missingAccount } from './tokenrenewal.ts'
import type { Units } from './units.ts'
import type { Wanted } from './wanted.ts'
import type { WorkloadInput } from './workloadinput.ts'

/** Pods as a memory has them; looked at again only once that has changed. */
export function observer(input: WorkloadInput, wanted: Wanted | null): (memory: WorkloadMemory) => readonly PodNow[] {
  let last: { readonly memory: WorkloadMemory; readonly pods: readonly PodNow[] } | undefined
  return (memory) => {
    if (last?.memory !== memory) last = { memory, pods: observeAll(input, memory, wanted) }
    return last.pods
  }
}

/** Every pod in the memory that has a set and a node. */
function observeAll(input: WorkloadInput, memory: WorkloadMemory, wanted: Wanted | null): PodNow[] {
  const observed = new Map(input.pods.map((pod) => [pod.uid, pod]))
  const sets = new Map(memory.sets.map((set) => [set.name, set]))
  const taken = takenIn(input, memory)
  return memory.pods.flatMap((record) => {
    const set = sets.get(record.set)
    const node = input.nodes.find(({ name }) => name === record.node) ?? input.nodes[0]
    return set === undefined || node === undefined
      ? []
      : [observePod(podContext(input, taken, record, set, node, observed.get(record.uid), wanted))]
  })
}

function podContext(
  input: WorkloadInput,
  taken: Taken,
  record: PodRecord,
  set: SetRecord,
  node: NodeView,
  observed: ObservedPod | undefined,
  wanted: Wanted | null,
): PodContext {
  const { namespace } = splitKey(input.key)
  const compiled = compiledPod(input, taken.memory(), record, set, node, linksOf(input, set, observed))
  const claim = (name: string): Claim | undefined => input.claim(namespace, name)
  // A set that was replaced before it had all it refers to must not start without it.
  const missing = set.name === wanted?.set ? wanted.missing : missingIn(set.template, namespace, set.config)
  return {
    record,
    set,
    namespace,
    cluster: input.cluster,
    compiled,
    missing: [
      ...missing,
      ...missingAccount(set.template, namespace, input.serviceAccount),
      ...missingRuntime(set.template.spec, node),
      ...missingClaims(compiled.volumes, namespace, claim, node),
    ],
    misfit: record.placed ? '' : placementOf(input, { record, set, node, volumes: compiled.volumes }, taken),
    observed,
    volumes: input.volumes(record.uid),
    claim,
    node,
    probes: input.probes,
    routing: input.routing(record.uid),
    failures: input.failures,
    inFlight: input.inFlight,
    hooks: input.hooks,
    tail: input.tail,
    message: input.message,
    now: input.now,
  }
}

/** A runtime is the node's own affair: Git can name it, and only its operator can install it. */
function missingRuntime({ runtimeClassName }: PodSpec, { name, info }: NodeView): string[] {
  if (runtimeClassName === undefined || info === undefined || info.runtimes.includes(runtimeClassName)) return []
  return [`node ${name} has no container runtime ${runtimeClassName}: it has ${info.runtimes.join(', ')} (runtimeClassName)`]
}

/** A pod is told of the Services that there are when its sandbox is made, which remembers them. */
function linksOf({ serviceLinks }: WorkloadInput, { template }: SetRecord, observed: ObservedPod | undefined): string {
  if (!template.spec.enableServiceLinks) return ''
  return observed?.sandbox === undefined ? serviceLinks : (observed.sandbox.labels[LABEL.services] ?? '')
}

const compilations = createCompilations()

const NO_UNITS: Units = {}

function compiledPod(
  { key, cluster }: WorkloadInput,
  memory: WorkloadMemory,
  record: PodRecord,
  set: SetRecord,
  node: NodeView,
  links: string,
): CompiledPod {
  const facts = {
    nodeMemoryBytes: node.info?.memoryBytes ?? 0,
    nodeCpus: node.info?.cpus ?? 0,
    mountsParts: mountsParts(node.info),
    links,
    units: record.units ?? NO_UNITS,
  }
  return compilations.of(key, set.config, record.uid, Object.values(facts), () => {
    const { uid, name, ip } = record
    const { hash, sourceRevision, template, config } = set
    const own = splitKey(key)
    return compilePod({
      uid,
      name,
      namespace: own.namespace,
      ip,
      node: node.name,
      owner: key,
      set: set.name,
      hash,
      sourceRevision,
      template: controllerOf(own.kind).podTemplate(template, record, { name: own.name, uid: memory.uid }),
      config,
      cluster,
      ...facts,
      memory: sandboxMemory(memory, set, record),
    })
  })
}

/** What was compiled of pods that are gone is needed no more. */
export function forgetGonePods(key: ObjectKey, { sets, pods }: WorkloadMemory): void {
  compilations.sweep(key, sets, pods)
}
