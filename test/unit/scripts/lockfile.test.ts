import { expect, test } from 'vitest'
import { lockfileFaults } from '../../../scripts/check/lockfile.ts'

test('lockfileFaults: a package of another platform that npm left out', () => {
  const packages = {
    '': { dependencies: { tool: '1.0.0' } },
    'node_modules/tool': { version: '1.0.0', optionalDependencies: { 'tool-linux': '1.0.0', 'tool-darwin': '1.0.0' } },
    'node_modules/tool-linux': { version: '1.0.0' },
  }
  expect(lockfileFaults(packages)).toEqual(['node_modules/tool needs tool-darwin, which is not in package-lock.json'])
})

test('lockfileFaults: a nested package finds its own dependency first, then the one around it', () => {
  const packages = {
    '': { dependencies: { '@a/b': '1.0.0' } },
    'node_modules/@a/b': { version: '1.0.0', dependencies: { c: '1.0.0', d: '1.0.0' } },
    'node_modules/@a/b/node_modules/c': { version: '1.0.0', dependencies: { d: '1.0.0' } },
    'node_modules/d': { version: '1.0.0' },
  }
  expect(lockfileFaults(packages)).toEqual([])
})

test('lockfileFaults: the registry it was made with', () => {
  const packages = { 'node_modules/a': { version: '1.0.0', resolved: 'https://registry.example/a.tgz' } }
  expect(lockfileFaults(packages)).toEqual(['node_modules/a names a registry: https://registry.example/a.tgz'])
})
