/** What a cluster has on an engine, by its label; and its removal. */
import { LABEL } from '../../src/reconcilers/names.ts'
import { type Engine, EngineError } from '../../src/runtime/engine.ts'

/** `container web-1`, `network trireme-demo` and the like. */
export async function leftOf(engine: Engine, cluster: string): Promise<string[]> {
  const label = [`${LABEL.cluster}=${cluster}`]
  const [containers, networks, volumes] = await Promise.all([
    engine.listContainers(label),
    engine.listNetworks(label),
    engine.listVolumes(label),
  ])
  return [
    ...containers.map(({ name }) => `container ${name}`),
    ...networks.map(({ name }) => `network ${name}`),
    ...volumes.map(({ name }) => `volume ${name}`),
  ]
}

/** Containers first, for the others are in use by them. Its daemon must not run any more. */
export async function removeCluster(engine: Engine, cluster: string): Promise<void> {
  const label = [`${LABEL.cluster}=${cluster}`]
  const containers = await engine.listContainers(label)
  await Promise.all(containers.map(({ id }) => unlessGone(engine.removeContainer(id))))
  const [networks, volumes] = await Promise.all([engine.listNetworks(label), engine.listVolumes(label)])
  await Promise.all(networks.map(({ id }) => unlessGone(engine.removeNetwork(id))))
  await Promise.all(volumes.map(({ name }) => unlessGone(engine.removeVolume(name))))
}

async function unlessGone(removal: Promise<void>): Promise<void> {
  try {
    await removal
  } catch (error) {
    if (!(error instanceof EngineError) || (error.kind !== 'notFound' && error.kind !== 'inProgress')) throw error
  }
}
