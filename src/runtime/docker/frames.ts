import { EngineError } from '../engine.ts'

/** Largest frame accepted, in bytes; the engine's own are at most a few tens of kB. */
const frameLimit = 16 * 1024 * 1024

export interface Frame {
  readonly stream: 'stdout' | 'stderr'
  readonly bytes: Uint8Array
}

/**
 * Takes the engine's multiplexed streams apart.
 *
 * Each frame has a header of eight bytes: stream (0 to 2), three zeros, length big-endian. Frames come
 * out whole and in order. A header that cannot be one is `failed`, since nothing after it can be trusted.
 */
export function demultiplexer(): (chunk: Uint8Array) => Frame[] {
  let pending: Uint8Array[] = []
  let size = 0
  let wanted = 8

  return (chunk) => {
    pending.push(chunk)
    size += chunk.length
    if (size < wanted) return []
    let rest = Buffer.concat(pending)
    const frames: Frame[] = []
    for (;;) {
      if (rest.length < 8) {
        wanted = 8
        break
      }
      const length = frameLength(rest)
      wanted = 8 + length
      if (rest.length < wanted) break
      frames.push({ stream: rest[0] === 2 ? 'stderr' : 'stdout', bytes: rest.subarray(8, wanted) })
      rest = rest.subarray(wanted)
    }
    pending = [rest]
    size = rest.length
    return frames
  }
}

function frameLength(header: Buffer): number {
  const length = header.readUInt32BE(4)
  if (header[0]! > 2 || header[1] !== 0 || header[2] !== 0 || header[3] !== 0 || length > frameLimit) {
    throw new EngineError('failed', 'the engine sent a stream that is not multiplexed output')
  }
  return length
}
