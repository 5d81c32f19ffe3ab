/** Routers and edges. Lost is what needed them until they are back. */
import type { Act } from '../act.ts'
import type { Theatre } from '../theatre.ts'
import { WAYS, type Way } from '../ways.ts'

const ROUTER = 'the router was taken away'
const EDGE = 'the edge was taken away'
const RULES = 'its rules were taken away'

async function edge({ lab }: Theatre): Promise<string> {
  const [id] = await lab.containers('trireme.role=edge')
  if (id === undefined) throw new Error('no edge')
  return id
}

/** Takes away what is one process, all or nothing: it is back when it answers something that was asked after that. */
async function takeAway(theatre: Theatre, why: string, ways: readonly Way[], deed: () => Promise<unknown>): Promise<void> {
  let since = Number.POSITIVE_INFINITY
  theatre.excuse(why, ways, async () => ways.every((way) => theatre.load.answersSince(way, since)))
  await deed()
  since = Date.now()
}

/** Until there is another router that the daemon is connected to, with routes and names: from its volume, or from the daemon. */
function excuseRouter(theatre: Theatre, id: string): void {
  const { lab } = theatre
  const startedAt = (router: string) => lab.docker('inspect', '--format', '{{.State.StartedAt}} {{.State.Running}}', router)
  const before = startedAt(id)
  let since: number | undefined
  theatre.excuse(ROUTER, WAYS, async () => {
    const now = await startedAt(await lab.router())
    if (now === (await before) || !now.endsWith('true')) return false
    since ??= Date.now()
    const { nodes } = await lab.status()
    if (!nodes.every(({ router }) => router.connected) || (await theatre.served()).size === 0) return false
    return theatre.load.answersSince('names', since)
  })
}

function routerTaken(name: string, ...words: readonly string[]): Act {
  return {
    name,
    mayLose: ROUTER,
    async perform(theatre) {
      const id = await theatre.lab.router()
      excuseRouter(theatre, id)
      await theatre.lab.docker(...words, id)
    },
  }
}

function edgeTaken(name: string, ...words: readonly string[]): Act {
  return {
    name,
    mayLose: EDGE,
    async perform(theatre) {
      const id = await edge(theatre)
      await takeAway(theatre, EDGE, ['published'], () => theatre.lab.docker(...words, id))
    },
  }
}

async function hasRules({ lab }: Theatre, container: string, word: string): Promise<boolean> {
  return (await lab.docker('exec', container, 'nft', 'list', 'ruleset')).includes(word)
}

export const networkActs: readonly Act[] = [
  routerTaken('router killed', 'kill'),
  routerTaken('router restarted', 'restart', '-t', '1'),
  routerTaken('router removed', 'rm', '-f'),
  {
    name: 'router removed with its volume',
    mayLose: ROUTER,
    async perform(theatre) {
      const { lab } = theatre
      const id = await lab.router()
      excuseRouter(theatre, id)
      await lab.docker('rm', '-f', id)
      // Whoever makes the new router may be quicker, and then has the volume in use.
      await lab.docker('volume', 'rm', `trireme-${lab.cluster}-router`).catch(() => undefined)
    },
  },
  {
    name: 'router paused',
    mayLose: 'the name server was paused',
    async perform(theatre) {
      const id = await theatre.lab.router()
      await takeAway(theatre, 'the name server was paused', ['names'], () => theatre.lab.docker('pause', id))
    },
  },
  {
    name: 'a name server killed',
    mayLose: 'the name server was killed',
    async perform(theatre, chance) {
      const { lab } = theatre
      const router = await lab.router()
      const servers = [...(await lab.docker('top', router, '-eo', 'pid,comm')).matchAll(/^\s*(\d+)\s+unbound/gm)]
      const pid = Number(chance.pick(servers)[1])
      await takeAway(theatre, 'the name server was killed', ['names'], async () => process.kill(pid, 'SIGKILL'))
    },
  },
  {
    name: "router's rules flushed",
    mayLose: RULES,
    async perform(theatre) {
      const id = await theatre.lab.router()
      const flushed = theatre.lab.docker('exec', id, 'nft', 'flush', 'ruleset')
      theatre.excuse(RULES, WAYS, async () => {
        await flushed
        return hasRules(theatre, await theatre.lab.router(), 'trireme_base')
      })
      await flushed
    },
  },
  edgeTaken('edge killed', 'kill'),
  edgeTaken('edge removed', 'rm', '-f'),
  edgeTaken('edge paused', 'pause'),
  {
    name: "edge's rules flushed",
    mayLose: RULES,
    async perform(theatre) {
      const flushed = theatre.lab.docker('exec', await edge(theatre), 'nft', 'flush', 'ruleset')
      theatre.excuse(RULES, ['published'], async () => {
        await flushed
        return hasRules(theatre, await edge(theatre), 'trireme_edge')
      })
      await flushed
    },
  },
]
