/**
 * A cluster in virtual time: what is wanted, what is remembered, and one node. Each turn plans every object
 * once and does the first step of every lane, as the executor would; nothing here decides.
 */

import { isService, isWorkload } from '../../src/controller/kinds.ts'
import { deepFreeze } from '../../src/model/canonical.ts'
import { keyOf, type ObjectKey, objectKey, splitKey } from '../../src/model/types/meta.ts'
import type { ConfigMap, ModelObject, OtherObject, Secret } from '../../src/model/types/object.ts'
import type { Service } from '../../src/model/types/service.ts'
import type { PersistentVolume, StorageClass } from '../../src/model/types/volume.ts'
import type { CronJob, PodWorkload } from '../../src/model/types/workload.ts'
import { bindClaims, type Claim, claimId, declaredClaims } from '../../src/reconcilers/claims.ts'
import type { Cluster } from '../../src/reconcilers/cluster.ts'
import { planCronJob } from '../../src/reconcilers/cronjob.ts'
import { cronJobOf, runKeys, runOf } from '../../src/reconcilers/derived.ts'
import type { PodEndpoint } from '../../src/reconcilers/endpoints.ts'
import { heldBy } from '../../src/reconcilers/grants.ts'
import { groupPods, volumesByPod } from '../../src/reconcilers/grouping.ts'
import { portClaim } from '../../src/reconcilers/hostports.ts'
import { planNode } from '../../src/reconcilers/infrastructure.ts'
import type { PodRecord, ServiceMemory, WorkloadMemory } from '../../src/reconcilers/memory.ts'
import { LABEL, SANDBOX } from '../../src/reconcilers/names.ts'
import type { ContainerProbes, Failure, MessageSource } from '../../src/reconcilers/observed.ts'
import type { PlacedService } from '../../src/reconcilers/placement.ts'
import { type Lane, type Plan, renderPlan, type Step, stepId } from '../../src/reconcilers/plan.ts'
import { NOTHING, plus } from '../../src/reconcilers/requests.ts'
import { requestsIn } from '../../src/reconcilers/room.ts'
import { buildRouteTable, indexPods, routingOf } from '../../src/reconcilers/routes.ts'
import type { RouteTable } from '../../src/reconcilers/routetable.ts'
import { planService, type ServicePass } from '../../src/reconcilers/service.ts'
import { linksText } from '../../src/reconcilers/servicelinks.ts'
import { recordPreStop } from '../../src/reconcilers/transitions.ts'
import { planWorkload, type WorkloadPass } from '../../src/reconcilers/workload.ts'
import type { WorkloadInput } from '../../src/reconcilers/workloadinput.ts'
import type { ContainerView } from '../../src/runtime/engine.ts'
import { applyStep, endContainer, type FakeNode, fakeNode, StepRefused, viewOf } from './fakenode.ts'
import { cluster as defaultCluster, epochMs } from './world.ts'

export class Stage {
  readonly cluster: Cluster
  now = epochMs
  node: FakeNode = fakeNode()
  readonly objects = new Map<ObjectKey, ModelObject>()
  /** keys that left Git and are being taken down */
  readonly leaving = new Set<ObjectKey>()
  /** keys that left Git and stay until the revision is healthy */
  readonly retained = new Set<ObjectKey>()
  readonly memory = new Map<ObjectKey, WorkloadMemory>()
  readonly services = new Map<ObjectKey, ServiceMemory>()
  readonly passes = new Map<ObjectKey, WorkloadPass>()
  readonly servicePasses = new Map<ObjectKey, ServicePass>()
  readonly failures = new Map<string, Failure>()
  readonly inFlight = new Set<string>()
  /** answers of probes; without a say of its own every probed container answers well at once */
  probe: (view: ContainerView, now: number) => ContainerProbes = () => READY
  /** sees each step before it is done */
  watch: (step: Step) => void = () => {}
  tail: (containerId: string) => readonly string[] = () => []
  message: (containerId: string, source: MessageSource) => string = () => ''
  revision = 'r1'
  #ids = 0
  #pods: readonly PodEndpoint[] = []
  readonly #aliases = new Map<string, string>()

  constructor(cluster: Cluster = defaultCluster()) {
    this.cluster = cluster
  }

