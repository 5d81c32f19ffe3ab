/** `trireme down`: removes everything of one cluster from its engine, in an order that loses nothing on the way. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { LABEL, SANDBOX } from '../reconcilers/names.ts'
import { dockerEngine } from '../runtime/docker/engine.ts'
import type { ContainerView, Engine } from '../runtime/engine.ts'
import { openStore } from '../store/sqlite.ts'
import type { Edges } from './edges.ts'

/** SIGTERM first; what a pod asked for is not known here, so this is Kubernetes' default grace. */
const GRACE_SECONDS = 30

/**
 * One line for each thing removed. What pods wrote (claims, emptyDir) stays unless `volumes` is set; what was made
 * from Git, and what the router keeps, always goes.
 *
 * Errors: `StoreError` `locked` while a daemon runs on the data directory, `EngineError`.
 */
export async function* teardown(
  config: Config,
  options: { readonly volumes: boolean },
  edges: Pick<Edges, 'now' | 'randomBytes'>,
): AsyncGenerator<string> {
  if (existsSync(join(config.dataDir, 'trireme.db'))) forget(config, edges)
  const engine = dockerEngine({ node: 'local', host: config.docker, timeoutMs: 30_000 })
  const filter = [`${LABEL.cluster}=${config.cluster}`]
  const containers = await engine.listContainers(filter)
  await stopApps(engine, containers)
  for (const view of [...containers].sort(lastFirst)) {
    await engine.removeContainer(view.id)
    yield `container ${view.name}`
  }
  for (const { name, labels } of await engine.listVolumes(filter)) {
    if (!options.volumes && isKept(labels)) continue
    await engine.removeVolume(name)
    yield `volume ${name}`
  }
  for (const { id, name } of await engine.listNetworks(filter)) {
    await engine.removeNetwork(id)
    yield `network ${name}`
  }
}

function isKept(labels: Readonly<Record<string, string>>): boolean {
  const kind = (labels[LABEL.volume] ?? '').split('/')[0]
  return labels[LABEL.role] === 'claim' || kind === 'emptyDir' || kind === 'ephemeral'
}

/** The next daemon on this data directory begins anew, and does not take the removal for a disaster. */
function forget(config: Config, { now, randomBytes }: Pick<Edges, 'now' | 'randomBytes'>): void {
  const store = openStore({ dir: config.dataDir, now, random: randomBytes, onNotice: () => undefined })
  try {
    store.transaction(() => {
      for (const key of [...store.workloads().keys()]) store.deleteWorkload(key)
      for (const key of [...store.services().keys()]) store.deleteService(key)
      for (const key of [...store.lastApplied().keys()]) store.deleteLastApplied(key)
    })
  } finally {
    store.close()
  }
}

async function stopApps(engine: Engine, containers: readonly ContainerView[]): Promise<void> {
  const apps = containers.filter(
    ({ labels, state }) => state === 'running' && labels[LABEL.role] === 'pod' && labels[LABEL.containerName] !== SANDBOX,
  )
  await Promise.all(apps.map(({ id }) => engine.stopContainer(id, GRACE_SECONDS)))
}

/** Edges, then pods, their sandboxes, and the router at the end. */
function lastFirst(a: ContainerView, b: ContainerView): number {
  return rank(a) - rank(b) || (a.name < b.name ? -1 : 1)
}

function rank({ labels }: ContainerView): number {
  if (labels[LABEL.role] === 'edge') return 0
  if (labels[LABEL.role] === 'router') return 3
  return labels[LABEL.containerName] === SANDBOX ? 2 : 1
}
