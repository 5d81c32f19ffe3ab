/** What may happen to any workload that rolls: to its containers, to time, to the daemon and to its engine. */
import fc from 'fast-check'
import type { ContainerView } from '../../../src/runtime/engine.ts'
import type { Stage } from '../../support/stage.ts'

export type Happening =
  | { readonly kind: 'crash' | 'remove' | 'removeSandbox'; readonly pick: number }
  | { readonly kind: 'turns'; readonly count: number }
  | { readonly kind: 'wait'; readonly seconds: number }
  | { readonly kind: 'restart' | 'loseStore' | 'cut' | 'mend' }

/** Passes and time, each of which whoever composes a story weighs. */
export const turns = fc.integer({ min: 1, max: 12 }).map((count): Happening => ({ kind: 'turns', count }))
export const wait = fc.constantFrom(1, 6, 15, 700).map((seconds): Happening => ({ kind: 'wait', seconds }))

/** One of `kinds` to one of the containers that run then. */
export function disturbance<Kind extends string>(...kinds: readonly Kind[]) {
  return fc.record({ kind: fc.constantFrom(...kinds), pick: fc.nat(20) })
}

export function happen(stage: Stage, happening: Happening): void {
  switch (happening.kind) {
    case 'turns':
      for (let turn = 0; turn < happening.count; turn++) stage.turn()
      return
    case 'wait':
      stage.now += happening.seconds * 1000
      return
    case 'restart':
      stage.restart()
      return
    case 'loseStore':
      stage.memory.clear()
      stage.restart()
      return
    case 'cut':
    case 'mend':
      stage.node = { ...stage.node, reachable: happening.kind === 'mend' }
      return
    case 'crash':
      disturb(stage, happening, (view) => stage.end(view))
      return
    case 'remove':
    case 'removeSandbox':
      disturb(stage, happening, (view) => {
        stage.node = { ...stage.node, containers: new Map([...stage.node.containers].filter(([id]) => id !== view.id)) }
      })
  }
}

/** Does something to one of the running containers; a kind that says so takes a sandbox. */
export function disturb(
  stage: Stage,
  { kind, pick }: { readonly kind: string; readonly pick: number },
  work: (view: ContainerView) => void,
): void {
  const views = kind.endsWith('Sandbox') ? stage.sandboxes() : stage.running()
  const view = views[pick % Math.max(1, views.length)]
  if (view !== undefined) work(view)
}