  apply(...objects: readonly ModelObject[]): this {
    for (const object of objects) {
      this.objects.set(keyOf(object), object)
      this.leaving.delete(keyOf(object))
    }
    return this
  }

  remove(key: ObjectKey): this {
    this.objects.delete(key)
    this.leaving.add(key)
    return this
  }

  /** Everything that a pass over `key` reads, frozen. */
  input(key: ObjectKey): WorkloadInput {
    const { node, now } = this
    const { table } = this
    return Object.freeze({
      key,
      target: (this.#targetOf(key) as PodWorkload | undefined) ?? null,
      sourceRevision: this.revision,
      memory: deepFreeze(this.memory.get(key)),
      pods: deepFreeze(groupPods(node.containers.values(), node.name).get(key) ?? []),
      lookup: {
        configMap: (namespace: string, name: string) =>
          this.objects.get(objectKey('ConfigMap', namespace, name)) as ConfigMap | undefined,
        secret: (namespace: string, name: string) => this.objects.get(objectKey('Secret', namespace, name)) as Secret | undefined,
      },
      serviceAccount: (namespace: string, name: string) => this.objects.has(objectKey('ServiceAccount', namespace, name)),
      serviceLinks: linksText(this.#placed().filter(({ service }) => service.metadata.namespace === splitKey(key).namespace)),
      claim: (namespace: string, name: string) => this.claims().get(claimId(namespace, name)),
      cluster: this.cluster,
      nodes: deepFreeze([viewOf(node)]),
      volumes: (uid: string) => volumesByPod(node.volumes.values()).get(uid) ?? [],
      workloads: () => this.memory,
      quotas: [...this.objects.values()].filter(({ kind }) => kind === 'ResourceQuota') as OtherObject[],
      addressUsed: (ip: string) => this.records().some((record) => record.ip === ip),
      unitsHeld: (name: string) => [...this.memory].flatMap(([other, { pods }]) => (other === key ? [] : heldBy(pods, name))),
      requested: (name: string) =>
        [...this.memory]
          .filter(([other]) => other !== key && !this.retained.has(other))
          .map(([, memory]) => requestsIn(memory).get(name) ?? NOTHING)
          .reduce(plus, NOTHING),
      probes: (id: string) => this.#probesOf(id, now),
      routing: (uid: string) => routingOf(table, node.router, uid),
      failures: new Map(this.failures),
      inFlight: new Set(this.inFlight),
      hooks: node.hooks,
      tail: this.tail,
      message: this.message,
      now,
      id: this.#idsFrom(this.#ids),
    })
  }

  claims(): ReadonlyMap<string, Claim> {
    const all = [...this.objects.values()]
    const held = [...this.node.volumes.values()].flatMap(({ labels }) =>
      labels[LABEL.claim] === undefined ? [] : [[labels[LABEL.claim] ?? '', labels[LABEL.persistentVolume] ?? ''] as const],
    )
    return bindClaims({
      claims: declaredClaims(all),
      volumes: all.filter(({ kind }) => kind === 'PersistentVolume') as PersistentVolume[],
      classes: all.filter(({ kind }) => kind === 'StorageClass') as StorageClass[],
      held: new Map(held),
    })
  }

  /** Plans one workload and keeps what it remembers; does nothing on the node. */
  plan(key: ObjectKey): WorkloadPass {
    const pass = splitKey(key).kind === 'CronJob' ? this.#planCronJob(key) : planWorkload(this.input(key))
    this.#ids += 100
    this.passes.set(key, pass)
    if (pass.memory === undefined) this.memory.delete(key)
    else this.memory.set(key, pass.memory)
    this.#pods = [...this.passes.values()].flatMap(({ endpoints }) => endpoints)
    for (const { uid, name } of pass.memory?.pods ?? []) if (!this.#aliases.has(uid)) this.#alias(uid, name, splitKey(key).name)
    return pass
  }

  #planCronJob(key: ObjectKey): WorkloadPass {
    return planCronJob({
      key,
      target: (this.objects.get(key) as CronJob | undefined) ?? null,
      sourceRevision: this.revision,
      memory: deepFreeze(this.memory.get(key)),
      jobs: (job) => this.memory.get(job),
      pods: () =>
        [...groupPods(this.node.containers.values(), this.node.name)].flatMap(([owner, pods]) =>
          cronJobOf(owner)?.owner === key ? pods : [],
        ),
      now: this.now,
      uid: () => `cron-${key}`,
    })
  }

  #targetOf(key: ObjectKey): ModelObject | undefined {
    const run = runOf(this.memory, key)
    return this.objects.get(key) ?? (run?.leaving === true ? undefined : run?.job)
  }

  /** The canonical text of a workload's plan, with pods called `web.1`, `web.2` … in the order they were made. */
  planText(key: ObjectKey): string {
    return this.readable(renderPlan(this.plan(key).plan))
  }

  readable(text: string): string {
    return [...this.#aliases].reduce((line, [name, alias]) => line.replaceAll(name, alias), text)
  }

  /** One pass over everything, and the first step of each lane; returns the steps that were done or refused. */
  turn(): string[] {
    const lanes: (Lane & { readonly key: ObjectKey })[] = []
    const submit = (plan: Plan) => lanes.push(...plan.lanes.map((lane) => ({ ...lane, key: plan.key })))
    for (const key of this.keys()) if (isService(key) && !this.services.has(key)) this.planService(key)
    for (const key of this.keys()) {
      if (splitKey(key).kind !== 'Service') {
        submit(this.plan(key).plan)
        if (this.memory.get(key) === undefined) this.#forget(key)
      }
    }
    for (const key of this.keys()) if (splitKey(key).kind === 'Service') submit(this.planService(key).plan)
    submit(this.planNode())
    return lanes.flatMap((lane) => this.#begin(lane)).map((line) => this.readable(line))
  }

  /** Turns until nothing is left to do now, at most `limit`; then time may be what is missing. */
  settle(limit = 200): string[] {
    const done: string[] = []
    for (let turn = 0; turn < limit; turn++) {
      const before = this.#fingerprint()
      const steps = this.turn()
      done.push(...steps)
      if (steps.length === 0 && before === this.#fingerprint()) return done
    }
    throw new Error(`not settled after ${limit} turns; last steps:\n${done.slice(-20).join('\n')}`)
  }

  /** Settles, and goes on at each time that a pass asks to be woken at, until `untilMs` from now. */
  run(untilMs: number): string[] {
    const end = this.now + untilMs
    const done = this.settle()
    for (let at = this.nextWake(); at !== undefined && at <= end; at = this.nextWake()) {
      this.now = at
      done.push(...this.settle())
    }
    this.now = end
    done.push(...this.settle())
    return done
  }

  nextWake(): number | undefined {
    const times = [
      ...[...this.passes.values()].map(({ wakeAt }) => wakeAt),
      ...[...this.failures.values()].map(({ nextAt }) => nextAt),
    ].filter((at) => at !== undefined && at > this.now)
    return times.length === 0 ? undefined : Math.min(...(times as number[]))
  }

  planService(key: ObjectKey): ServicePass {
    const pass = planService({
      key,
      target: (this.objects.get(key) as Service | undefined) ?? null,
      memory: deepFreeze(this.services.get(key)),
      cluster: this.cluster,
      nodes: [viewOf(this.node)],
      pods: indexPods(this.#pods),
      addressUsed: (ip) => [...this.services].some(([other, memory]) => other !== key && memory.clusterIP === ip),
      portClaims: (id) =>
        [...new Set([...this.objects.keys(), ...this.services.keys()])]
          .filter((other) => other !== key && splitKey(other).kind === 'Service')
          .flatMap(
            (other) => portClaim(id, { key: other, ...this.#placementOf(other), leaving: this.retained.has(other) }) ?? [],
          ),
      failures: this.failures,
      hooks: this.node.hooks,
      now: this.now,
      uid: () => `service-${key}`,
    })
    this.servicePasses.set(key, pass)
    if (pass.memory === undefined) {
      this.services.delete(key)
      this.#forget(key)
    } else this.services.set(key, pass.memory)
    return pass
  }

  #placementOf(key: ObjectKey): { target: Service | null; memory: ServiceMemory | undefined } {
    return { target: (this.objects.get(key) as Service | undefined) ?? null, memory: this.services.get(key) }
  }

  planNode(): Plan {
    return planNode({
      key: `Node//${this.node.name}`,
      cluster: this.cluster,
      node: viewOf(this.node),
      table: this.table,
      owned: (owner) => this.keys().includes(owner),
      knownPod: (uid) => this.records().some((record) => record.uid === uid),
      inFlight: this.inFlight,
    })
  }

  get table(): RouteTable {
    return buildRouteTable(this.#placed(), indexPods(this.#pods), this.cluster.domain)
  }

  /** Services that have been given an address. */
  #placed(): PlacedService[] {
    return [...this.objects.values()].flatMap((object) => {
      const clusterIP = this.services.get(keyOf(object))?.clusterIP
      return clusterIP === undefined ? [] : [{ service: object as Service, clusterIP }]
    })
  }

  keys(): ObjectKey[] {
    const runs = [...this.memory.values()].flatMap(runKeys)
    const all = [...new Set([...this.objects.keys(), ...this.leaving, ...runs])]
    return all.filter((key) => isWorkload(key) || isService(key)).sort()
  }

  records(): PodRecord[] {
    return [...this.memory.values()].flatMap(({ pods }) => pods)
  }

  /** Running app containers (or those of another name), oldest first. */
  running(container = 'app'): ContainerView[] {
    return this.containers(container).filter(({ state }) => state === 'running')
  }

  containers(container = 'app'): ContainerView[] {
    return [...this.node.containers.values()].filter(({ labels }) => labels[LABEL.containerName] === container)
  }

  sandboxes(): ContainerView[] {
    return this.running(SANDBOX)
  }

  /** Ends a running container as if it had crashed or was killed. */
  end(view: ContainerView, exitCode = 1): this {
    this.node = endContainer(this.node, view.id, this.now, exitCode)
    return this
  }

  #begin(lane: Lane & { readonly key: ObjectKey }): string[] {
    const [step] = lane.steps
    if (step === undefined || this.inFlight.has(lane.id)) return []
    const id = stepId(lane.id, step)
    const held = this.failures.get(id)
    if (held !== undefined && held.nextAt > this.now) return []
    const memory = this.memory.get(lane.key)
    if (step.op === 'hook' && step.mark !== undefined && memory !== undefined)
      this.memory.set(lane.key, recordPreStop(memory, step.mark))
    this.watch(step)
    try {
      this.node = applyStep(this.node, step, this.now)
      this.failures.delete(id)
      return [`${step.op} ${step.target}: ${step.cause}`]
    } catch (error) {
      if (!(error instanceof StepRefused)) throw error
      const count = (held?.count ?? 0) + 1
      const { kind, message } = error
      const nextAt = this.now + Math.min(60_000, 1000 * 2 ** (count - 1))
      this.failures.set(id, { count, kind, message, firstAt: held?.firstAt ?? this.now, lastAt: this.now, nextAt })
      return [`failed ${step.op} ${step.target}: ${message}`]
    }
  }

  #probesOf(id: string, now: number): ContainerProbes {
    const view = this.node.containers.get(id)
    return view === undefined || view.state !== 'running' ? {} : this.probe(view, now)
  }

  #idsFrom(first: number): (index: number) => { uid: string; suffix: string } {
    return (index) => {
      const number = String(first + index).padStart(12, '0')
      return { uid: `00000000-0000-4000-8000-${number}`, suffix: (first + index).toString(36).padStart(5, 'x') }
    }
  }

  /** The daemon is killed and started again: what it kept in memory alone is gone. */
  restart(): this {
    this.passes.clear()
    this.failures.clear()
    this.node = { ...this.node, images: new Map(), hooks: new Set() }
    return this
  }

  #alias(uid: string, name: string, owner: string): void {
    const number = this.#aliases.size / 2 + 1
    this.#aliases.set(uid, `uid${number}`).set(name, name === owner ? name : `${owner}.${number}`)
  }

  #forget(key: ObjectKey): void {
    if (this.objects.has(key)) return
    this.leaving.delete(key)
    this.passes.delete(key)
    this.#pods = [...this.passes.values()].flatMap(({ endpoints }) => endpoints)
  }

  #fingerprint(): string {
    return JSON.stringify([[...this.memory], [...this.services], [...this.node.containers.values()], this.node.router])
  }
}

const well = { result: 'success', since: 0, lastAnswer: 'HTTP 200' } as const
export const READY: ContainerProbes = { readiness: well, liveness: well, startup: well, 'port 80': well }
export const NOT_READY: ContainerProbes = {
  readiness: { result: 'failure', since: 0, lastAnswer: 'HTTP 503' },
  startup: well,
  liveness: well,
}
