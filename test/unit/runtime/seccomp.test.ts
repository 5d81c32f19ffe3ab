import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { ContainerConfig } from '../../../src/runtime/engine.ts'
import { withSeccomp } from '../../../src/runtime/seccomp.ts'

const root = mkdtempSync(join(tmpdir(), 'trireme-seccomp-'))
afterAll(() => rmSync(root, { recursive: true }))

const options = async (...securityOpt: string[]): Promise<readonly string[]> =>
  (await withSeccomp({ securityOpt } as unknown as ContainerConfig, root)).securityOpt

test('a profile is given to the engine with its content, and read anew each time', async () => {
  mkdirSync(join(root, 'team'))
  for (const text of ['{"defaultAction":"SCMP_ACT_ALLOW"}', '{}']) {
    writeFileSync(join(root, 'team/a.json'), text)
    expect(await options('no-new-privileges', 'seccomp=localhost/team/a.json')).toEqual(['no-new-privileges', `seccomp=${text}`])
  }
})

test('other options stay as they are', async () => {
  expect(await options('seccomp=unconfined', 'apparmor=localhost/a')).toEqual(['seccomp=unconfined', 'apparmor=localhost/a'])
})

test.each([
  ['that is missing', 'none.json', undefined, 'none.json is not there'],
  ['that is no JSON', 'bad.json', 'allow all', 'bad.json cannot be used: it is not JSON'],
  ['that is too large', 'large.json', ' '.repeat((1 << 20) + 1), 'large.json cannot be used: it has 1048577 bytes'],
  ['that is a folder', '.', undefined, 'cannot be used: EISDIR'],
])('a profile %s is told by its file', async (_, name, text, message) => {
  if (text !== undefined) writeFileSync(join(root, name), text)
  await expect(options(`seccomp=localhost/${name}`)).rejects.toMatchObject({ kind: 'config' })
  await expect(options(`seccomp=localhost/${name}`)).rejects.toThrow(message)
})

test('a file that is no profile is told nothing of: beside the folder lies the key of all digests', async () => {
  writeFileSync(join(root, 'key'), 'hunter2-hunter2')
  await expect(options('seccomp=localhost/key')).rejects.not.toThrow('hunter2')
  const inner = join(root, 'inner')
  mkdirSync(inner)
  const asked = withSeccomp({ securityOpt: ['seccomp=localhost/../key'] } as unknown as ContainerConfig, inner)
  await expect(asked).rejects.toThrow('../key is not below the folder of the profiles')
})
