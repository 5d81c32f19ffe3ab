/** `trireme plan`: what a daemon would do now, worked out from one look at source, memory and engine; changes nothing. */

import { join } from 'node:path'
import type { PlanOutcome } from '../cli/deps.ts'
import type { Config } from '../config.ts'
import { diffCluster, type ObjectDiff } from '../diff/objects.ts'
import { diffsJson, renderDiffs } from '../diff/render.ts'
import { loadManifests } from '../model/load.ts'
import type { Loaded, LoadedObject, Problem } from '../model/types/loaded.ts'
import type { ObjectKey } from '../model/types/meta.ts'
import type { ModelObject } from '../model/types/object.ts'
import type { Deployment } from '../model/types/workload.ts'
import { type Assessment, assess } from '../reconcilers/assess.ts'
import { routerOf } from '../reconcilers/infrastructure.ts'
import type { WorkloadMemory } from '../reconcilers/memory.ts'
import { LABEL } from '../reconcilers/names.ts'
import type { ContainerProbes, NodeView } from '../reconcilers/observed.ts'
import { type Plan, renderPlan, type Step } from '../reconcilers/plan.ts'
import { renderTree } from '../render/render.ts'
import { findTools } from '../render/tools.ts'
import { dockerEngine } from '../runtime/docker/engine.ts'
import type { Engine } from '../runtime/engine.ts'
import { createVault } from '../runtime/vault.ts'
import { readStore, type StoreReading } from '../store/reading.ts'
import { makeCluster } from './assemble.ts'
import type { Edges } from './edges.ts'
import { isService, isWorkload } from './kinds.ts'
import type { NodeReading } from './node.ts'
import { createNodeIndex } from './nodeindex.ts'
import { nodePass, type PassContext, servicePass, workloadPass } from './passes.ts'
import { makeSource, pruneConfig, renderRevision } from './source.ts'
import { findSubnet } from './subnet.ts'
import { createWorld, type World } from './world.ts'

type PreviewEdges = Pick<Edges, 'now' | 'environment' | 'signal' | 'nodeImage' | 'uuid'>

export async function previewPlan(config: Config, edges: PreviewEdges): Promise<PlanOutcome> {
  const memory = forgetful(readStore(config.dataDir))
  const loaded = await loadRevision(config, edges, memory)
  const engine = await nameEngine(config)
  const node = await lookAtNode(engine, config.cluster, edges.now())
  const assessment = assess({ loaded, lastApplied: memory.lastApplied(), config: pruneConfig(config), healthy: () => true })
  const world = await makeWorld(config, edges, engine, node, memory)
  world.setWanted(assessment.effective, assessment.prune, loaded.brokenFiles.size === 0 && config.prune.enabled)
  const diffs = diffCluster(memory.lastApplied(), wantedObjects(assessment), liveObjects(memory, node))
  const plans = planAll(world, memory, node, edges, loaded.revision)
  return present(loaded, assessment, diffs, plans)
}

async function loadRevision(config: Config, edges: PreviewEdges, memory: StoreReading): Promise<Loaded> {
  const source = makeSource(config, edges)
  try {
    const { revision } = await source.poll(edges.signal)
    const tools = findTools({ path: edges.environment.PATH ?? '', cacheDir: join(config.dataDir, 'tools') })
    const options = { name: source.name, namespace: config.namespace, allowRemote: config.render.allowRemote }
    const { rendered } = await renderRevision(
      config,
      source,
      revision.sha,
      (tree, chosen) => renderTree(tree, chosen, tools),
      options,
      edges.signal,
    )
    return loadManifests(rendered.manifests, {
      revision: revision.sha,
      defaultNamespace: config.namespace,
      digest: createVault(memory.digestKey()).digest,
      // A plan names secret values by digest only, so nothing needs to be kept of them.
      vault: () => undefined,
      allow: config.allow,
      brokenFiles: rendered.brokenFiles,
      extraProblems: rendered.problems,
    })
  } finally {
    await source.close()
  }
}

