import type { EngineLab } from '../support/engine.ts'

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
