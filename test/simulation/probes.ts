/** Probes of simulated programs: asked by address, as real ones are, so that a wrong address gets a wrong answer. */
import type { Edges } from '../../src/controller/edges.ts'
import type { ContainerView } from '../../src/runtime/engine.ts'
import { failure, type ProbeAnswer, success } from '../../src/runtime/probes/answer.ts'
import type { Timers } from '../../src/runtime/timers.ts'
import { behaviourOf, isAlive, isReady } from './behaviour.ts'
import type { RanMs } from './livepods.ts'

export interface ProbeWorld {
  readonly timers: Timers
  ranMs: RanMs
  /** ms until a probe answers */
  latency(): number
  container(id: string): ContainerView | undefined
}

export function probeRunner(world: ProbeWorld): Edges['probeRunner'] {
  return () => async (target, probe) => {
    await new Promise<void>((resolve) => void world.timers.setTimeout(resolve, world.latency()))
    if (probe.usage !== undefined) return success('within its limits')
    return answer(world, target.containerId, target.address, probe.httpGet?.path === '/live')
  }
}

function answer(world: ProbeWorld, containerId: string, address: string, alive: boolean): ProbeAnswer {
  const view = world.container(containerId)
  const sandbox = view === undefined ? undefined : world.container(view.networkMode.slice('container:'.length))
  const ip = Object.values(sandbox?.networks ?? {})[0]?.ip
  if (view === undefined || sandbox?.state !== 'running' || ip !== address) return failure('no route to host')
  if (view.state !== 'running' || world.ranMs(view) > world.ranMs(sandbox)) return failure('connection refused')
  const behaviour = behaviourOf(view.image)
  const forMs = world.ranMs(view)
  return (alive ? isAlive(behaviour, forMs) : isReady(behaviour, forMs)) ? success('HTTP 200') : failure('HTTP 503')
}
