/** The life of a container's process: start, signals, end, and what Docker's restart policy makes of an end. */
import { EngineError } from '../../../src/runtime/engine.ts'
import { conflict, failed, inProgress, invalid, notFound } from './errors.ts'
import { type Machine, textOf } from './machine.ts'
import { attachAll, releaseAll } from './networks.ts'
import type { Program, SignalRecord } from './options.ts'
import { releasePorts } from './ports.ts'
import { hasProcess, type NetworkNamespace, type RawContainer, type Run, viewOf } from './state.ts'
import { mountVolumes, unmountVolumes } from './volumes.ts'

const FIRST_BACKOFF_MS = 100
const LONGEST_BACKOFF_MS = 60_000
/** A run of this length lets the next wait begin small again. */
const STEADY_MS = 10_000
const LOG_LINES = 2000

const signalNumbers: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ABRT: 6,
  KILL: 9,
  USR1: 10,
  USR2: 12,
  ALRM: 14,
  TERM: 15,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  WINCH: 28,
}

/** `SIGTERM`, `TERM` or `15` as `TERM`. Errors: invalid. */
export function signalName(text: string): string {
  const named = text.toUpperCase().replace(/^SIG/, '')
  if (named in signalNumbers) return named
  const numbered = Object.entries(signalNumbers).find(([, number]) => String(number) === text)
  if (numbered === undefined) throw invalid(`Invalid signal: ${text}`)
  return numbered[0]
}

/** Starts it for an API call. Running already is success. Errors: those of `launch`, conflict (paused), inProgress. */
export function startContainer(machine: Machine, container: RawContainer): void {
  if (container.state === 'paused') throw conflict('cannot start a paused container, try unpause instead')
  if (container.removing || container.state === 'dead') {
    throw inProgress('container is marked for removal and cannot be started')
  }
  if (container.state === 'running' || container.state === 'restarting') return
  launch(machine, container, () => resetPolicy(container))
}

/** Docker's restart policy begins anew, as at every start that is not its own. */
export function resetPolicy(container: RawContainer): void {
  container.restartCount = 0
  container.backoffMs = 0
  container.restartsCanceled = false
  container.manuallyStopped = false
}

/**
 * Starts the process. A failure is recorded in the container, which stays what it was.
 * Errors: notFound (network), addressTaken, portTaken, conflict (donor not running), invalid (no such command), failed (a task is left).
 *
 * @param onNetworked called once the network is there, as the engine resets its restart policy only then
 */
export function launch(machine: Machine, container: RawContainer, onNetworked: () => void = () => {}): void {
  const program = machine.options.programs?.(container.config, container.runs) ?? {}
  try {
    const namespace = joinNamespace(machine, container)
    attachAll(machine, container)
    onNetworked()
    mountVolumes(machine, container)
    if (container.taskLeft) throw failed(`task ${container.id}: already exists`)
    if (program.missingCommand !== undefined) throw new MissingCommand(program.missingCommand)
    run(machine, container, program, namespace)
  } catch (error) {
    container.error = textOf(error)
    if (container.exitCode === 0) container.exitCode = error instanceof MissingCommand ? 127 : 128
    releasePorts(machine, container.id)
    releaseAll(machine, container)
    unmountVolumes(machine, container)
    container.view = undefined
    throw error
  }
}

class MissingCommand extends EngineError {
  constructor(command: string) {
    const said = `exec: "${command}": stat ${command}: no such file or directory: unknown`
    super(
      'invalid',
      `failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ${said}`,
    )
  }
}

/** The namespace of the donor, which must run; or one of its own. */
function joinNamespace(machine: Machine, { networkMode }: RawContainer): NetworkNamespace {
  if (!networkMode.startsWith('container:')) return { alive: true }
  const id = networkMode.slice('container:'.length)
  const donor = machine.findContainer(id)
  if (donor === undefined) throw notFound(`No such container: ${id}`)
  if (donor.state === 'restarting') throw conflict(`Container ${id} is restarting, wait until the container is running`)
  if (donor.run === undefined) throw conflict(`cannot join network of a non running container: ${id}`)
  return donor.run.namespace
}

function run(machine: Machine, container: RawContainer, program: Program, namespace: NetworkNamespace): void {
  const current: Run = { program, namespace, timers: new Set(), killed: false, frozen: [] }
  Object.assign(container, {
    state: 'running',
    error: '',
    exitCode: 0,
    oomKilled: false,
    startedAt: machine.now(),
    pid: machine.newPid(),
    run: current,
    runs: container.runs + 1,
    view: undefined,
  })
  machine.emitContainer(container, 'start')
  machine.options.onLife?.(viewOf(container), 'start')
  const { exits, output = [] } = program
  for (const { afterMs, stream, text } of output)
    during(machine, container, afterMs, () => writeLog(machine, container, stream, text))
  if (exits !== undefined)
    during(machine, container, exits.afterMs, () => endProcess(machine, container, exits.exitCode, exits.oomKilled))
}

/** What a process does later on, unless it has ended by then; one that is paused does it when it goes on. */
function during(machine: Machine, container: RawContainer, ms: number, act: () => void): void {
  const current = container.run!
  const timer = machine.options.timers.setTimeout(() => {
    current.timers.delete(timer)
    if (container.state === 'paused') current.frozen.push(act)
    else act()
  }, ms)
  current.timers.add(timer)
}

export function writeLog(machine: Machine, container: RawContainer, stream: 'stdout' | 'stderr', text: string): void {
  const at = machine.now()
  container.logs.push({ at, stream, text, timestamp: new Date(at).toISOString().replace('Z', '000000Z') })
  if (container.logs.length > LOG_LINES) container.logs.shift()
  wake(container)
}

