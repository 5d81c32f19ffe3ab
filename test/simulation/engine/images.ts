/** Images that are there, and what registries have. */
import { createHash } from 'node:crypto'
import { EngineError, type RegistryAuth } from '../../../src/runtime/engine.ts'
import type { Machine } from './machine.ts'
import type { SimulatedImage } from './options.ts'
import type { RawImage } from './state.ts'

export const missingImage = (ref: string): EngineError => new EngineError('imageNotFound', `No such image: ${ref}`)

const tagged = (ref: string): string => (ref.includes('@') || /:[^/]*$/.test(ref) ? ref : `${ref}:latest`)

export function addImage(machine: Machine, image: SimulatedImage): RawImage {
  const ref = tagged(image.ref)
  const hex = createHash('sha256').update(ref).digest('hex')
  const digest = ref.includes('@') ? ref : `${ref.replace(/:[^/:]*$/, '')}@sha256:${hex}`
  const raw: RawImage = {
    view: Object.freeze({
      id: image.id ?? `sha256:${hex}`,
      tags: ref.includes('@') ? [] : [ref],
      digests: [digest],
      user: image.user ?? '',
      hasHealthcheck: image.hasHealthcheck ?? false,
      exposedPorts: image.exposedPorts ?? [],
      sizeBytes: image.sizeBytes ?? 1_000_000,
    }),
    labels: image.labels ?? {},
    files: image.files ?? {},
  }
  for (const name of [ref, digest, raw.view.id]) machine.images.set(name, raw)
  return raw
}

export function findImage(machine: Machine, ref: string): RawImage | undefined {
  return machine.images.get(ref) ?? machine.images.get(tagged(ref))
}

export function dropImage(machine: Machine, ref: string): void {
  const image = findImage(machine, ref)
  for (const [name, raw] of machine.images) if (raw === image) machine.images.delete(name)
}

/** Resolves with the id once the registry has answered. Errors: what the registry says, failed when `signal` aborts. */
export async function pullImage(
  machine: Machine,
  ref: string,
  auth: RegistryAuth | undefined,
  signal: AbortSignal | undefined,
): Promise<string> {
  const answer = machine.options.registry?.(ref, auth) ?? {
    afterMs: 0,
    error: 'imageNotFound' as const,
    message: `manifest for ${ref} not found`,
  }
  if (answer.afterMs > 0) await waitFor(machine, answer.afterMs, signal)
  if (signal?.aborted) throw new EngineError('failed', `pull ${ref}: cancelled`)
  if ('error' in answer) throw new EngineError(answer.error, `pull ${ref}: ${answer.message}`)
  const { view } = addImage(machine, { ...answer.image, ref })
  machine.emit({ type: 'image', action: 'pull', id: tagged(ref), attributes: { name: tagged(ref) } })
  return view.id
}

function waitFor(machine: Machine, ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      machine.options.timers.clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = machine.later(ms, end)
    signal?.addEventListener('abort', end, { once: true })
    if (signal?.aborted) end()
  })
}