async function nameEngine(config: Config): Promise<Engine> {
  const options = { host: config.docker, timeoutMs: 30_000 }
  const { name } = await dockerEngine({ ...options, node: 'local' }).info()
  return dockerEngine({ ...options, node: name === '' ? 'local' : name })
}

/** One list of the engine, taken for what a daemon would have observed. */
async function lookAtNode(engine: Engine, cluster: string, now: number): Promise<NodeReading> {
  const filter = [`${LABEL.cluster}=${cluster}`]
  const [info, containers, networks, volumes] = await Promise.all([
    engine.info(),
    engine.listContainers(filter),
    engine.listNetworks(filter),
    engine.listVolumes(filter),
  ])
  const images = new Map(containers.map(({ image, imageId }) => [image, { id: imageId, user: '' }]))
  const view: NodeView = {
    name: engine.node,
    reachable: true,
    error: '',
    info,
    containers: new Map(containers.map((one) => [one.id, one])),
    networks: new Map(networks.map((one) => [one.name, one])),
    volumes: new Map(volumes.map((one) => [one.name, one])),
    images,
    files: new Map(),
    put: new Map(),
    // As if all were new: how old they are only the daemon knows, and it renews them by itself.
    tokens: { get: () => now },
    router: { connected: true, error: '', acknowledged: undefined, drift: [] },
  }
  const index = createNodeIndex(engine.node)
  index.take({
    containers: containers.map((after) => ({ before: undefined, after })),
    volumes: volumes.map((after) => ({ before: undefined, after })),
  })
  return {
    ...index,
    name: engine.node,
    view: () => view,
    router: () => view.router,
    hooks: new Set(containers.map((one) => one.name)),
    tail: () => [],
    message: () => '',
  }
}

async function makeWorld(
  config: Config,
  edges: PreviewEdges,
  engine: Engine,
  node: NodeReading,
  memory: StoreReading,
): Promise<World> {
  const subnet = await findSubnet(engine, config.cluster, config.podCidr)
  const cluster = makeCluster(config, edges, subnet)
  const ready = new Set(
    [...memory.workloads().values()].flatMap(({ pods }) => pods.filter(({ readySince }) => readySince > 0).map(({ uid }) => uid)),
  )
  const adopted = memory.workloads().size === 0
  const world = createWorld(cluster, [node], memory, (id) => (isReady(id) ? PROBES_PASS : {}))
  function isReady(containerId: string): boolean {
    const uid = node.view().containers.get(containerId)?.labels[LABEL.podUid] ?? ''
    return adopted || ready.has(uid)
  }
  // What is ready is taken to be routed, and what leaves to be out: a plan shows the work, not the wait between.
  return { ...world, routing: (uid) => ({ acknowledged: adopted || ready.has(uid), present: false }) }
}

const PASSED = { result: 'success', since: 0, lastAnswer: '' } as const
const PROBES_PASS: ContainerProbes = { liveness: PASSED, readiness: PASSED, startup: PASSED }

function wantedObjects({ effective }: Assessment): ReadonlyMap<ObjectKey, LoadedObject> {
  return effective
}

/** The observed side: a workload as its pods say it is, everything else as long as it is remembered. */
function liveObjects(memory: StoreReading, node: NodeReading): ReadonlyMap<ObjectKey, ModelObject> {
  return new Map([...memory.lastApplied()].flatMap(([key, { object }]) => liveObject(key, object, memory, node)))
}

const withReplicas: ReadonlySet<string> = new Set(['Deployment', 'ReplicaSet', 'ReplicationController', 'StatefulSet'])

function liveObject(key: ObjectKey, object: ModelObject, memory: StoreReading, node: NodeReading): [ObjectKey, ModelObject][] {
  if (!withReplicas.has(object.kind)) return [[key, object]]
  const workload = object as Deployment
  const remembered = memory.workloads().get(key)
  const staying = new Set(remembered?.pods.filter(({ deletion }) => deletion === undefined).map(({ uid }) => uid))
  const pods = node.podsOf(key).filter(({ uid, sandbox }) => sandbox?.state === 'running' && staying.has(uid))
  return [[key, { ...workload, spec: { ...workload.spec, replicas: pods.length } }]]
}

