/** A simulated engine and its time, for tests of the simulation itself. */
import type { ContainerConfig, Engine } from '../../../src/runtime/engine.ts'
import { FakeTimers } from '../../unit/runtime/faketimers.ts'
import { SimulatedEngine } from './engine.ts'
import type { SignalRecord, SimulatedEngineOptions } from './options.ts'

export function bench(options: Partial<SimulatedEngineOptions> = {}) {
  const time = new FakeTimers()
  const signals: SignalRecord[] = []
  let chance = 0
  const engine = new SimulatedEngine({
    node: 'alpha',
    timers: time,
    now: () => time.now,
    random: () => {
      chance = (chance * 0.7 + 0.31) % 1
      return chance
    },
    images: [{ ref: 'app:1' }],
    onSignal: (record) => signals.push(record),
    ...options,
  })
  return { engine, time, signals, state: (id: string) => engine.world.view(id).state }
}

export function config(name: string, change: Partial<ContainerConfig> = {}): ContainerConfig {
  return {
    name,
    image: 'app:1',
    env: [],
    labels: {},
    tty: false,
    openStdin: false,
    stdinOnce: false,
    restartPolicy: 'no',
    init: true,
    resources: {},
    oomScoreAdj: 0,
    mounts: [],
    networkMode: 'none',
    portBindings: [],
    dns: [],
    dnsSearch: [],
    dnsOptions: [],
    extraHosts: [],
    sysctls: {},
    capAdd: [],
    capDrop: [],
    privileged: false,
    readonlyRootfs: false,
    securityOpt: [],
    groupAdd: [],
    noHealthcheck: true,
    logMaxBytes: 1_000_000,
    logMaxFiles: 1,
    ...change,
  }
}

/** Events until the stream ends, and how it ended. */
export function listen(engine: Pick<Engine, 'events'>, signal = new AbortController().signal) {
  const heard: string[] = []
  const ended = (async () => {
    for await (const { type, action } of engine.events(0, signal)) heard.push(`${type} ${action}`)
    return 'quietly'
  })().catch((error: Error) => error.message)
  return { heard, ended }
}
