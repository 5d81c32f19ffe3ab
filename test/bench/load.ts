/**
 * A client of its own: asks an address for `/`, each time over a new connection and after asking for the name again.
 * It runs where a pod would, in the network of a container, and ends by itself.
 *
 *   node load.ts <DNS server> <name> <port> <longest run, s>
 *
 * Told to stop (SIGTERM), it prints `{"requests": n, "failed": n, "errors": {…}}`.
 */
import { Resolver } from 'node:dns/promises'
import { get } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

const WORKERS = 4
const PAUSE_MS = 20
const TIMEOUT_MS = 3_000

const [server = '', name = '', port = '80', limit = '60'] = process.argv.slice(2)
const resolver = new Resolver({ timeout: 1_000, tries: 3 })
resolver.setServers([server])
const errors = new Map<string, number>()
let requests = 0
let stopped = false
process.on('SIGTERM', () => {
  stopped = true
})
setTimeout(() => {
  stopped = true
}, Number(limit) * 1000).unref()

async function askOnce(): Promise<void> {
  const addresses = await resolver.resolve4(name)
  const host = addresses[requests % addresses.length] ?? ''
  await new Promise<void>((resolve, reject) => {
    const request = get({ host, port, path: '/', agent: false, timeout: TIMEOUT_MS }, (answer) => {
      answer.resume()
      answer.on('error', reject)
      answer.on('end', () => (answer.statusCode === 200 ? resolve() : reject(new Error(`status ${answer.statusCode}`))))
    })
    request.on('timeout', () => request.destroy(new Error('no answer in time')))
    request.on('error', reject)
  })
}

async function work(): Promise<void> {
  while (!stopped) {
    requests += 1
    await askOnce().catch((error: NodeJS.ErrnoException) => {
      const what = error.code ?? error.message
      errors.set(what, (errors.get(what) ?? 0) + 1)
    })
    await delay(PAUSE_MS)
  }
}

process.stdout.write('started\n')
await Promise.all(Array.from({ length: WORKERS }, work))
const failed = [...errors.values()].reduce((sum, count) => sum + count, 0)
process.stdout.write(`${JSON.stringify({ requests, failed, errors: Object.fromEntries(errors) })}\n`)
