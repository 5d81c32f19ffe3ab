/** `npm run demo`: shows what happens until it is told to stop. */
import { setTimeout as delay } from 'node:timers/promises'
import type { ClusterStatus } from '../../src/reconcilers/status.ts'
import { type Daemon, INTERVAL_SECONDS, TRIREME } from './daemon.ts'
import { renderGuide } from './guide.ts'
import type { Place } from './place.ts'
import type { Shop } from './shop.ts'
import { seconds } from './timeline.ts'
import { renderChanges, renderView } from './view.ts'

export interface Showing {
  readonly daemon: Daemon
  readonly place: Place
  readonly shop: Shop
  readonly signal: AbortSignal
  readonly out: NodeJS.WriteStream
}

const REFRESH_MS = 250
const HOME_AND_CLEAR = '\u001b[H\u001b[J'

/** Never returns before `signal` aborts. Errors: when the daemon ends by itself. */
export async function showLive(showing: Showing): Promise<void> {
  const { daemon, signal, out } = showing
  const show = out.isTTY ? picture(showing) : lines(showing)
  while (!signal.aborted) {
    show(await daemon.status())
    await delay(REFRESH_MS, undefined, { signal })
  }
}

/** One picture, drawn again only when something in it has changed, so that text can be marked and copied. */
function picture({ out, ...showing }: Showing): (status: ClusterStatus) => void {
  const guide = guideOf(showing)
  let drawn = ''
  return (status) => {
    const columns = out.columns || 80
    const view = `Trireme follows ${showing.shop.repo}, asking every ${INTERVAL_SECONDS} s\n${renderView(status, columns)}\n`
    // Before anything runs there is nothing to try.
    const text = isUp(status) ? view + guide : view
    if (text === drawn) return
    out.write(`${HOME_AND_CLEAR}${text}`)
    drawn = text
  }
}

function lines({ out, ...showing }: Showing): (status: ClusterStatus) => void {
  const started = performance.now()
  let last: ClusterStatus | undefined
  let guided = false
  out.write(`Trireme follows ${showing.shop.repo}, asking every ${INTERVAL_SECONDS} s\n`)
  return (status) => {
    for (const change of renderChanges(last, status))
      out.write(`${seconds(performance.now() - started).padStart(8)}  ${change}\n`)
    last = status
    if (guided || !isUp(status)) return
    guided = true
    out.write(`\n${guideOf(showing)}\n`)
  }
}

/** Some revision was healthy once. */
function isUp({ sources }: ClusterStatus): boolean {
  return sources.some(({ healthy }) => healthy !== '')
}

function guideOf({ daemon, place, shop }: Pick<Showing, 'daemon' | 'place' | 'shop'>): string {
  const { clone, nodePort } = shop
  return renderGuide({ cluster: place.cluster, clone, nodePort, url: daemon.url, trireme: TRIREME })
}
