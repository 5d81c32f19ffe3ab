/**
 * Takes a revision of 10,000 objects from bytes to steps, with the daemon's own parts and no engine; then again each
 * time after one file has changed. Prints its times as JSON (`PlanTimes`).
 */
import { createHash, hash } from 'node:crypto'
import { isService, isWorkload } from '../../src/controller/kinds.ts'
import { createNodeIndex } from '../../src/controller/nodeindex.ts'
import { type PassContext, servicePass, workloadPass } from '../../src/controller/passes.ts'
import { createWorld, type World } from '../../src/controller/world.ts'
import { diffCluster } from '../../src/diff/objects.ts'
import type { Tree, TreeFile } from '../../src/git/source.ts'
import { createLoader } from '../../src/model/load.ts'
import type { Loaded, LoadedObject } from '../../src/model/types/loaded.ts'
import type { ObjectKey } from '../../src/model/types/meta.ts'
import type { ModelObject } from '../../src/model/types/object.ts'
import { type Assessment, assess } from '../../src/reconcilers/assess.ts'
import { defineCluster } from '../../src/reconcilers/cluster.ts'
import type { ServiceMemory, WorkloadMemory } from '../../src/reconcilers/memory.ts'
import type { NodeView } from '../../src/reconcilers/observed.ts'
import { createRenderer } from '../../src/render/render.ts'
import { fakeNode, viewOf } from '../support/fakenode.ts'
import { application } from './objects.ts'

const APPLICATIONS = 2_500
const CHANGES = Number(process.argv[2] ?? 20)
const NOW = 1_767_225_600_000

const encoder = new TextEncoder()
const stages: Record<string, number> = {}
let last = 0

/** Milliseconds of processor time of this process: what else runs on the machine does not count. */
function spent(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Notes what has been spent since the last call under this name. */
function stage(name: string): void {
  const now = spent()
  stages[name] = (stages[name] ?? 0) + now - last
  last = now
}

function treeOf(files: readonly TreeFile[], sha: string): Tree {
  return { revision: { sha, author: '', message: sha, committedAt: NOW }, hash: sha, files, refused: [] }
}

function fileOf(index: number, version: number): TreeFile {
  return { path: `apps/app-${String(index).padStart(4, '0')}.yaml`, bytes: encoder.encode(application(index, version)) }
}

/** Durable memory, without the disk. */
const memory = {
  lastApplied: new Map<ObjectKey, LoadedObject>(),
  workloads: new Map<ObjectKey, WorkloadMemory>(),
  services: new Map<ObjectKey, ServiceMemory>(),
}

/** What is observed is what was applied. */
const observed = new Map<ObjectKey, ModelObject>()

const node: NodeView = {
  ...viewOf(fakeNode({ name: 'node' })),
  router: { connected: true, error: '', acknowledged: undefined, drift: [] },
}

function newWorld(): World {
  const cluster = defineCluster({ id: 'bench', domain: 'cluster.local', subnet: '10.64.0.0/12', nodeImage: 'node:bench' })
  const reading = {
    ...createNodeIndex(node.name),
    name: node.name,
    view: () => node,
    router: () => node.router,
    hooks: new Set<string>(),
    tail: () => [],
    message: () => '',
  }
  const store = { lastApplied: () => memory.lastApplied, workloads: () => memory.workloads, services: () => memory.services }
  return createWorld(cluster, [reading], store, () => ({}))
}

const world = newWorld()
const render = createRenderer({} as never)
const load = createLoader()
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
let ids = 0

function passContext(revision: string): PassContext {
  const id = (): { uid: string; suffix: string } => {
    ids += 1
    return { uid: hash('sha256', `${ids}`).slice(0, 36), suffix: String(ids).padStart(5, '0') }
  }
  return { world, failures: new Map(), inFlight: new Set(), now: NOW, ids: id, revision }
}

/** One revision, from its files to the steps of every key that is due; milliseconds by the clock. */
async function take(files: readonly TreeFile[], sha: string): Promise<number> {
  const started = performance.now()
  last = spent()
  const rendered = await render(treeOf(files, sha), {
    name: 'bench',
    namespace: 'default',
    allowRemote: false,
    cacheDir: '',
  } as never)
  stage('read')
  const loaded = load(rendered.manifests, {
    revision: sha,
    defaultNamespace: 'default',
    digest,
    vault: () => undefined,
    brokenFiles: rendered.brokenFiles,
    extraProblems: rendered.problems,
  })
  if (loaded.objects.size !== 4 * APPLICATIONS)
    throw new Error(`${loaded.objects.size} objects: ${JSON.stringify(loaded.problems[0])}`)
  stage('check')
  const assessment = assess({
    loaded,
    lastApplied: memory.lastApplied,
    config: { prune: true, maxShare: 0.5 },
    healthy: () => true,
  })
  stage('assess')
  const differences = diffCluster(memory.lastApplied, loaded.objects, observed)
  stage('diff')
  const steps = planAll(loaded, assessment)
  stage('plan')
  if (steps === 0 || differences.length !== loaded.objects.size) throw new Error('nothing was planned')
  return performance.now() - started
}

function planAll(loaded: Loaded, assessment: Assessment): number {
  const due = world.setWanted(assessment.effective, assessment.prune, true)
  const context = passContext(loaded.revision)
  let steps = 0
  for (const key of due) {
    if (isWorkload(key)) steps += planOne(key, context)
    else if (isService(key)) planServiceOf(key, context)
  }
  for (const key of assessment.changed) {
    const applied = loaded.objects.get(key)!
    memory.lastApplied.set(key, applied)
    observed.set(key, applied.object)
  }
  return steps
}

function planOne(key: ObjectKey, context: PassContext): number {
  const passed = workloadPass(context, key)
  if (passed?.result.memory === undefined) return 0
  memory.workloads.set(key, passed.result.memory)
  if (passed.result.status !== undefined) world.statuses.set(key, passed.result.status)
  world.setPods(key, passed.result.endpoints, passed.result.probes)
  return passed.result.plan.lanes.reduce((sum, { steps }) => sum + steps.length, 0)
}

function planServiceOf(key: ObjectKey, context: PassContext): void {
  const passed = servicePass(context, key)
  if (passed?.result.memory !== undefined) memory.services.set(key, passed.result.memory)
}

const files = Array.from({ length: APPLICATIONS }, (_, index) => fileOf(index, 0))
const coldMs = await take(files, 'cold')
const cold = { ...stages }
const changedMs: number[] = []
for (let change = 1; change <= CHANGES; change++) {
  files[change * 7] = fileOf(change * 7, change)
  changedMs.push(await take(files, `change-${change}`))
}
const warm = Object.fromEntries(Object.entries(stages).map(([name, ms]) => [`${name} again`, (ms - (cold[name] ?? 0)) / CHANGES]))
process.stdout.write(`${JSON.stringify({ objects: 4 * APPLICATIONS, coldMs, changedMs, stages: { ...cold, ...warm } })}\n`)
