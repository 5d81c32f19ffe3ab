import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

interface Leftovers {
  livePid(file: string, command: string): number
  removeLeftovers(run: string): Promise<string[]>
}

// Setup code is plain JavaScript; a path that is not a literal keeps its lack of types from the compiler.
const path: string = '../../../scripts/ensure/engine.mjs'
const { livePid, removeLeftovers } = (await import(path)) as Leftovers

let run: string
beforeEach(() => {
  run = mkdtempSync(join(tmpdir(), 'trireme-leftovers-'))
  mkdirSync(join(run, 'docker/containerd'), { recursive: true })
})
afterEach(() => rmSync(run, { recursive: true }))

test('removeLeftovers: a pid file whose number now belongs to another program', async () => {
  writeFileSync(join(run, 'docker.pid'), String(process.pid))
  expect(await removeLeftovers(run)).toEqual([join(run, 'docker.pid')])
})

test('removeLeftovers: pid files of processes that are gone, and nothing else in the folder', async () => {
  writeFileSync(join(run, 'docker.pid'), '4194999')
  writeFileSync(join(run, 'docker/containerd/containerd.pid'), '')
  writeFileSync(join(run, 'docker/containerd/containerd.toml'), 'kept')
  expect(await removeLeftovers(run)).toEqual([join(run, 'docker.pid'), join(run, 'docker/containerd/containerd.pid')])
  expect(await removeLeftovers(run)).toEqual([])
})

test('removeLeftovers: a socket that somebody listens on is kept', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(join(run, 'docker.sock'), resolve))
  expect(await removeLeftovers(run)).toEqual([])
  await new Promise((resolve) => server.close(resolve))
})

test('removeLeftovers: a socket whose listener was killed', async () => {
  const socket = join(run, 'docker.sock')
  const listen = `require('node:net').createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', listen])
  expect(await removeLeftovers(run)).toEqual([socket])
})

test('livePid: the number of a live process that runs this command, and 0 for any other', () => {
  const file = join(run, 'own.pid')
  writeFileSync(file, `${process.pid}\n`)
  const command = readFileSync('/proc/self/comm', 'utf8').trim()
  expect(livePid(file, command)).toBe(process.pid)
  expect(livePid(file, 'dockerd')).toBe(0)
})
