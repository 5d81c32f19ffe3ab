/** The words of Docker 20.10 for what goes wrong, with the kind that the adapter makes of them. */
import { EngineError, type EngineErrorKind } from '../../../src/runtime/engine.ts'

const refuse =
  (kind: EngineErrorKind) =>
  (message: string): EngineError =>
    new EngineError(kind, message)

export const notFound = refuse('notFound')
export const conflict = refuse('conflict')
export const invalid = refuse('invalid')
export const failed = refuse('failed')
export const inProgress = refuse('inProgress')
export const portTaken = refuse('portTaken')
export const addressTaken = refuse('addressTaken')
export const unreachable = refuse('unreachable')

export const noSuchContainer = (id: string): EngineError => notFound(`No such container: ${id}`)
