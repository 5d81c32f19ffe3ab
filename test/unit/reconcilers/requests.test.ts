import { describe, expect, test } from 'vitest'
import { memoryRequest, qosOf } from '../../../src/reconcilers/requests.ts'
import { app, template } from '../../support/world.ts'

const asking = (memory: string, more: object = {}): Record<string, unknown> => ({
  name: `c${memory}`,
  image: 'i:1',
  resources: { requests: { memory } },
  ...more,
})
const sidecar = (memory: string) => asking(memory, { restartPolicy: 'Always' })
const MIB = 2 ** 20

describe('the most memory at any one time', () => {
  for (const { name, inits, want } of [
    { name: 'is that of the main containers', inits: [], want: 100 },
    { name: 'is that of a greater init container', inits: [asking('300Mi')], want: 300 },
    { name: 'is not that of a smaller one', inits: [asking('30Mi')], want: 100 },
    { name: 'does not add up over init containers', inits: [asking('70Mi'), asking('80Mi')], want: 100 },
    { name: 'adds sidecars to the main containers', inits: [sidecar('20Mi'), sidecar('30Mi')], want: 150 },
    {
      name: 'adds those before it to an init container, and no later one',
      inits: [sidecar('20Mi'), asking('200Mi'), sidecar('30Mi')],
      want: 220,
    },
  ])
    test(name, () => {
      const containers = [asking('60Mi'), asking('40Mi')]
      expect(memoryRequest(template({ containers, spec: { initContainers: inits } }).spec)).toBe(want * MIB)
    })
})

describe('the class of a pod', () => {
  const limits = { resources: { limits: { cpu: '1', memory: '64Mi' } } }
  for (const { name, main, init, want } of [
    { name: 'nothing is asked for', main: {}, init: undefined, want: 'BestEffort' },
    { name: 'all of it is limited', main: limits, init: undefined, want: 'Guaranteed' },
    { name: 'all but an init container is limited', main: limits, init: {}, want: 'Burstable' },
    { name: 'only an init container asks', main: {}, init: limits, want: 'Burstable' },
    {
      name: 'only its own disk is limited',
      main: { resources: { limits: { 'ephemeral-storage': '1Gi' } } },
      init: undefined,
      want: 'BestEffort',
    },
    { name: 'all of it is limited, init containers too', main: limits, init: limits, want: 'Guaranteed' },
  ])
    test(`${name}: ${want}`, () => {
      const initContainers = init === undefined ? [] : [{ name: 'init', image: 'i:1', ...init }]
      expect(qosOf(template({ containers: [app(main)], spec: { initContainers } }).spec)).toBe(want)
    })
})
