/** The engine itself goes down and comes up, as measured on Docker 20.10. */
import { EngineError } from '../../../src/runtime/engine.ts'
import { shuffled } from './chance.ts'
import { deliver, endProcess, launch, resetPolicy, signalName, thaw, until } from './life.ts'
import type { Line } from './line.ts'
import type { Machine } from './machine.ts'
import { hasProcess, type RawContainer } from './state.ts'

const DEFAULT_STOP_SECONDS = 10
/** What the engine says of a process that it did not see end. */
const LOST_EXIT_CODE = 255
/** of the starts under way when the engine is killed; measured: two to six of ten */
const TASKS_LEFT = 0.4

export type Fall =
  /** dockerd is stopped in order: without live-restore it stops its containers first */
  | 'restart'
  /** dockerd is killed: containers run on; without live-restore the next dockerd kills them */
  | 'crash'
  /** the host loses power: nothing runs any more */
  | 'powerLoss'

/** Takes the engine down; resolves once it is. */
export async function goDown(machine: Machine, line: Line, fall: Fall): Promise<void> {
  const liveRestore = machine.options.liveRestore ?? false
  line.cut(fall === 'restart' ? 'connection refused; is dockerd running?' : 'socket hang up')
  machine.life += 1
  for (const container of machine.containers.values()) abandon(machine, container)
  if (fall === 'crash') for (const container of machine.starting) leaveTask(machine, container)
  if (fall === 'powerLoss') for (const container of machine.containers.values()) container.taskLeft = false
  if (fall === 'powerLoss') for (const container of machine.containers.values()) loseProcess(machine, container)
  if (fall === 'restart' && !liveRestore) {
    await Promise.all([...machine.containers.values()].filter(hasProcess).map((container) => shutDown(machine, container)))
  }
  machine.events.hangUp(new EngineError('unreachable', 'events: the engine ended the event stream'), true)
}

/** What the engine was about to do with a container is forgotten. */
function abandon(machine: Machine, container: RawContainer): void {
  machine.options.timers.clearTimeout(container.restartTimer)
  container.restartTimer = undefined
  container.removing = false
  container.restartsCanceled = true
  container.view = undefined
}

/** Killed in the middle of a start, the engine may leave what it does not know of to what runs containers for it. */
function leaveTask(machine: Machine, container: RawContainer): void {
  if (!hasProcess(container) && container.state !== 'dead' && machine.options.random() < TASKS_LEFT) container.taskLeft = true
}

function loseProcess(machine: Machine, container: RawContainer): void {
  if (hasProcess(container)) endProcess(machine, container, LOST_EXIT_CODE)
}

async function shutDown(machine: Machine, container: RawContainer): Promise<void> {
  const ended = (): boolean => !hasProcess(container)
  const graceMs = (container.config.stopTimeoutSeconds ?? DEFAULT_STOP_SECONDS) * 1000
  if (container.state === 'paused') thaw(machine, container, false)
  deliver(machine, container, signalName(container.config.stopSignal ?? 'TERM'), 'engine')
  const timer = machine.later(graceMs, () => deliver(machine, container, 'KILL', 'engine'))
  await until(container, ended)
  machine.options.timers.clearTimeout(timer)
}

/**
 * Brings the engine up. Containers that Docker's policy restarts are started in an order chosen by chance, each once:
 * one whose donor does not run yet fails and is not tried again.
 */
export function comeUp(machine: Machine, line: Line): void {
  const liveRestore = machine.options.liveRestore ?? false
  for (const container of machine.containers.values()) {
    // What a killed dockerd left running is stopped, which the engine takes for a manual stop.
    if (liveRestore || !hasProcess(container)) continue
    container.manuallyStopped = true
    deliver(machine, container, 'KILL', 'engine')
    if (hasProcess(container)) endProcess(machine, container, 137)
  }
  for (const container of machine.containers.values()) forgetPolicy(container)
  for (const container of shuffled([...machine.containers.values()], machine.options.random)) {
    if (!hasProcess(container) && comesBack(container)) startOnce(machine, container)
  }
  line.mend()
}

/** The new engine knows what was running, not what was about to happen. */
function forgetPolicy(container: RawContainer): void {
  container.restartsCanceled = false
  container.backoffMs = 0
  if (container.state === 'restarting') container.state = 'exited'
  container.view = undefined
}

/** What has never run is not started. */
function comesBack({ restartPolicy, manuallyStopped, exitCode, state, runs }: RawContainer): boolean {
  if (state === 'dead' || restartPolicy === 'no' || runs === 0) return false
  if (restartPolicy === 'on-failure') return exitCode !== 0
  return restartPolicy === 'always' || !manuallyStopped
}

function startOnce(machine: Machine, container: RawContainer): void {
  try {
    launch(machine, container, () => resetPolicy(container))
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    // It is left as it is, with the reason.
  }
}
