/**
 * `npm run demo`: the application of manifests/demo, from a Git repository of its own to running containers.
 *
 *   npm run demo                shows what happens, says what to try, and stays until Ctrl-C
 *   npm run demo -- --exit      plays that by itself, checks every claim, and exits 0 only if all held
 *
 * However it ends, it removes what it made; what a killed one left is removed by the next.
 */
import { existsSync } from 'node:fs'
import { dockerEngine } from '../src/runtime/docker/engine.ts'
import type { Engine } from '../src/runtime/engine.ts'
import { type Daemon, startDaemon } from './demo/daemon.ts'
import { leftOf, removeCluster } from './demo/leftovers.ts'
import { showLive } from './demo/live.ts'
import { type Place, takePlace } from './demo/place.ts'
import { openShop, type Shop } from './demo/shop.ts'
import { ABOUT_LOAD, playStory } from './demo/story.ts'
import { HEAD, renderRow } from './demo/timeline.ts'

const say = (line: string) => void process.stdout.write(`${line}\n`)
const args = process.argv.slice(2)
const unknown = args.find((arg) => arg !== '--exit')
if (unknown !== undefined) {
  process.stderr.write(`demo: there is no ${unknown}; usage: npm run demo [-- --exit]\n`)
  process.exit(2)
}

const interrupted = new AbortController()
// The terminal and the launcher both send it: any but the first is of no interest, for cleaning up takes a moment.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupted.abort())
// A terminal that goes away must not keep the demo from cleaning up.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => interrupted.abort())

/** What the story says of its load once it is over. */
let outcome = ''
const zero = performance.now()
const host = process.env.DOCKER_HOST || 'unix:///var/run/docker.sock'
const engine = dockerEngine({ node: 'demo', host, timeoutMs: 60_000 })
process.exit(await run(engine))

async function run(engine: Engine): Promise<number> {
  const place = await takePlace(engine)
  for (const notice of place.notices) say(notice)
  let problems: string[]
  try {
    problems = await perform(place)
  } catch (error) {
    problems = interrupted.signal.aborted ? [] : [error instanceof Error ? error.message : String(error)]
  }
  problems.push(...(await cleanUp(place)))
  for (const problem of problems) say(`FAILED: ${problem}`)
  if (problems.length > 0) return 1
  if (!args.includes('--exit')) return 0
  if (!interrupted.signal.aborted) say(`\nAll of it held. ${outcome}.`)
  return interrupted.signal.aborted ? 130 : 0
}

/** Resolves to what did not hold. */
async function perform(place: Place): Promise<string[]> {
  const { signal } = interrupted
  const shop: Shop = await openShop(place)
  const daemon: Daemon = await startDaemon(place, shop, signal)
  try {
    if (!args.includes('--exit')) {
      await showLive({ daemon, place, shop, signal, out: process.stdout })
      return []
    }
    say(`${ABOUT_LOAD}\n\n${HEAD}`)
    const { broken, load } = await playStory({ daemon, shop, engine, zero, signal, say })
    outcome = load
    return [...broken]
  } finally {
    await daemon.stop()
  }
}

/** Removes everything and looks whether anything is left; resolves to what is. */
async function cleanUp(place: Place): Promise<string[]> {
  const from = performance.now()
  const made = await leftOf(engine, place.cluster)
  await removeCluster(engine, place.cluster)
  const left = await leftOf(engine, place.cluster)
  place.leave()
  if (existsSync(place.dir)) left.push(`folder ${place.dir}`)
  const at = from - zero
  const tookMs = performance.now() - from
  const lines = [`daemon stopped, ${made.length} containers, networks and volumes removed, and ${place.dir}; nothing is left`]
  if (left.length === 0) say(args.includes('--exit') ? renderRow({ at, step: 'clean up', tookMs, lines }) : lines.join())
  return left.map((what) => `${what} is still there`)
}
