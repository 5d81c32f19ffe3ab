/** `npm run demo` as a user has it: the story, the live view with its invitations, and what is left when it is killed. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { leftOf, removeCluster } from '../../scripts/demo/leftovers.ts'
import { takePlace } from '../../scripts/demo/place.ts'
import { EngineLab, eventually } from '../support/engine.ts'

const { engine } = new EngineLab('demo')
const own = `demo-test-${process.pid}`

/** A demo as a child process, with all it has said so far. */
interface Demo {
  readonly child: ChildProcess
  said(): string
  /** Waits for a match in what it says; fails with all of it when it ends before. */
  says(pattern: RegExp): Promise<RegExpExecArray>
}

const running = new Set<ChildProcess>()
afterEach(async () => {
  await Promise.all([...running].map((child) => ended(child, 'SIGTERM')))
  await removeCluster(engine, own)
  rmSync(join(tmpdir(), `trireme-${own}`), { recursive: true, force: true })
})

function startDemo(...args: string[]): Demo {
  const child = spawn(process.execPath, ['scripts/demo.ts', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  child.once('exit', () => running.delete(child))
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
  const has = (pattern: RegExp) => () => {
    const found = pattern.exec(text)
    if (found === null && !running.has(child)) throw new Error(`the demo ended:\n${text}`)
    return found
  }
  return { child, said: () => text, says: (pattern) => eventually(`${pattern} of the demo`, has(pattern), 60_000) }
}

/** Its exit code, `null` when the signal ended it. */
async function ended(child: ChildProcess, signal?: NodeJS.Signals): Promise<number | null> {
  if (running.has(child)) {
    const exit = once(child, 'exit')
    if (signal !== undefined) child.kill(signal)
    await exit
  }
  return child.exitCode
}

/** Cluster id and folder of a demo, from its first line. */
async function placeOf(demo: Demo): Promise<{ cluster: string; dir: string }> {
  const [, dir = '', cluster = ''] = await demo.says(/follows (\S*trireme-(demo(?:-\d)?))\/shop\.git/)
  return { cluster, dir }
}

/** The command that the guide offers for `what`. */
async function invitation(demo: Demo, what: string): Promise<string> {
  const [, command = ''] = await demo.says(new RegExp(`^  ${what} {2,}(.*)\n`, 'm'))
  return command
}

test('the story holds: no request lost but at the kills, and nothing left', async () => {
  const demo = startDemo('--exit')
  expect(await ended(demo.child), demo.said()).toBe(0)
  for (const step of ['converge', 'roll', 'kill', 'kill pod', 'no image', 'crash', 'revert', 'scale 5', 'scale 2', 'clean up'])
    expect(demo.said()).toMatch(new RegExp(`^ +[0-9.]+ s  ${step} +[0-9.]+ s`, 'm'))
  expect(demo.said()).toMatch(/CrashLoopBackOff[\s\S]*settings\.json/)
  expect(demo.said()).toMatch(/All of it held\. \d{3,} requests, none lost/)
})

test('a killed demo leaves nothing behind once the next has come; its invitations work; Ctrl-C removes everything', async () => {
  const killed = startDemo()
  const first = await placeOf(killed)
  await killed.says(/deployment web: 3\/3 ready/)
  await ended(killed.child, 'SIGKILL')
  expect((await leftOf(engine, first.cluster)).length).toBeGreaterThan(10)

  const demo = startDemo()
  const { cluster, dir } = await placeOf(demo)
  expect(cluster).toBe(first.cluster)
  expect(demo.said()).toContain('an earlier demo was killed')
  const enter = await invitation(demo, 'a clone of what runs')
  const shell = (command: string) => promisify(execFile)('sh', ['-c', `${enter} && ${command}`])
  const look = await invitation(demo, 'look at it')
  expect((await shell(look)).stdout).toContain('version <b>v1</b>')

  await shell(await invitation(demo, 'roll to version 2'))
  await demo.says(/"Version 2": healthy/)
  expect((await shell(look)).stdout).toMatch(/version <b>v2<\/b>[\s\S]*\(v2\)/)
  await shell(await invitation(demo, 'break a commit'))
  await demo.says(/deployment web: 3\/3 ready.*last log line: .*settings\.json/)
  await shell(await invitation(demo, 'take it back'))
  await demo.says(/"Revert "Broken"": healthy/)
  expect((await shell(await invitation(demo, 'ask for the status'))).stdout).toMatch(/web +3\/3/)
  expect((await shell(await invitation(demo, 'see the metrics'))).stdout).toContain('kube_deployment_status_replicas_ready')

  // The terminal and the launcher both pass on Ctrl-C.
  demo.child.kill('SIGINT')
  expect(await ended(demo.child, 'SIGINT'), demo.said()).toBe(0)
  expect(demo.said()).toContain('nothing is left')
  expect(await leftOf(engine, cluster)).toEqual([])
  expect(existsSync(dir)).toBe(false)
})

test('what carries a demo’s cluster id and is not a demo’s is left alone', async () => {
  const volume = { name: `${own}-precious`, driver: 'local', driverOpts: {}, labels: { 'trireme.cluster': own } }
  await engine.createVolume(volume)
  await expect(takePlace(engine, [own])).rejects.toThrow(`a cluster ${own} that is not a demo's is on this engine`)
  expect(await leftOf(engine, own)).toEqual([`volume ${volume.name}`])
  expect(existsSync(join(tmpdir(), `trireme-${own}`))).toBe(false)
})

test('a place is one demo’s at a time', async () => {
  const place = await takePlace(engine, [own])
  await expect(takePlace(engine, [own])).rejects.toThrow(`another demo runs as cluster ${own}`)
  place.leave()
  const again = await takePlace(engine, [own])
  again.leave()
  expect(existsSync(place.dir)).toBe(false)
})
