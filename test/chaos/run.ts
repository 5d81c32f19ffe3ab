/** Plays a script: one scene after the other, each until everything is healthy again and nothing is left over. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Act } from './act.ts'
import { acts } from './acts/all.ts'
import { type Judgement, judge } from './judge.ts'
import type { Refusal } from './keeper.ts'
import { leaks } from './leaks.ts'
import type { Traffic } from './load.ts'
import { type Scene, script } from './script.ts'
import { Theatre } from './theatre.ts'

/** Longest wait for what is left over to go, a step that has failed before among it: ms. */
const LEFT_OVER_MS = 75_000

export interface Played {
  readonly scene: Scene
  /** when the act began, and when everything was healthy again: ms since the epoch */
  readonly from: number
  readonly to: number
  /** from the end of the act and of the last kill to healthy: ms */
  readonly healedMs: number
  /** from the beginning of the scene to that of the next one: ms */
  readonly tookMs: number
  /** the target was gone when it was its turn: a rollout had been quicker */
  readonly missed: boolean
}

export interface Outcome {
  readonly seed: number
  readonly played: readonly Played[]
  readonly kills: number
  readonly commits: number
  readonly traffic: Traffic
  readonly judgement: Judgement
  /** starts of a daemon that were refused, and that no act allows */
  readonly refusals: readonly Refusal[]
  readonly allowedRefusals: number
  /** what did not heal, or was left over, with the last lines of the daemon; the script ends there */
  readonly broken: string
}

export interface RunOptions {
  readonly seed: number
  /** whether another scene begins, after so many kills of the daemon */
  readonly goOn: (kills: number) => boolean
  /** names of acts; all when empty */
  readonly only: readonly string[]
  readonly logFile: string
  readonly say: (line: string) => void
  /** ends the run early, after the scene that is played */
  readonly signal?: AbortSignal
}

export async function run({ seed, goOn, only, logFile, say, signal }: RunOptions): Promise<Outcome> {
  const chosen = acts.filter(({ name }) => only.length === 0 || only.includes(name))
  const theatre = await Theatre.open(logFile)
  try {
    const played: Played[] = []
    const refused = { allowed: 0, others: [] as Refusal[] }
    let broken = ''
    for (const scene of script(
      seed,
      chosen.map(({ name }) => name),
    )) {
      if (signal?.aborted === true || !goOn(theatre.keeper.kills)) break
      const act = chosen.find(({ name }) => name === scene.act)!
      const before = theatre.keeper.refusals.length
      try {
        const one = await play(theatre, scene, act)
        played.push(one)
        say(line(one))
      } catch (error) {
        broken = `${describe(scene)}: ${(error as Error).message}\n${String((error as Error).cause ?? '')}`
        say(broken)
      }
      for (const refusal of theatre.keeper.refusals.slice(before))
        if (act.mayRefuse?.test(refusal.why)) refused.allowed += 1
        else refused.others.push(refusal)
      if (broken !== '') break
    }
    const traffic = await theatre.load.stop()
    if (broken === '') broken = await atTheEnd(theatre)
    const { kills } = theatre.keeper
    const judgement = judge(traffic.losses, theatre.excuses)
    const { commits } = theatre
    return {
      seed,
      played,
      kills,
      commits,
      traffic,
      judgement,
      refusals: refused.others,
      allowedRefusals: refused.allowed,
      broken,
    }
  } finally {
    await theatre.close()
  }
}

/** What the engine alone has kept must go once it is restarted, and what a killed Git has left with the next daemon. What came of it. */
async function atTheEnd(theatre: Theatre): Promise<string> {
  theatre.act = 'the end'
  try {
    await theatre.restartEngine('stop', 0)
    await theatre.keeper.kill()
    await theatre.healthy()
    await nothingLeft(theatre, true)
    return ''
  } catch (error) {
    return `at the end: ${(error as Error).message}`
  }
}

async function play(theatre: Theatre, scene: Scene, act: Act): Promise<Played> {
  theatre.act = act.name
  if (scene.commit) await theatre.commit()
  const from = Date.now()
  const [missed] = await Promise.all([perform(theatre, scene, act), kill(theatre, scene)])
  const doneAt = Date.now()
  await theatre.healthy()
  const to = Date.now()
  await theatre.excusesOver()
  await theatre.answering(to)
  await nothingLeft(theatre)
  return { scene, from, to, healedMs: to - doneAt, tookMs: Date.now() - from, missed }
}

async function perform(theatre: Theatre, scene: Scene, act: Act): Promise<boolean> {
  await delay(scene.actAtMs)
  try {
    await act.perform(theatre, scene.chance)
    return false
  } catch (error) {
    if (
      !/[Nn]o such (container|object|volume)|is not running|has no container|no edge|no router|volume (is in use|has active mounts)/.test(
        (error as Error).message,
      )
    )
      throw error
    return true
  }
}

async function kill({ keeper }: Theatre, { killsAtMs }: Scene): Promise<void> {
  let before = 0
  for (const at of killsAtMs) {
    await delay(at - before)
    before = at
    await keeper.kill()
  }
}

async function nothingLeft(theatre: Theatre, fresh = false): Promise<void> {
  let left: readonly string[] = []
  await theatre.lab
    .untilTrue(
      'nothing is left over',
      async () => {
        left = await leaks(theatre, fresh)
        return left.length === 0
      },
      LEFT_OVER_MS,
    )
    .catch((error: Error) => {
      throw new Error(`${error.message}\nleft over:\n${left.join('\n')}`, { cause: error.cause })
    })
}

export function describe({ number, act, commit, killsAtMs }: Scene): string {
  const beside = [...(commit ? ['a commit'] : []), ...(killsAtMs.length > 0 ? [`daemon killed ×${killsAtMs.length}`] : [])]
  return `${number}. ${act}${beside.length > 0 ? ` (with ${beside.join(', ')})` : ''}`
}

function line({ scene, healedMs, tookMs, missed }: Played): string {
  const [healed, took] = [healedMs, tookMs].map((ms) => (ms / 1000).toFixed(1))
  return `${describe(scene)}: ${missed ? 'too late; ' : ''}healthy after ${healed} s, ${took} s in all`
}
