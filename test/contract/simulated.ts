/** The contract's programs and commands for an engine without processes, and a lab on such an engine. */
import type { ContainerConfig, ContainerView, ExecStream } from '../../src/runtime/engine.ts'
import { Channel } from '../simulation/engine/channel.ts'
import { SimulatedEngine } from '../simulation/engine/engine.ts'
import { failed } from '../simulation/engine/errors.ts'
import type { EngineFailure, Executed, Program, Pull } from '../simulation/engine/options.ts'
import { EngineLab, STUB_IMAGE } from '../support/engine.ts'
import { epochMs } from '../support/world.ts'
import { type FreeTime, freeTime } from './freetime.ts'
import { commands, programs } from './programs.ts'

const same = (a: readonly string[], b: readonly string[]): boolean => a.join('\0') === b.join('\0')

/** A shell notices a signal when its sleep of 50 ms is over. */
const idle: Program = { signals: { TERM: { exitCode: 0, afterMs: 25 } } }

const known: readonly (readonly [readonly string[], Program])[] = [
  [programs.idle, idle],
  [programs.stubborn, { signals: { TERM: 'ignored' } }],
  [programs.careless, {}],
  [programs.crash, { exits: { exitCode: 3, afterMs: 5 } }],
  [
    programs.talk,
    {
      exits: { exitCode: 0, afterMs: 110 },
      output: [
        { afterMs: 1, stream: 'stdout', text: 'one' },
        { afterMs: 2, stream: 'stdout', text: 'two' },
        { afterMs: 3, stream: 'stderr', text: 'oops' },
        { afterMs: 104, stream: 'stdout', text: 'three' },
      ],
    },
  ],
  [programs.talkLong, speaks('x'.repeat(40_000))],
  [programs.talkJson, speaks('{"level":"info"}')],
]

function speaks(text: string): Program {
  return { exits: { exitCode: 0, afterMs: 20 }, output: [{ afterMs: 5, stream: 'stdout', text }] }
}

function programOf({ entrypoint = [], init }: ContainerConfig): Program {
  const found = known.find(([command]) => same(command, entrypoint))
  if (found !== undefined) return found[1]
  const [command = ''] = entrypoint
  // An init process starts and finds out then.
  return init ? { exits: { exitCode: 127, afterMs: 5 } } : { missingCommand: command }
}

function execute(engine: SimulatedEngine, { id }: ContainerView, command: readonly string[]): Executed | EngineFailure {
  if (same(command, commands.hasNetwork)) return { exitCode: engine.world.hasNetwork(id) ? 0 : 1, output: '' }
  if (same(command, commands.both)) return { exitCode: 3, output: 'hi\nno\n', afterMs: 60 }
  if (same(command, commands.flood)) return { exitCode: 0, output: 'x'.repeat(100_000) }
  if (same(command, commands.sleep)) return { exitCode: 0, output: '', afterMs: 30_000 }
  return { exitCode: 126, output: `exec: ${command[0]}: not found` }
}

function openStream(_container: unknown, command: readonly string[]): ExecStream {
  const output = new Channel<Uint8Array>()
  const write = async (data: string | Uint8Array): Promise<void> => {
    if (same(command, commands.echo)) output.push(typeof data === 'string' ? new TextEncoder().encode(data) : data)
    else output.end(failed(`${command[0]} ended with code 4: broken`))
  }
  return { write, output, close: () => output.end() }
}

function registry(ref: string): Pull {
  return { afterMs: 10, error: 'failed', message: `Get "http://${ref.split('/')[0]}/v2/": connect: connection refused` }
}

/** An engine that runs the contract's programs, and its time, which passes by itself. */
export function contractEngine(seed = 1): { readonly engine: SimulatedEngine; readonly time: FreeTime } {
  const time = freeTime(epochMs)
  const { now, timers } = time
  const engine: SimulatedEngine = new SimulatedEngine({
    node: 'simulated',
    now,
    timers,
    random: seededRandom(seed),
    programs: programOf,
    images: [{ ref: STUB_IMAGE, files: { '/bin/busybox': 'x'.repeat(4096) } }],
    registry,
    hostPaths: { '/dev/null': 'characterDevice' },
    exec: (container, command) => execute(engine, container, command),
    execStream: openStream,
  })
  return { engine, time }
}

/** Mulberry32: small, and the same everywhere. */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export class SimulatedLab extends EngineLab {
  readonly #engine: SimulatedEngine

  constructor(topic: string, engine: SimulatedEngine = contractEngine().engine) {
    super(topic, engine)
    this.#engine = engine
  }

  override async otherClient(method: string, path: string): Promise<void> {
    const [, id, verb] = /^\/containers\/([^/]+)\/([a-z]+)$/.exec(path) ?? []
    if (method !== 'POST' || id === undefined || verb !== 'pause') throw new Error(`nobody knows ${method} ${path} here`)
    this.#engine.world.pause(id)
  }
}