/** What is decided here is remembered until the plan is shown, and never written. */
function forgetful(memory: StoreReading): StoreReading & { readonly decided: Map<ObjectKey, WorkloadMemory> } {
  const decided = new Map(memory.workloads())
  return { ...memory, workloads: () => decided, decided }
}

function planAll(
  world: World,
  { decided }: { readonly decided: Map<ObjectKey, WorkloadMemory> },
  node: NodeReading,
  edges: PreviewEdges,
  revision: string,
): Plan[] {
  let count = 0
  const context: PassContext = {
    world,
    failures: new Map(),
    inFlight: new Set(),
    now: edges.now(),
    // Names of pods to come are made up when they are made; here they only have to differ.
    ids: () => ({ uid: edges.uuid(), suffix: `new${++count}` }),
    revision,
  }
  const keys = [...world.keys()].sort()
  const services = keys.filter(isService).flatMap((key) => servicePass(context, key)?.result.plan ?? [])
  const workloads = keys.filter(isWorkload).flatMap((key) => {
    const result = workloadPass(context, key)?.result
    if (result === undefined) return []
    // Who comes next does not get what this one has been given.
    if (result.memory !== undefined) decided.set(key, result.memory)
    world.setPods(key, result.endpoints, result.probes)
    return result.plan
  })
  const infrastructure =
    routerOf({ cluster: world.cluster, node: node.view() }) === undefined || world.keys().length > 0
      ? [nodePass(world, node, undefined, new Set())]
      : []
  return [...infrastructure, ...services, ...workloads].map(withoutUpkeep).filter(({ lanes }) => lanes.length > 0)
}

/** Handing restarts over to Docker and back is upkeep of what is already as it should be. */
function withoutUpkeep(plan: Plan): Plan {
  const lanes = plan.lanes.map((lane) => ({ ...lane, steps: lane.steps.filter((step) => !isUpkeep(step)) }))
  return { ...plan, lanes: lanes.filter(({ steps }) => steps.length > 0) }
}

function isUpkeep(step: Step): boolean {
  return step.op === 'update' && step.restartPolicy !== undefined && step.drift === undefined
}

function present(loaded: Loaded, assessment: Assessment, diffs: readonly ObjectDiff[], plans: readonly Plan[]): PlanOutcome {
  const changed = diffs.filter(({ change }) => change !== 'none')
  const problems = loaded.problems.filter(({ severity }) => severity !== 'notice')
  const sections = [
    ...problems.map(renderProblem),
    ...(assessment.refusedWhole === undefined ? [] : [assessment.refusedWhole]),
    ...assessment.held.map(({ key, reason }) => `keep ${key}: ${reason}`),
    renderDiffs(changed),
    ...(plans.length === 0 ? [] : ['Steps:', ...plans.map((plan) => indent(renderPlan(plan)))]),
  ].filter((text) => text !== '')
  return {
    text: `${sections.join('\n')}\n`,
    json: {
      revision: loaded.revision,
      problems,
      held: assessment.held,
      differences: diffsJson(changed),
      steps: plans.flatMap(({ key, lanes }) =>
        lanes.flatMap(({ steps }) =>
          steps.map(({ op, node, target, cause, drift }) => ({
            key,
            op,
            node,
            target,
            cause,
            ...(drift === undefined ? {} : { drift }),
          })),
        ),
      ),
    },
    differences: changed.length > 0 || plans.length > 0,
  }
}

function renderProblem({ file, line, field, message, suggestion }: Problem): string {
  return `problem ${file}:${line}: ${field === '' ? '' : `${field}: `}${message}${suggestion === undefined ? '' : ` (did you mean ${suggestion}?)`}`
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ')
}
