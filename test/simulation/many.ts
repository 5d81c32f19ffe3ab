/** Many seeds at once, as many as there are processors. */
import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Verdict } from './worker.ts'

const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url))
/** A process that has run so many gives its memory back by ending. */
const SEEDS_A_PROCESS = 60
/**
 * A world that is not over after so much processor time, a hundred times what most take, is one in which something spins: it is
 * named. By the clock it may take as long as it likes: the machine may do other work.
 */
const SPINS_MS = 120_000
const LOOK_MS = 10_000
/** Linux counts in hundredths of a second. */
const TICK_MS = 10

export interface ManyOptions {
  /** processes; as many as there are processors unless given */
  readonly workers?: number | undefined
  /** the next seed to run; `undefined` for no more */
  readonly next: () => number | undefined
  readonly onVerdict: (verdict: Verdict) => void
}

/** Resolves once every seed has its verdict. A worker that dies is a verdict too. */
export async function runMany(options: ManyOptions): Promise<void> {
  await Promise.all(Array.from({ length: options.workers ?? availableParallelism() }, () => work(options)))
}

async function work({ next, onVerdict }: ManyOptions): Promise<void> {
  for (let seed = next(); seed !== undefined; ) {
    const child = fork(WORKER, {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    for (let count = 0; seed !== undefined && count < SEEDS_A_PROCESS && lives(child); count++) {
      onVerdict(await ask(child, seed))
      seed = next()
    }
    child.kill()
  }
}

function lives({ connected, exitCode, signalCode }: ChildProcess): boolean {
  return connected && exitCode === null && signalCode === null
}

function ask(child: ChildProcess, seed: number): Promise<Verdict> {
  return new Promise((resolve) => {
    let cause = ''
    const before = spentBy(child)
    const watch = setInterval(() => {
      if (spentBy(child) - before < SPINS_MS) return
      cause = `it is not over after ${SPINS_MS / 1000} s of processor time: something is done over and over in no time`
      child.kill('SIGKILL')
    }, LOOK_MS)
    const done = (verdict: Verdict): void => {
      clearInterval(watch)
      child.removeAllListeners('exit')
      resolve(verdict)
    }
    child.once('message', (verdict) => done(verdict as Verdict))
    child.once('exit', (code, signal) => {
      const none = { virtualMs: 0, operations: 0, commits: 0, daemons: 0, faults: {}, trace: [] }
      done({ seed, ...none, violation: cause || `the worker died: ${signal ?? `exit ${code}`}` })
    })
    child.send(seed)
  })
}

/** Processor time of a process: ms. Where the system does not tell, time by the clock stands for it. */
function spentBy({ pid }: ChildProcess): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS
  } catch {
    return performance.now()
  }
}
