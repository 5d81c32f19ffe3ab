/** The disk of the data directory is full: it is told, what runs goes on, and so does the daemon once there is space. */
import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, service } from '../support/apps.ts'
import { DaemonLab } from '../support/daemon.ts'
import { startLoad } from '../support/load.ts'

const lab = new DaemonLab('disk', { source: 'git' })
const web = 'Deployment/default/web'
const ballast = join(lab.data, 'ballast')

function release(version: number): object[] {
  return [
    app('web', {
      replicas: 2,
      image: 'trireme/demo:v1',
      spec: { strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } },
      pod: { terminationGracePeriodSeconds: 10 },
      container: {
        env: [
          { name: 'ROLE', value: 'api' },
          { name: 'RELEASE', value: String(version) },
        ],
        readinessProbe: { httpGet: { path: '/readyz', port: 'http' }, periodSeconds: 1 },
      },
    }),
    app('other'),
    service('web'),
  ]
}

beforeAll(async () => {
  mkdirSync(lab.data)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', lab.data])
  await lab.init()
  const sha = await lab.write({ 'app.yaml': release(0) })
  await lab.start()
  await lab.untilRevision(sha)
})

afterAll(async () => {
  await lab.kill()
  execFileSync('umount', [lab.data])
  await lab.remove()
})

/** Leaves no byte. */
function fill(): void {
  const file = openSync(ballast, 'w')
  for (let size = 1 << 20; size >= 1; )
    try {
      writeSync(file, Buffer.alloc(size))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      size >>= 1
    }
  closeSync(file)
}

test('a full data directory is told, disturbs nothing that runs, and holds up only until there is space', async () => {
  const before = await lab.containers('trireme.owner=Deployment/default/web')
  const load = startLoad(`http://${(await lab.service('Service/default/web')).clusterIP}/version`)
  fill()
  const [pod] = await lab.pods('Deployment/default/other')
  await lab.docker('kill', await lab.container(pod!, 'app'))
  await lab.untilTrue('the checks tell it', async () => {
    const { status, text } = await lab.get('/readyz')
    return status === 503 && /no space left.*free space/s.test(text)
  })
  expect((await lab.get('/healthz')).status).toBe(200)
  const sha = await lab.write({ 'app.yaml': release(1) })
  await lab.until('the source tells it', ({ sources }) => /space/i.test(sources[0]?.error ?? ''))
  // It is a state, not a moment: with nothing to write it is told all the same.
  expect((await lab.get('/readyz')).text).toMatch(/no space left/)
  expect(await lab.containers('trireme.owner=Deployment/default/web')).toEqual(before)

  rmSync(ballast)
  await lab.sync()
  await lab.untilRevision(sha)
  await lab.untilTrue('the checks are well', async () => (await lab.get('/readyz')).status === 200)
  const { ok, failed } = await load.stop()
  expect(ok).toBeGreaterThan(20)
  expect(failed).toEqual([])
  expect((await lab.workload(web)).condition).toBe('Available')
})
