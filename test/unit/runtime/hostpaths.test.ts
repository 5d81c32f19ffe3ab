/** Places of a node, looked at on a simulated engine. */
import { describe, expect, test } from 'vitest'
import type { PathCheck } from '../../../src/reconcilers/plan.ts'
import type { ContainerView, FileType } from '../../../src/runtime/engine.ts'
import { checkPaths, MountError } from '../../../src/runtime/hostpaths.ts'
import { bench, config } from '../../simulation/engine/bench.ts'
import type { Executed } from '../../simulation/engine/options.ts'

const hostPaths: Readonly<Record<string, FileType>> = {
  '/srv': 'directory',
  '/srv/conf': 'file',
  '/run/docker.sock': 'socket',
  '/dev/null': 'characterDevice',
  '/dev/sda': 'blockDevice',
  '/run/pipe': 'pipe',
}

type Made = (container: ContainerView, command: readonly string[]) => Executed

/** `''` when all is well, and otherwise why not; with what is left of it on the engine, and what was looked at again. */
async function looked(paths: readonly (readonly [PathCheck['type'], string])[], exec?: Made, left = false) {
  const { engine } = bench({ hostPaths: { ...hostPaths }, ...(exec === undefined ? {} : { exec }) })
  const container = config('look')
  if (left) await engine.createContainer(container)
  const seen: string[] = []
  const refresh = async (id: string): Promise<void> => void seen.push(id)
  const why = await checkPaths(
    { engine, refresh },
    { container, paths: paths.map(([type, path]) => ({ volume: 'v', type, path })) },
  ).then(
    () => '',
    (error: Error) => (error instanceof MountError ? error.message : `${error.name}: ${error.message}`),
  )
  return { why, left: [...engine.raw.containers.values()].length, seen }
}

const prefix = 'MountVolume.SetUp failed for volume "v" : '

describe('a place of the node', () => {
  for (const { type, fits, called } of [
    { type: 'Directory', fits: '/srv', called: 'a directory' },
    { type: 'DirectoryOrCreate', fits: '/srv', called: 'a directory' },
    { type: 'File', fits: '/srv/conf', called: 'a file' },
    { type: 'FileOrCreate', fits: '/srv/conf', called: 'a file' },
    { type: 'Socket', fits: '/run/docker.sock', called: 'a socket file' },
    { type: 'CharDevice', fits: '/dev/null', called: 'a character device' },
    { type: 'BlockDevice', fits: '/dev/sda', called: 'a block device' },
  ] as const) {
    test.each(Object.keys(hostPaths))(`that is to be a ${type}: %s`, async (path) => {
      const { why, left } = await looked([[type, path]])
      const fine = hostPaths[path] === hostPaths[fits]
      expect([why, left]).toEqual([fine ? '' : `${prefix}hostPath type check failed: ${path} is not ${called}`, 0])
    })
  }

  test.each(['Directory', 'File', 'Socket', 'CharDevice', 'BlockDevice'] as const)(
    'that is to be a %s and is not there',
    async (type) => {
      expect((await looked([[type, '/no/such']])).why).toContain('hostPath type check failed: /no/such is not a')
    },
  )

  test('that is a folder which is not there is made', async () => {
    expect((await looked([['DirectoryOrCreate', '/srv/new']])).why).toBe('')
  })

  test('is looked at after the one before it, and the first that is wrong is told', async () => {
    const { why, seen } = await looked([
      ['Directory', '/srv'],
      ['Socket', '/srv/conf'],
      ['File', '/no/such'],
    ])
    expect(why).toBe(`${prefix}hostPath type check failed: /srv/conf is not a socket file`)
    expect(seen).toHaveLength(2)
  })

  test('is looked at though a daemon has ended in the middle of that', async () => {
    expect(await looked([['Directory', '/srv']], undefined, true)).toMatchObject({ why: '', left: 0 })
  })
})

describe('a file that is not there', () => {
  test('is made in the folder that it is in, which is mounted alone', async () => {
    const asked: unknown[] = []
    const { why } = await looked([['FileOrCreate', '/srv/a b']], ({ mounts }, command) => {
      asked.push(mounts, command.slice(-2))
      return { exitCode: 0, output: '' }
    })
    expect(asked).toEqual([
      [{ type: 'bind', name: '', source: '/srv', destination: '/place', readOnly: false }],
      ['/place', 'a b'],
    ])
    // Nothing runs in a simulated engine: nobody has made it.
    expect(why).toBe(`${prefix}hostPath type check failed: /srv/a b is not a file`)
  })

  test('cannot be made in a folder that is not there', async () => {
    expect(await looked([['FileOrCreate', '/no/such']])).toMatchObject({
      why: `${prefix}open /no/such: no such file or directory`,
      left: 0,
    })
  })

  test('cannot be made where nobody may write', async () => {
    const { why, left } = await looked([['FileOrCreate', '/srv/x']], () => ({ exitCode: 1, output: 'Read-only file system\n' }))
    expect([why, left]).toEqual([`${prefix}the file /srv/x cannot be made: Read-only file system`, 0])
  })
})

test('what an engine cannot do is its own error', async () => {
  const { engine } = bench({ images: [] })
  const checks = { container: config('look'), paths: [{ volume: 'v', type: 'File', path: '/srv' }] as const }
  await expect(checkPaths({ engine, refresh: async () => {} }, checks)).rejects.toMatchObject({ kind: 'imageNotFound' })
})
