/**
 * A process that asks without end and tells what was lost: a line of JSON for each thing told, until its standard input
 * ends. It is one of its own, so that what the test does never delays a request, and so that it can be inside of the
 * engine's network namespace.
 *
 *   node client.ts <errands as JSON>
 */
import { Resolver } from 'node:dns/promises'
import { Agent, type ClientRequest, get } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Errand, Told, Way } from './ways.ts'

/** Longer than any pause that is not an outage: ms. */
const TIMEOUT_MS = 8_000
const NAMES_TIMEOUT_MS = 3_000
const TELL_EVERY_MS = 100
/** Shorter ones are no news: ms. */
const SILENCE_MS = 300
const NAME = 'web.default.svc.cluster.local'

interface Tally {
  count: number
  askedAt: number
  lastAt: number
}

const tallies = new Map<Way, Tally>()
let ended = false

function tell(told: Told): void {
  process.stdout.write(`${JSON.stringify(told)}\n`)
}

function answered(way: Way, askedAt: number): void {
  const now = Date.now()
  const tally = tallies.get(way) ?? { count: 0, askedAt: 0, lastAt: now }
  if (now - tally.lastAt > SILENCE_MS) tell({ kind: 'silence', silence: { way, from: tally.lastAt, to: now } })
  tallies.set(way, { count: tally.count + 1, askedAt: Math.max(tally.askedAt, askedAt), lastAt: now })
}

/** Name of the pod that answered. */
function request(url: string, agent: Agent | false): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = get(url, { agent, timeout: TIMEOUT_MS }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        body += chunk
      })
      response.on('error', reject)
      response.on('end', () => {
        if (response.statusCode === 200) resolve((JSON.parse(body) as { pod: string }).pod)
        else reject(new Error(`status ${response.statusCode}`))
      })
    })
    asked.on('timeout', () => asked.destroy(new Error(`no answer in ${TIMEOUT_MS} ms, ${progress(asked)}`)))
    asked.on('error', reject)
  })
}

/** How far it has come says where it is lost. */
function progress({ socket }: ClientRequest): string {
  if (socket === null) return 'without a socket'
  if (socket.connecting) return `without a connection from port ${socket.localPort}`
  return `connected from port ${socket.localPort}`
}

function asking({ way, target }: Errand): () => Promise<string> {
  if (way === 'names') {
    const resolver = new Resolver({ timeout: NAMES_TIMEOUT_MS, tries: 1 })
    resolver.setServers([target])
    return async () => ((await resolver.resolve4(NAME)).length > 0 ? '' : Promise.reject(new Error('no address')))
  }
  const agent = way === 'held' ? new Agent({ keepAlive: true, maxSockets: 1 }) : false
  return () => request(target, agent)
}

async function work(errand: Errand): Promise<void> {
  const { way, pauseMs } = errand
  const ask = asking(errand)
  let pod = ''
  while (!ended) {
    const sentAt = Date.now()
    try {
      const answer = await ask()
      pod = way === 'held' ? answer : ''
      answered(way, sentAt)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      tell({ kind: 'loss', loss: { way, sentAt, lostAt: Date.now(), why: code ?? message, pod } })
      pod = ''
    }
    await delay(pauseMs)
  }
}

async function tellAnswers(): Promise<void> {
  while (!ended) {
    for (const [way, { count, askedAt }] of tallies) tell({ kind: 'answers', way, count, askedAt })
    await delay(TELL_EVERY_MS)
  }
}

const errands = JSON.parse(process.argv[2] ?? '[]') as readonly Errand[]
process.stdin.resume().once('end', () => {
  ended = true
})
await Promise.all([...errands.flatMap((errand) => Array.from({ length: errand.workers }, () => work(errand))), tellAnswers()])
for (const [way, { count, askedAt }] of tallies) tell({ kind: 'answers', way, count, askedAt })
process.exit()
