/**
 * The simulated engine for measuring what the daemon itself takes: what it is told it does in no time at all, and whatever is in a
 * container runs for ever. An operation of it takes a twentieth of a millisecond for a pod, however many there are.
 */
import { LABEL, SANDBOX } from '../../../src/reconcilers/names.ts'
import type { ContainerConfig, Engine, EngineInfo } from '../../../src/runtime/engine.ts'
import type { Timers } from '../../../src/runtime/timers.ts'
import { SimulatedEngine } from '../../simulation/engine/engine.ts'
import { routerAgent } from './agent.ts'

export interface ScaleEngine {
  readonly engine: Engine
  /** the n-th running container of this workload's pods is removed: one that only died, the engine may start again by itself */
  removeOne(owner: string, index: number): Promise<void>
  /** containers made so far */
  readonly made: () => number
  /** bytes that the router has been sent */
  readonly routerBytes: () => number
}

/** Large enough for whatever is asked of it. */
const CAPACITY: Pick<EngineInfo, 'cpus' | 'memoryBytes'> = { cpus: 64, memoryBytes: 2 ** 40 }

/** Answers come in a later turn of the event loop, as those of a socket do. */
const timers: Timers = {
  setTimeout: (work, ms) => (ms <= 1 ? setImmediate(work) : setTimeout(work, ms)),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
}

export function scaleEngine(now: () => number): ScaleEngine {
  let routerBytes = 0
  const simulated = new RoomyEngine({
    node: 'scale',
    timers,
    now,
    random: Math.random,
    images: [{ ref: 'node:scale' }],
    registry: (ref) => ({ afterMs: 0, image: { ref } }),
    latency: () => 1,
    execStream: () =>
      routerAgent((bytes) => {
        routerBytes += bytes
      }),
  })
  return {
    engine: simulated,
    made: () => simulated.made,
    routerBytes: () => routerBytes,
    removeOne(owner, index) {
      const own = [...simulated.raw.containers.values()].filter(
        ({ state, config }) => state === 'running' && isProgram(config, owner),
      )
      const container = own[index % own.length]
      if (container === undefined) throw new Error(`${owner} has no running container`)
      return simulated.removeContainer(container.id)
    },
  }
}

class RoomyEngine extends SimulatedEngine {
  made = 0

  override createContainer(config: ContainerConfig) {
    this.made += 1
    // What an engine keeps of its containers takes no memory of the daemon.
    return super.createContainer({ ...config, env: [] })
  }

  override async info() {
    return { ...(await super.info()), ...CAPACITY }
  }
}

function isProgram({ labels }: ContainerConfig, owner: string): boolean {
  return labels[LABEL.owner] === owner && labels[LABEL.containerName] !== SANDBOX
}
