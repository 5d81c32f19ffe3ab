/** Places of the node with a type, on the real engine, which runs on this machine. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, keptFor } from '../support/apps.ts'
import { DaemonLab } from '../support/daemon.ts'

const lab = new DaemonLab('hostpaths')
const host = join(lab.folder, 'host')
const at = (name: string) => join(host, name)
const key = (name: string) => `Deployment/default/${name}`
const socket = createServer()

/** A Deployment with places of the node, by type and name in `host` (or a whole path), mounted at `/0`, `/1` … */
const placed = (name: string, ...places: readonly (readonly [type: string, place: string])[]) =>
  app(name, {
    pod: {
      volumes: places.map(([type, place], n) => ({
        name: `v${n}`,
        hostPath: { path: place.startsWith('/') ? place : at(place), type },
      })),
    },
    container: { volumeMounts: places.map((_, n) => ({ name: `v${n}`, mountPath: `/${n}` })) },
  })

beforeAll(async () => {
  mkdirSync(at('folder'), { recursive: true })
  writeFileSync(at('file'), 'of the node')
  mkdirSync(at('closed'), { mode: 0o700 })
  symlinkSync(at('file'), at('link'))
  symlinkSync('/no/such', at('dangling'))
  execFileSync('mkfifo', [at('pipe')])
  await new Promise<void>((resolve) => socket.listen(at('socket'), resolve))
  await lab.start('--allow', 'default=hostPath')
})

afterAll(async () => {
  await lab.remove()
  socket.close()
})

/** Waits until a pod of the workload says so, and is told so too. */
async function untilWrong(name: string, why: string): Promise<void> {
  await lab.until(`${name} waits: ${why}`, ({ workloads }) =>
    workloads
      .find((workload) => workload.key === key(name))
      ?.pods.find(({ reason, message }) => reason === 'ContainerCreating' && message.includes(why)),
  )
  expect((await lab.events()).some(({ reason, message }) => reason === 'FailedMount' && message.includes(why))).toBe(true)
}

test('a pod gets places of every type, and those that may be made are', async () => {
  const made = placed(
    'fine',
    ['Directory', 'folder'],
    ['File', 'link'],
    ['Socket', 'socket'],
    ['CharDevice', '/dev/null'],
    ['DirectoryOrCreate', 'deep/er'],
    ['FileOrCreate', 'folder/- made'],
    ['FileOrCreate', 'file'],
    ['', 'anything'],
  )
  await lab.write({ 'fine.yaml': [made] })
  const [pod] = (await lab.untilHealthy(key('fine'))).pods
  expect(
    await lab.exec(pod!, 'app', 'cat /1 /6; [ -S /2 ] && [ -c /3 ] && [ -d /4 ] && [ -f /5 ] && [ -d /7 ] && echo all'),
  ).toBe('of the nodeof the nodeall')
  const modes = ['deep', 'deep/er', 'folder/- made'].map((name) => (statSync(at(name)).mode & 0o777).toString(8))
  expect(modes).toEqual(['755', '755', '644'])
  expect(await lab.containers('trireme.role=look')).toEqual([])
})

test('one that is something else, or cannot be had, keeps its pod waiting and says why', async () => {
  const wrong = [
    ['Directory', 'file', `hostPath type check failed: ${at('file')} is not a directory`],
    ['DirectoryOrCreate', 'file', `hostPath type check failed: ${at('file')} is not a directory`],
    ['DirectoryOrCreate', 'file/below', `the folder ${at('file/below')} cannot be made`],
    ['File', 'folder', `hostPath type check failed: ${at('folder')} is not a file`],
    ['File', 'pipe', `hostPath type check failed: ${at('pipe')} is not a file`],
    ['FileOrCreate', 'dangling', `hostPath type check failed: ${at('dangling')} is not a file`],
    ['FileOrCreate', 'none/file', `open ${at('none/file')}: no such file or directory`],
    ['Socket', 'file', `hostPath type check failed: ${at('file')} is not a socket file`],
    ['CharDevice', 'none', `hostPath type check failed: ${at('none')} is not a character device`],
    ['BlockDevice', '/dev/null', 'hostPath type check failed: /dev/null is not a block device'],
  ] as const
  await lab.write({ 'wrong.yaml': wrong.map(([type, place], n) => placed(`wrong-${n}`, [type, place])) })
  for (const [n, [, , why]] of wrong.entries()) await untilWrong(`wrong-${n}`, why)
  expect(readFileSync(at('file'), 'utf8')).toBe('of the node')
  await lab.write({ 'wrong.yaml': null })
})

test('a pod that runs is left alone whatever becomes of its place; the next one waits until that is right again', async () => {
  await lab.write({ 'late.yaml': [placed('late', ['Directory', 'late'])] })
  await untilWrong('late', `hostPath type check failed: ${at('late')} is not a directory`)
  mkdirSync(at('late'))
  const [first] = (await lab.untilHealthy(key('late'))).pods
  rmSync(at('late'), { recursive: true })
  writeFileSync(at('late'), '')
  await lab.write({ 'late.yaml': [placed('late', ['Directory', 'late'], ['', 'anything'])] })
  await untilWrong('late', `hostPath type check failed: ${at('late')} is not a directory`)
  const running = (await lab.pods(key('late'))).filter(({ ready }) => ready)
  expect(running.map(({ uid, restarts }) => ({ uid, restarts }))).toEqual([{ uid: first!.uid, restarts: 0 }])
  rmSync(at('late'))
  mkdirSync(at('late'))
  const [second] = (await lab.untilHealthy(key('late'))).pods
  expect(second!.uid).not.toBe(first!.uid)
})

test('a folder that nobody but its owner may write to gets its file all the same, and a claim its folder', async () => {
  const claiming = app('claiming', {
    pod: {
      volumes: [
        { name: 'v', persistentVolumeClaim: { claimName: 'data' } },
        { name: 'f', hostPath: { path: at('closed/file'), type: 'FileOrCreate' } },
      ],
    },
    container: {
      volumeMounts: [
        { name: 'v', mountPath: '/v' },
        { name: 'f', mountPath: '/f' },
      ],
    },
  })
  execFileSync('chown', ['1234', at('closed')])
  writeFileSync(at('claimed'), '')
  await lab.write({ 'claiming.yaml': [...keptFor('data', { path: at('claimed'), type: 'DirectoryOrCreate' }), claiming] })
  await untilWrong('claiming', `hostPath type check failed: ${at('claimed')} is not a directory`)
  rmSync(at('claimed'))
  const [pod] = (await lab.untilHealthy(key('claiming'))).pods
  await lab.exec(pod!, 'app', 'echo v > /v/file; echo f > /f')
  expect([at('claimed/file'), at('closed/file')].map((path) => readFileSync(path, 'utf8'))).toEqual(['v\n', 'f\n'])
  chmodSync(at('closed'), 0o755)
  expect(await lab.containers('trireme.role=look')).toEqual([])
})
