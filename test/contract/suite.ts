import { afterAll, beforeAll, describe } from 'vitest'
import { archiveContract } from './archives.ts'
import { containerContract } from './containers.ts'
import { eventContract } from './events.ts'
import { execContract } from './execs.ts'
import { imageContract } from './images.ts'
import type { ContractLab } from './lab.ts'
import { logContract } from './logs.ts'
import { networkContract } from './networks.ts'
import { trapContract } from './traps.ts'

/**
 * What every implementation of the Engine port does, in Docker's way.
 *
 * @param makeLab a lab on the engine under test; what it makes goes at the end.
 */
export function engineContract(name: string, makeLab: () => Promise<ContractLab>): void {
  describe(`the Engine contract: ${name}`, () => {
    let lab: ContractLab
    const current = (): ContractLab => lab

    beforeAll(async () => {
      lab = await makeLab()
    })
    afterAll(() => lab.remove())

    containerContract(current)
    networkContract(current)
    archiveContract(current)
    execContract(current)
    logContract(current)
    eventContract(current)
    imageContract(current)
    trapContract(current)
  })
}
