/**
 * A tree of files through everything that would happen to it: rendered, validated, assessed, planned, and done on a node
 * in virtual time; what would be sent to the engine and the router is made too. Nothing of it may throw.
 */
import { diffCluster } from '../../src/diff/objects.ts'
import { renderDiffs } from '../../src/diff/render.ts'
import { canonicalText } from '../../src/model/canonical.ts'
import { loadManifests } from '../../src/model/load.ts'
import { policies } from '../../src/model/policy.ts'
import type { Loaded, LoadedObject } from '../../src/model/types/loaded.ts'
import { keyOf, type ObjectKey } from '../../src/model/types/meta.ts'
import { assess } from '../../src/reconcilers/assess.ts'
import { renderPlan, type Step } from '../../src/reconcilers/plan.ts'
import type { RouteTable } from '../../src/reconcilers/routetable.ts'
import { createRenderer } from '../../src/render/render.ts'
import { packFolder } from '../../src/runtime/archive.ts'
import { createBody } from '../../src/runtime/docker/create.ts'
import { ConfigError, resolveContainer, resolveFiles } from '../../src/runtime/resolve.ts'
import { applyRequest } from '../../src/runtime/router/request.ts'
import { createVault, type Vault } from '../../src/runtime/vault.ts'
import { Stage } from '../support/stage.ts'
import { tools, treeOf } from '../support/trees.ts'

/** So that what the operator may allow is planned too. */
const allow = { '*': policies }
const config = { prune: true, maxShare: 0.5 }

/** No message is longer: it stands in a status, a log and a terminal. */
const longestMessage = 4000

export class FuzzCluster {
  readonly stage = new Stage()
  readonly vault: Vault = createVault(new Uint8Array(32))
  readonly #render = createRenderer(tools)
  #applied: ReadonlyMap<ObjectKey, LoadedObject> = new Map()

  /** One revision, and `turns` passes over everything. */
  async commit(files: Readonly<Record<string, string | Uint8Array>>, turns = 3): Promise<Loaded> {
    const { vault } = this
    const rendered = await this.#render(treeOf(files), {})
    const loaded = loadManifests(rendered.manifests, {
      revision: 'r1',
      digest: vault.digest,
      vault: (digest, bytes) => vault.put(digest, bytes),
      allow,
      brokenFiles: rendered.brokenFiles,
      extraProblems: rendered.problems,
    })
    checkProblems(loaded)
    const assessment = assess({ loaded, lastApplied: this.#applied, config, healthy: () => true })
    const wanted = new Map<ObjectKey, LoadedObject>(assessment.effective)
    renderDiffs(diffCluster(this.#applied, wanted, new Map([...this.#applied].map(([key, { object }]) => [key, object]))))
    for (const key of assessment.prune) this.stage.remove(key)
    this.stage.apply(...[...wanted.values()].map(({ object }) => object))
    this.#applied = wanted
    await this.#live(turns)
    return loaded
  }

  async #live(turns: number): Promise<void> {
    const steps: Step[] = []
    this.stage.watch = (step) => steps.push(step)
    for (let turn = 0; turn < turns; turn += 1) {
      this.stage.turn()
      this.stage.now += 1000
      for (const { plan } of this.stage.passes.values()) renderPlan(plan)
      for (const { plan } of this.stage.servicePasses.values()) renderPlan(plan)
    }
    for (const step of steps) await this.#make(step)
    checkRouter(this.stage.table)
    applyRequest(1, undefined, this.stage.table, { serviceRange: '10.88.128.0/17', dnsAddress: '10.88.255.254' })
    canonicalText([...this.stage.passes.values()].map(({ status }) => status))
  }

  /** What the step would send to the engine; only a value that is not fit for it may be refused. */
  async #make(step: Step): Promise<void> {
    try {
      if (step.op === 'create') JSON.stringify(createBody(resolveContainer(step.spec, this.vault), 'local'))
      if (step.op === 'put') {
        const files = await resolveFiles(step.files, this.vault, async (request) => JSON.stringify(request))
        await packFolder({ name: 'v', mode: 0o755 }, files, { gid: 0 })
      }
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
    }
  }
}

/** Rules and zones are read line by line and word by word: a name with anything else in it would be another rule. */
function checkRouter(table: RouteTable): void {
  const records = table.dns.flatMap((record) => [record.name, record.type === 'SRV' ? record.target : record.value])
  const names = [...table.services.flatMap(({ name, addresses }) => [name, ...addresses]), ...records]
  const odd = names.find((name) => !/^[A-Za-z0-9._:/*-]+$/.test(name))
  if (odd !== undefined) throw new Error(`the router would be given the name ${JSON.stringify(odd)}`)
}

/** Each says where, in a length that can be shown, and shows no secret. */
function checkProblems(loaded: Loaded): void {
  for (const { file, line, field, code, message } of loaded.problems) {
    if (file === '' || !Number.isInteger(line) || line < 1 || code === '')
      throw new Error(`a problem without its place: ${message}`)
    if (message.length + field.length > longestMessage)
      throw new Error(`a message of ${message.length + field.length} characters`)
    if (/hunter22/.test(message + field)) throw new Error(`a secret in a message: ${message}`)
  }
  for (const [key, { object }] of loaded.objects)
    if (key !== keyOf(object)) throw new Error(`${key} is not the key of its object`)
}
