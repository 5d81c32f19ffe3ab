/** The daemon, its disk, and where it reads from. Nothing is ever lost by them. */
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Act } from '../act.ts'

export const daemonActs: readonly Act[] = [
  {
    name: 'daemon killed again and again',
    mayLose: '',
    async perform({ keeper }, chance) {
      for (let kills = chance.int(4, 8); kills > 0; kills -= 1) {
        await delay(chance.int(0, 900))
        await keeper.kill()
      }
    },
  },
  {
    name: 'daemon ended as a system ends it',
    mayLose: '',
    perform: ({ keeper }) => keeper.end(),
  },
  {
    name: 'memory lost',
    mayLose: '',
    perform: ({ keeper, lab }) =>
      keeper.without(() => {
        for (const name of readdirSync(lab.data)) rmSync(join(lab.data, name), { recursive: true })
      }),
  },
  {
    name: 'disk full',
    mayLose: '',
    mayRefuse: /space|full/i,
    async perform(theatre, chance) {
      theatre.fillDisk()
      await theatre.commit()
      await delay(chance.int(500, 3000))
      theatre.freeDisk()
      await theatre.lab.sync()
    },
  },
  {
    name: 'Git unreachable',
    mayLose: '',
    async perform(theatre, chance) {
      await theatre.remote.close()
      await theatre.commit()
      await delay(chance.int(500, 3000))
      await theatre.remote.open()
    },
  },
  {
    name: 'Git silent',
    mayLose: '',
    async perform(theatre, chance) {
      theatre.remote.silence(true)
      await theatre.commit()
      await delay(chance.int(500, 5000))
      theatre.remote.silence(false)
    },
  },
  { name: 'history rewritten', mayLose: '', perform: (theatre) => theatre.rewrite() },
]
