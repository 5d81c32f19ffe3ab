/** Pods as they really are on an engine: found by label, judged by what their programs do. */
import { LABEL, SANDBOX } from '../../src/reconcilers/names.ts'
import type { ContainerView } from '../../src/runtime/engine.ts'
import { behaviourOf, isReady } from './behaviour.ts'

/** How long a container has run, ms; whatever the wall clock was set to meanwhile. */
export type RanMs = (view: ContainerView) => number

export interface LivePod {
  readonly uid: string
  readonly name: string
  readonly owner: string
  readonly ip: string
  /** of its first container */
  readonly image: string
  /** every container of it that is not there to come to its end runs, and says that it is ready if asked now */
  readonly ready: boolean
}

/** By uid; only pods whose sandbox runs. */
export function livePods(containers: Iterable<ContainerView>, ranMs: RanMs): Map<string, LivePod> {
  const members = new Map<string, ContainerView[]>()
  const sandboxes: ContainerView[] = []
  for (const view of containers) {
    if (view.labels[LABEL.role] !== 'pod') continue
    if (view.labels[LABEL.containerName] === SANDBOX) {
      if (view.state === 'running') sandboxes.push(view)
    } else if (view.networkMode.startsWith('container:')) {
      const donor = view.networkMode.slice('container:'.length)
      const known = members.get(donor)
      if (known === undefined) members.set(donor, [view])
      else known.push(view)
    }
  }
  return new Map(
    sandboxes.map((sandbox) => [sandbox.labels[LABEL.podUid] ?? '', livePod(sandbox, members.get(sandbox.id) ?? [], ranMs)]),
  )
}

function livePod(sandbox: ContainerView, members: readonly ContainerView[], ranMs: RanMs): LivePod {
  const latest = new Map<string, ContainerView>()
  for (const view of members) {
    const name = view.labels[LABEL.containerName] ?? ''
    const known = latest.get(name)
    if (known === undefined || attempt(view) > attempt(known)) latest.set(name, view)
  }
  const containers = [...latest.values()].filter((view) => !isInit(view))
  // A restarted sandbox has left its members in a namespace that is gone.
  const runs = (view: ContainerView): boolean =>
    view.state === 'running' && ranMs(view) <= ranMs(sandbox) && isReady(behaviourOf(view.image), ranMs(view))
  return {
    uid: sandbox.labels[LABEL.podUid] ?? '',
    name: sandbox.labels[LABEL.podName] ?? '',
    owner: sandbox.labels[LABEL.owner] ?? '',
    ip: Object.values(sandbox.networks)[0]?.ip ?? '',
    image: latest.get('main')?.image ?? '',
    ready: containers.length > 0 && containers.every(runs),
  }
}

export function isInit({ image }: Pick<ContainerView, 'image'>): boolean {
  return behaviourOf(image).kind === 'init'
}

function attempt(view: ContainerView): number {
  return Number(view.labels[LABEL.attempt] ?? 0)
}
