import { afterAll, beforeAll, describe } from 'vitest'
import type { EngineLab } from '../support/engine.ts'
import { archiveContract } from './archives.ts'
import { containerContract } from './containers.ts'
import { eventContract } from './events.ts'
import { execContract } from './execs.ts'
import { imageContract } from './images.ts'
import { logContract } from './logs.ts'
import { networkContract } from './networks.ts'

/** What the contract needs of the engine under test besides its port. */
export type ContractLab = Pick<
  EngineLab,
  | 'engine'
  | 'image'
  | 'label'
  | 'labels'
  | 'name'
  | 'config'
  | 'create'
  | 'start'
  | 'ended'
  | 'state'
  | 'network'
  | 'volume'
  | 'otherClient'
  | 'removeContainers'
  | 'remove'
>

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
  })
}
