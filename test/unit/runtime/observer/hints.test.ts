import { expect, test } from 'vitest'
import type { EngineEvent } from '../../../../src/runtime/engine.ts'
import { hintOf } from '../../../../src/runtime/observer/hints.ts'

const known = {
  cluster: 'ours',
  container: (id: string) => id === 'known',
  network: (name: string) => name === 'pods',
  volume: (name: string) => name === 'data',
}
const event = (type: EngineEvent['type'], action: string, more: Partial<EngineEvent> = {}): EngineEvent => ({
  type,
  action,
  id: 'new',
  container: '',
  attributes: {},
  timeMs: 1,
  ...more,
})
const ours = { attributes: { 'trireme.cluster': 'ours' } }

for (const [name, given, hint] of [
  ['a new container of ours', event('container', 'create', ours), { kind: 'container', id: 'new' }],
  ['one that is known by id', event('container', 'die', { id: 'known' }), { kind: 'container', id: 'known' }],
  ['a foreign one', event('container', 'start', { attributes: { 'trireme.cluster': 'theirs' } }), undefined],
  ['an execution', event('container', 'exec_start', ours), undefined],
  ['a health check', event('container', 'health_status', ours), undefined],
  [
    'a network that a known container left',
    event('network', 'disconnect', { container: 'known' }),
    { kind: 'container', id: 'known' },
  ],
  ['a network that a foreign container joined', event('network', 'connect', { container: 'other' }), undefined],
  ['a new network', event('network', 'create'), { kind: 'shared' }],
  ['a known network that went', event('network', 'destroy', { attributes: { name: 'pods' } }), { kind: 'shared' }],
  ['a foreign network that went', event('network', 'destroy', { attributes: { name: 'other' } }), undefined],
  ['a new volume', event('volume', 'create'), { kind: 'shared' }],
  [
    'a new volume that is named like one of a pod',
    event('volume', 'create', { id: 'trireme-ours-0b5e8f3a-1c2d-4e5f-8a9b-0c1d2e3f4a5b-config' }),
    { kind: 'volumes', podUid: '0b5e8f3a-1c2d-4e5f-8a9b-0c1d2e3f4a5b' },
  ],
  ['a known volume that went', event('volume', 'destroy', { id: 'data' }), { kind: 'shared' }],
  ['a foreign volume that went', event('volume', 'destroy'), undefined],
  ['a mount', event('volume', 'mount', { id: 'data' }), undefined],
  ['an image', event('image', 'pull'), undefined],
  ['the engine', event('daemon', 'reload'), undefined],
] as const) {
  test(`${name} gives ${hint ? hint.kind : 'nothing'} to look at`, () => expect(hintOf(given, known)).toEqual(hint))
}
