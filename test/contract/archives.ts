import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { packFiles, unpack, unpackFiles } from '../../src/runtime/archive.ts'
import type { ContainerConfig, Engine } from '../../src/runtime/engine.ts'
import { tarOf } from '../support/tars.ts'
import { errorOf, kindOf } from './kinds.ts'
import type { ContractLab } from './lab.ts'
import { programs } from './programs.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const files = [
  { path: 'a.conf', mode: 0o644, bytes: bytes('one') },
  { path: 'sub/b.conf', mode: 0o400, bytes: bytes('two') },
]

export function archiveContract(current: () => ContractLab): void {
  describe('volumes and archives', () => {
    let lab: ContractLab
    let engine: Engine
    beforeEach(() => {
      lab = current()
      engine = lab.engine
    })
    afterEach(async () => {
      await lab.removeContainers()
      for (const { name } of await engine.listVolumes([lab.label])) await engine.removeVolume(name)
    })

    const mounted = (volume: string, readOnly = false): Pick<ContainerConfig, 'mounts'> => ({
      mounts: [{ type: 'volume', source: volume, target: '/config', readOnly }],
    })
    const put = async (id: string) => engine.putArchive(id, '/config', await packFiles(files, { gid: 0 }))
    const read = async (id: string) => {
      const found = await unpackFiles(await engine.getArchive(id, '/config/.', 1024 * 1024), { maxBytes: 1024 * 1024 })
      return found
        .map(({ path, mode, bytes }) => ({ path, mode, bytes: new Uint8Array(bytes) }))
        .sort((a, b) => (a.path < b.path ? -1 : 1))
    }
    const wanted = files.map((file) => ({ ...file, bytes: new Uint8Array(file.bytes) }))

    test('a volume shows its labels; making it again is success unless it is another one', async () => {
      const config = lab.volume({ labels: { role: 'data' } })
      await engine.createVolume(config)
      await engine.createVolume(config)
      const [view] = await engine.listVolumes([lab.label, 'role=data'])
      expect(view).toMatchObject({ name: config.name, driver: 'local', labels: config.labels })
      expect(view!.mountpoint).not.toBe('')
      expect(await kindOf(engine.createVolume({ ...config, labels: {} }))).toBe('conflict')
    })

    test('a volume that stands for a folder of the host tells of that folder, which a sandbox may make', async () => {
      const [at, stands] = [lab.volume(), lab.volume()]
      await engine.createVolume(at)
      const [made] = (await engine.listVolumes([lab.label])).filter(({ name }) => name === at.name)
      const folder = `${made!.mountpoint}/folder`
      await engine.createVolume({ ...stands, driverOpts: { type: 'none', o: 'bind', device: folder } })
      const [view] = (await engine.listVolumes([lab.label])).filter(({ name }) => name === stands.name)
      expect(view!.mountpoint).toBe(folder)
      const mount = { type: 'bind', source: folder, target: '/x', readOnly: false, create: true, propagation: 'rslave' } as const
      await lab.start(programs.idle, { mounts: [mount] })
      await lab.start(programs.idle, mounted(stands.name))
    })

    test('a volume in use stays; one that is gone is success', async () => {
      const config = lab.volume()
      await engine.createVolume(config)
      const id = await lab.create(programs.idle, mounted(config.name))
      expect(await kindOf(engine.removeVolume(config.name))).toBe('conflict')
      await engine.removeContainer(id)
      await engine.removeVolume(config.name)
      await engine.removeVolume(config.name)
      expect(await engine.listVolumes([lab.label])).toEqual([])
    })

    test.each(['created', 'running'])('files put into a volume of a %s container are read back, by others too', async (state) => {
      const { name } = lab.volume()
      await engine.createVolume(lab.volume({ name }))
      const id = await lab.create(programs.idle, mounted(name))
      if (state === 'running') await engine.startContainer(id)
      await put(id)
      expect(await read(id)).toEqual(wanted)
      const other = await lab.start(programs.idle, mounted(name, true))
      expect(await read(other)).toEqual(wanted)
      expect((await engine.inspectContainer(other))!.mounts).toEqual([
        expect.objectContaining({ type: 'volume', name, destination: '/config', readOnly: true }),
      ])
    })

    test('a volume that is gone when a container is made of it is made again, with its labels, in memory if it was there', async () => {
      const volume = lab.volume({ labels: { role: 'data' }, driverOpts: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' } })
      const mount = { type: 'volume', source: volume.name, target: '/config', readOnly: false, volume } as const
      const id = await lab.start(programs.idle, { mounts: [mount] })
      expect(await engine.listVolumes([lab.label])).toMatchObject([{ name: volume.name, labels: volume.labels }])
      // Whoever comes to make it afterwards finds the one that is wanted.
      await engine.createVolume(volume)
      await put(id)
      expect(await read(id)).toEqual(wanted)
      await engine.stopContainer(id, 0)
      expect(await read(id)).toEqual([])
    })

    test('a volume in memory keeps its files while a container runs with it', async () => {
      const config = lab.volume({ driverOpts: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' } })
      await engine.createVolume(config)
      const sandbox = await lab.start(programs.idle, mounted(config.name))
      await put(sandbox)
      const member = await lab.start(programs.idle, { ...mounted(config.name, true), networkMode: `container:${sandbox}` })
      expect(await read(member)).toEqual(wanted)
      await engine.removeContainer(member)
      expect(await read(sandbox)).toEqual(wanted)
      await engine.stopContainer(sandbox, 5)
      await engine.startContainer(sandbox)
      expect(await read(sandbox)).toEqual([])
    })

    test.each(['created', 'running'])('what is at a path of a %s container', async (state) => {
      const { name } = lab.volume()
      await engine.createVolume(lab.volume({ name }))
      const id = await lab.create(programs.idle, mounted(name))
      if (state === 'running') await engine.startContainer(id)
      await put(id)
      const types = ['/', '/tmp', '/config', '/config/a.conf', '/config/sub', '/config/sub/b.conf']
      expect(await Promise.all(types.map((path) => engine.fileType(id, path)))).toEqual([
        'directory',
        'directory',
        'directory',
        'file',
        'directory',
        'file',
      ])
      expect(await kindOf(engine.fileType(id, '/config/none'))).toBe('notFound')
      expect(await kindOf(engine.fileType(id, '/no/such'))).toBe('notFound')
      expect(await kindOf(engine.fileType('f'.repeat(64), '/'))).toBe('notFound')
    })

    test('what is at a path of the host is seen where it is mounted, and a folder is made where that is asked for', async () => {
      const at = lab.volume()
      await engine.createVolume(at)
      await put(await lab.create(programs.idle, mounted(at.name)))
      const [view] = (await engine.listVolumes([lab.label])).filter(({ name }) => name === at.name)
      const host = view!.mountpoint
      const see = async (source: string, create?: true) => {
        const mount = {
          type: 'bind',
          source,
          target: '/place',
          readOnly: true,
          ...(create && { create, propagation: 'rslave' as const }),
        } as const
        return engine.fileType(await lab.create(programs.idle, { mounts: [mount] }), '/place')
      }
      expect(await see(host)).toBe('directory')
      expect(await see(`${host}/a.conf`)).toBe('file')
      expect(await see('/dev/null')).toBe('characterDevice')
      expect(await kindOf(see(`${host}/new/folder`))).toBe('invalid')
      expect(await see(`${host}/new/folder`, true)).toBe('directory')
      expect(await see(`${host}/a.conf`, true)).toBe('file')
    })

    test.each(['created', 'running'])('links in a volume of a %s container are kept as links', async (state) => {
      const { name } = lab.volume()
      await engine.createVolume(lab.volume({ name }))
      const id = await lab.create(programs.idle, mounted(name))
      if (state === 'running') await engine.startContainer(id)
      const links = [
        { path: '..data', target: '..1' },
        { path: 'a.conf', target: '..data/a.conf' },
        { path: 'gone', target: '/no/such' },
      ]
      const entries = links.map(({ path, target }) => ({ name: path, type: 'symlink' as const, linkname: target }))
      await engine.putArchive(id, '/config', await tarOf({ name: '..1/a.conf', body: 'one' }, ...entries))
      const found = await unpack(await engine.getArchive(id, '/config', 65_536), { maxBytes: 65_536 })
      expect(found.files.map(({ path }) => path)).toEqual(['config/..1/a.conf'])
      expect(found.links.sort((a, b) => (a.path < b.path ? -1 : 1))).toEqual(
        links.map(({ path, target }) => ({ path: `config/${path}`, target })),
      )
      expect(await engine.fileType(id, '/config/a.conf')).toBe('link')
    })

    test('an archive over the limit is not read', async () => {
      const id = await lab.create(programs.idle)
      const error = await errorOf(engine.getArchive(id, '/bin', 1000))
      expect(error.kind).toBe('failed')
      expect(error.message).toContain('1000 bytes')
    })

    test('paths and containers that are not there', async () => {
      const id = await lab.create(programs.idle)
      const tar = await packFiles(files, { gid: 0 })
      expect(await kindOf(engine.getArchive(id, '/no/such', 1000))).toBe('notFound')
      expect(await kindOf(engine.putArchive(id, '/no/such', tar))).toBe('notFound')
      expect(await kindOf(engine.putArchive('f'.repeat(64), '/', tar))).toBe('notFound')
    })
  })
}
