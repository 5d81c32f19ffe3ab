/** An engine whose calls are timed. */
import type { Engine } from '../runtime/engine.ts'
import type { Metrics } from './metrics.ts'

/**
 * The same engine; each call that returns a promise is told to `metrics` by its method's name. Streams
 * (events, logs) last as long as they are wanted, so their time says nothing and is left out.
 */
export function timedEngine(engine: Engine, metrics: Pick<Metrics, 'engineCall'>, nowMs: () => number): Engine {
  return new Proxy(engine, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function' || typeof name !== 'string') return member
      return (...given: unknown[]) => {
        const startedAt = nowMs()
        const answer: unknown = member.apply(target, given)
        if (!(answer instanceof Promise)) return answer
        const tell = (result: 'ok' | 'failed') => metrics.engineCall(engine.node, name, result, (nowMs() - startedAt) / 1_000)
        answer.then(
          () => tell('ok'),
          () => tell('failed'),
        )
        return answer
      }
    },
  })
}
