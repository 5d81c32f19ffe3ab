import { EngineError } from '../../src/runtime/engine.ts'

/** The kind of the `EngineError` that `call` fails with; anything else, success included, fails the test. */
export async function kindOf(call: Promise<unknown>): Promise<string> {
  return (await errorOf(call)).kind
}

export async function errorOf(call: Promise<unknown>): Promise<EngineError> {
  const outcome = await call.then(
    (value) => new Error(`expected a failure, got ${JSON.stringify(value)}`),
    (error: unknown) => error,
  )
  if (outcome instanceof EngineError) return outcome
  throw outcome
}
