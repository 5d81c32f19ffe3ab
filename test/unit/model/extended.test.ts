import { expect, test } from 'vitest'
import { isExtendedResource } from '../../../src/model/extended.ts'

for (const { name, want } of [
  { name: 'nvidia.com/gpu', want: true },
  { name: 'example.com/Some_thing-1.2', want: true },
  { name: 'cpu', want: false },
  { name: 'hugepages-2Mi', want: false },
  { name: 'kubernetes.io/thing', want: false },
  { name: 'node.kubernetes.io/thing', want: false },
  { name: 'requests.example.com/thing', want: false },
  { name: 'example.com/a/b', want: false },
  { name: 'Example.com/a', want: false },
  { name: 'example.com/-a', want: false },
  { name: '/a', want: false },
  { name: 'example.com/', want: false },
  { name: `example.com/${'a'.repeat(64)}`, want: false },
])
  test(`${name} is ${want ? '' : 'no '}extended resource`, () => expect(isExtendedResource(name)).toBe(want))
