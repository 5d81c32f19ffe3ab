import { expect, test } from 'vitest'
import { createCompilations } from '../../../src/reconcilers/compilations.ts'
import type { CompiledPod } from '../../../src/reconcilers/compile.ts'

const set = () => ({ config: { configMaps: {}, secrets: {} } })

const web = 'Deployment/shop/web'

function compiling(owner = web, kept = createCompilations()) {
  const made: string[] = []
  const compile = ({ config }: ReturnType<typeof set>, uid: string, from: readonly unknown[] = []): CompiledPod =>
    kept.of(owner, config, uid, from, () => {
      made.push(uid)
      return { uid } as unknown as CompiledPod
    })
  return { kept, made, compile }
}

test('a pod is compiled once for as long as what it is compiled from is the same', () => {
  const { made, compile } = compiling()
  const one = set()
  const first = compile(one, 'a', [8, 'web=10.0.0.1:80/TCP'])
  expect(compile(one, 'a', [8, 'web=10.0.0.1:80/TCP'])).toBe(first)
  expect(compile(one, 'b', [8, ''])).not.toBe(first)
  expect(compile(one, 'a', [8, ''])).not.toBe(first)
  expect(made).toEqual(['a', 'b', 'a'])
})

test('pods that come and go for ever leave nothing behind, though their set stays', () => {
  const { kept, compile } = compiling()
  const one = set()
  for (let index = 0; index < 1_000; index++) {
    compile(one, `pod-${index}`)
    kept.sweep(web, [one], [{ uid: `pod-${index}` }])
  }
  expect(kept.count(web, one.config)).toBe(1)
})

test('a set that only the history still has keeps none of its pods', () => {
  const { kept, compile } = compiling()
  const [before, after] = [set(), set()]
  compile(before, 'old')
  compile(after, 'new')
  kept.sweep(web, [before, after], [{ uid: 'new' }])
  expect([kept.count(web, before.config), kept.count(web, after.config)]).toEqual([0, 1])
})

test('workloads with the same values sweep their own pods alone', () => {
  const { kept, compile } = compiling()
  const other = compiling('Job/shop/other', kept)
  const one = set()
  compile(one, 'a')
  other.compile(one, 'b')
  kept.sweep(web, [one], [])
  other.compile(one, 'b')
  expect([kept.count(web, one.config), other.made]).toEqual([0, ['b']])
})
