import type { ExecStream } from '../engine.ts'
import { RouterError } from './error.ts'

/** Runs `fire` once, `delayMs` from now; the returned function calls it off. */
export type StartTimer = (delayMs: number, fire: () => void) => () => void

/** Bytes that one answer may have; the largest is the stored table. */
const maxLineBytes = 64 * 1024 * 1024

/** Requests to an agent and their answers, one at a time, in the order they were asked. */
export interface Exchange {
  /** The next line that was not asked for: the agent's greeting. */
  greeting(): Promise<string>
  /** Sends `request(id)`; resolves with the words of the answer, without the id. What `request` throws sends nothing. */
  ask(request: (id: number) => string | Uint8Array): Promise<string[]>
  close(): void
}

interface Waiting {
  readonly id: number
  readonly resolve: (words: string[]) => void
  readonly reject: (error: RouterError) => void
}

/**
 * Line protocol over one exec stream. The first failure ends it: what is asked fails, then and later, and
 * `onEnd` is called once with the reason, unless `close` came first.
 */
export function openExchange(
  stream: ExecStream,
  options: { readonly timeoutMs: number; readonly startTimer: StartTimer; readonly onEnd: (error: RouterError) => void },
): Exchange {
  let ended: RouterError | undefined
  let waiting: Waiting | undefined
  let lastId = 0
  let turn: Promise<unknown> = Promise.resolve()

  const end = (error: RouterError, tell: boolean): void => {
    if (ended) return
    ended = error
    stream.close()
    waiting?.reject(error)
    waiting = undefined
    if (tell) options.onEnd(error)
  }

  const answer = (id: number, send: () => Promise<void>): Promise<string[]> => {
    if (ended) return Promise.reject(ended)
    const { promise, resolve, reject } = Promise.withResolvers<string[]>()
    const late = () => end(new RouterError('timeout', `the router did not answer within ${options.timeoutMs} ms`), true)
    const callOff = options.startTimer(options.timeoutMs, late)
    waiting = { id, resolve, reject }
    send().catch((cause) => end(lost(cause), true))
    return promise.finally(callOff)
  }

  const take = (line: string): void => {
    const words = line.split(' ')
    const asked = waiting
    if (asked?.id !== 0 && words[0] === 'locked') {
      end(new RouterError('locked', `another daemon has taken the router over: ${words.slice(1).join(' ')}`), true)
      return
    }
    if (!asked || (asked.id !== 0 && words[1] !== String(asked.id))) {
      end(new RouterError('lost', `the router said something that was not asked: ${line.slice(0, 200)}`), true)
      return
    }
    waiting = undefined
    asked.resolve(asked.id === 0 ? words : [words[0] ?? '', ...words.slice(2)])
  }

  const greeted = answer(0, async () => {})
  greeted.catch(() => {})
  readLines(stream.output, take).then(
    () => end(new RouterError('lost', 'the agent in the router ended'), true),
    (cause) => end(lost(cause), true),
  )

  return {
    greeting: async () => (await greeted).join(' '),
    ask(request) {
      const asked = turn.then(() => {
        const id = ++lastId
        const bytes = request(id)
        return answer(id, () => stream.write(bytes))
      })
      turn = asked.catch(() => {})
      return asked
    },
    close: () => end(new RouterError('lost', 'the connection to the router was closed'), false),
  }
}

async function readLines(output: AsyncIterable<Uint8Array>, take: (line: string) => void): Promise<void> {
  const pending: Buffer[] = []
  let size = 0
  for await (const chunk of output) {
    let rest = Buffer.from(chunk)
    for (let cut = rest.indexOf(10); cut >= 0; cut = rest.indexOf(10)) {
      take(Buffer.concat([...pending.splice(0), rest.subarray(0, cut)]).toString('utf8'))
      rest = rest.subarray(cut + 1)
      size = 0
    }
    size += rest.length
    if (size > maxLineBytes) throw new Error(`the router's answer is longer than ${maxLineBytes} bytes`)
    pending.push(rest)
  }
}

function lost(cause: unknown): RouterError {
  return new RouterError('lost', `the stream to the router broke: ${cause instanceof Error ? cause.message : String(cause)}`, {
    cause,
  })
}
