/** What differs between two route tables. Tables share what is the same in both, so finding the rest costs little. */
import { same } from '../diff/equal.ts'
import { podsOfRoute } from './routes.ts'
import type { RouteTable, ServiceRoute } from './routetable.ts'

export interface RouteChange {
  readonly before: ServiceRoute | undefined
  readonly after: ServiceRoute | undefined
}

/** Whether both serve the same. */
export function sameTable(a: RouteTable, b: RouteTable): boolean {
  if (a === b) return true
  return a.domain === b.domain && sameOnce(a.dns, b.dns) && changedRoutes(a, b).length === 0
}

/** Services that differ, in the order of tables. */
export function changedRoutes(from: RouteTable, to: RouteTable): RouteChange[] {
  const changes: RouteChange[] = []
  let [i, j] = [0, 0]
  while (i < from.services.length || j < to.services.length) {
    const [before, after] = [from.services[i], to.services[j]]
    const order = before === after ? 0 : compareRoutes(before, after)
    if (order <= 0) i += 1
    if (order >= 0) j += 1
    if (order < 0) changes.push({ before, after: undefined })
    else if (order > 0) changes.push({ before: undefined, after })
    else if (!sameOnce(before, after)) changes.push({ before, after })
  }
  return changes
}

/** Pods that one table treats differently from the other. */
export function changedPods(from: RouteTable | undefined, to: RouteTable): string[] {
  const moved = new Set<string>()
  for (const { before, after } of changedRoutes(from ?? { ...to, services: [] }, to)) {
    const [was, is] = [podsOf(before), podsOf(after)]
    for (const [uid, routes] of was) if (!sameRoutes(routes, is.get(uid))) moved.add(uid)
    for (const uid of is.keys()) if (!was.has(uid)) moved.add(uid)
  }
  return [...moved]
}

/** A change in a few words: which pods come and go in Services that stay. */
export function describeChange(from: RouteTable | undefined, to: RouteTable): string {
  if (from === undefined) return 'first routes'
  const [added, removed] = [new Set<string>(), new Set<string>()]
  for (const { before, after } of changedRoutes(from, to)) {
    if (before === undefined || after === undefined) continue
    const [was, is] = [namesOf(before), namesOf(after)]
    for (const pod of is.difference(was)) added.add(pod)
    for (const pod of was.difference(is)) removed.add(pod)
  }
  const parts = [
    ...(added.size > 0 ? [`add ${listed([...added].sort())}`] : []),
    ...(removed.size > 0 ? [`take out ${listed([...removed].sort())}`] : []),
  ]
  return parts.length > 0 ? parts.join(', ') : 'Services changed'
}

function compareRoutes(a: ServiceRoute | undefined, b: ServiceRoute | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1
  return compareText(routeId(a), routeId(b))
}

function routeId({ namespace, name }: ServiceRoute): string {
  return `${namespace}/${name}`
}

/** What equals a value of a table from before a restart, which shares nothing with those that come after. */
const equals = new WeakMap<object, object>()

function sameOnce(a: object | undefined, b: object | undefined): boolean {
  if (a === b) return true
  if (a === undefined || b === undefined) return false
  if (equals.get(b) === a) return true
  if (!same(a, b)) return false
  equals.set(b, a)
  return true
}

function podsOf(route: ServiceRoute | undefined): ReadonlyMap<string, ReadonlySet<string>> {
  return route === undefined ? new Map() : podsOfRoute(route)
}

function sameRoutes(a: ReadonlySet<string>, b: ReadonlySet<string> | undefined): boolean {
  return b !== undefined && a.size === b.size && a.isSubsetOf(b)
}

function namesOf({ ports }: ServiceRoute): Set<string> {
  return new Set(ports.flatMap(({ backends }) => backends.map(({ pod }) => pod)))
}

function listed(names: readonly string[]): string {
  return names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
