import { expect, test } from 'vitest'
import { publicNames } from '../../../src/controller/publicnames.ts'
import { barePod, configMap, deployment, secret, template } from '../../support/world.ts'

test('names, namespaces, containers and images are public; keys and values are not', () => {
  const { containers } = template().spec
  expect(containers[0]).toMatchObject({ name: 'app', image: 'web:1' })
  const objects = [deployment(), barePod(), configMap('conf', { mode: 'quiet' }), secret('keys', { user: 'rocketchat' })]
  expect([...publicNames(objects)].sort()).toEqual(['app', 'conf', 'job', 'keys', 'shop', 'web', 'web:1'])
})
