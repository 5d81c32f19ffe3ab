/** The far end of a router's stream: it says yes to whatever it is sent. */
import type { ExecStream } from '../../../src/runtime/engine.ts'
import { Channel } from '../../simulation/engine/channel.ts'

/** @param received told of every request's length in bytes */
export function routerAgent(received: (bytes: number) => void): ExecStream {
  const answers = new Channel<Uint8Array>()
  const say = (line: string): void => answers.push(Buffer.from(`${line}\n`))
  say('ready 1')
  return {
    output: answers,
    async write(data) {
      const request = typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
      const [verb = '', id = ''] = request.toString('latin1', 0, request.indexOf(10)).split(' ')
      received(request.length)
      setImmediate(() => say(answerTo(verb, id)))
    },
    close: () => answers.end(),
  }
}

function answerTo(verb: string, id: string): string {
  if (verb === 'meta') return `meta ${id} -`
  if (verb === 'check') return `state ${id} same same`
  return verb === 'ping' ? `pong ${id}` : `ok ${id}`
}