/** Lets everyone look again who waits for something about this container. */
export function wake(container: RawContainer): void {
  for (const look of [...container.waiters]) look()
}

/** Resolves once `done` holds; asked at every change of the container. */
export function until(container: RawContainer, done: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!done()) return
      container.waiters.delete(look)
      resolve()
    }
    container.waiters.add(look)
    look()
  })
}

/** Sends a signal to the process of a container, as an API call does. Errors: conflict when there is none. */
export function killContainer(machine: Machine, container: RawContainer, signal: string, by: SignalRecord['by']): void {
  if (!hasProcess(container) && container.state !== 'restarting') throw conflict(`Container ${container.id} is not running`)
  const { stopSignal } = container.config
  const lettingGo = stopSignal === undefined || signal === 'KILL' || signalName(stopSignal) === signal
  if (lettingGo) container.restartsCanceled = true
  container.manuallyStopped = true
  if (container.state === 'restarting') {
    callOffRestart(machine, container)
    return
  }
  const unpauses = lettingGo && container.state === 'paused'
  machine.emitContainer(container, 'kill', { signal: String(signalNumbers[signal]) })
  if (unpauses) thaw(machine, container, signal !== 'KILL')
  deliver(machine, container, signal, by)
}

/** What the process itself makes of a signal; one that is frozen gets it when it goes on. */
export function deliver(machine: Machine, container: RawContainer, signal: string, by: SignalRecord['by']): void {
  const current = container.run
  if (current === undefined) return
  if (signal === 'KILL') {
    machine.options.onSignal?.({ at: machine.now(), container: viewOf(container), signal, by })
    killProcess(machine, container, current)
    return
  }
  if (container.state === 'paused') {
    current.frozen.push(() => deliver(machine, container, signal, by))
    return
  }
  machine.options.onSignal?.({ at: machine.now(), container: viewOf(container), signal, by })
  const answer = current.program.signals?.[signal] ?? kernelAnswer(signal, container.config.init)
  if (answer === 'ignored') return
  if (answer.afterMs === 0) endProcess(machine, container, answer.exitCode)
  else during(machine, container, answer.afterMs, () => endProcess(machine, container, answer.exitCode))
}

function killProcess(machine: Machine, container: RawContainer, current: Run): void {
  if (current.killed) return
  current.killed = true
  const { killMs = 0 } = current.program
  if (killMs === 0) endProcess(machine, container, 137)
  else during(machine, container, killMs, () => endProcess(machine, container, 137))
}

/** What happens to a process that does not care: the kernel spares the first one of a container. */
function kernelAnswer(signal: string, init: boolean): 'ignored' | { readonly exitCode: number; readonly afterMs: number } {
  if (!init || ['CHLD', 'CONT', 'STOP', 'WINCH'].includes(signal)) return 'ignored'
  return { exitCode: 128 + signalNumbers[signal]!, afterMs: 0 }
}

export function thaw(machine: Machine, container: RawContainer, tell: boolean): void {
  container.state = 'running'
  container.view = undefined
  if (tell) machine.emitContainer(container, 'unpause')
  for (const act of container.run?.frozen.splice(0) ?? []) act()
}

/** The process has ended: the addresses are free, and Docker's policy decides what comes next. */
export function endProcess(machine: Machine, container: RawContainer, exitCode: number, oomKilled = false): void {
  const current = container.run
  if (current === undefined) return
  for (const timer of current.timers) machine.options.timers.clearTimeout(timer)
  if (!container.networkMode.startsWith('container:')) current.namespace.alive = false
  const restarts = policyRestarts(machine, container, exitCode)
  if (oomKilled) machine.emitContainer(container, 'oom')
  Object.assign(container, {
    state: restarts ? 'restarting' : 'exited',
    exitCode,
    oomKilled,
    finishedAt: machine.now(),
    pid: 0,
    run: undefined,
    view: undefined,
  })
  releasePorts(machine, container.id)
  machine.emitContainer(container, 'die', { exitCode: String(exitCode) })
  releaseAll(machine, container)
  unmountVolumes(machine, container)
  for (const tell of [...container.attached]) tell(undefined)
  machine.options.onLife?.(viewOf(container), 'end')
  if (restarts) scheduleRestart(machine, container)
  wake(container)
}

function policyRestarts(machine: Machine, container: RawContainer, exitCode: number): boolean {
  const { restartPolicy, manuallyStopped, restartsCanceled, removing } = container
  if (restartPolicy === 'no' || restartsCanceled || removing) return false
  if (machine.now() - container.startedAt >= STEADY_MS) container.backoffMs = 0
  container.backoffMs = container.backoffMs === 0 ? FIRST_BACKOFF_MS : Math.min(container.backoffMs * 2, LONGEST_BACKOFF_MS)
  if (restartPolicy === 'on-failure') return exitCode !== 0
  return restartPolicy === 'always' || !manuallyStopped
}

function scheduleRestart(machine: Machine, container: RawContainer): void {
  container.restartCount += 1
  container.view = undefined
  const { exitCode } = container
  container.restartTimer = machine.later(container.backoffMs, () => {
    container.restartTimer = undefined
    try {
      launch(machine, container)
    } catch (error) {
      // Docker logs it and does not try again.
      if (!(error instanceof EngineError)) throw error
      Object.assign(container, { state: 'exited', exitCode, view: undefined })
      wake(container)
    }
  })
}

function callOffRestart(machine: Machine, container: RawContainer): void {
  machine.options.timers.clearTimeout(container.restartTimer)
  container.restartTimer = undefined
  container.state = 'exited'
  container.view = undefined
  wake(container)
}
