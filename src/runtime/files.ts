/** What is in the volumes of running pods, read back: the observed side of their files. */
import { createHash } from 'node:crypto'
import { ArchiveError, unpack } from './archive.ts'
import { type Engine, EngineError } from './engine.ts'
import { pause, type Timers } from './timers.ts'
import { visibleFiles } from './visible.ts'

/** More than a volume made of ConfigMaps and Secrets holds; they are capped at 1 MiB each. */
const VOLUME_LIMIT_BYTES = 16 * 1024 * 1024
/** A read costs the engine some 60 ms of work, so reads keep this distance however many volumes there are. */
const READ_GAP_MS = 1_000

/** A volume and a running container that mounts it at `path`. */
export interface VolumeTarget {
  readonly engine: Engine
  readonly volume: string
  /** id or name */
  readonly container: string
  readonly path: string
  readonly secret: boolean
}

/**
 * By the path that a file is read at, relative to the volume's root: SHA-256 in hex, or the keyed digest in a secret volume.
 * A link that does not belong there has `''`.
 */
export type FileDigests = Readonly<Record<string, string>>

/**
 * The digests of the regular files in a volume, and the links that do not belong there; folders are left out.
 *
 * @param options.digest the vault's keyed digest, used for secret volumes
 * @throws EngineError `notFound` when container or path is gone, `failed` when the volume holds more than
 *   16 MiB or its archive cannot be read, or whatever the engine says
 */
export async function readVolumeFiles(
  options: Omit<VolumeTarget, 'volume'> & { readonly digest: (bytes: Uint8Array) => string },
): Promise<FileDigests> {
  const { engine, container, path } = options
  const archive = await engine.getArchive(container, path, VOLUME_LIMIT_BYTES)
  const digest = options.secret ? options.digest : sha256
  const { files, links } = await entriesOf(archive, container, path)
  const visible = visibleFiles(files.flatMap(withoutTop), links.flatMap(withoutTop))
  const entries = [
    ...[...visible.files].map(([name, { bytes }]) => [name, digest(bytes)] as const),
    ...visible.astray.map((name) => [name, ''] as const),
  ]
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

async function entriesOf(archive: Uint8Array, container: string, path: string) {
  try {
    return await unpack(archive, { maxBytes: VOLUME_LIMIT_BYTES })
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error
    throw new EngineError('failed', `cannot read ${path} of container ${container}: ${error.message}`, { cause: error })
  }
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** The engine puts the folder that was asked for on top of every path. */
function withoutTop<Entry extends { readonly path: string }>(entry: Entry): Entry[] {
  const path = entry.path.split('/').slice(1).join('/')
  return path === '' ? [] : [{ ...entry, path }]
}

export interface VerifyOptions {
  /** asked for anew before each round */
  readonly targets: () => readonly VolumeTarget[]
  /** a round takes at least this long; default 30 s */
  readonly intervalMs?: number
  readonly timers: Timers
  readonly digest: (bytes: Uint8Array) => string
  readonly onResult: (volume: string, digests: FileDigests, target: VolumeTarget) => void
  /** a volume that could not be read; it comes again in the next round */
  readonly onError?: (volume: string, error: unknown, target: VolumeTarget) => void
  readonly signal: AbortSignal
}

/**
 * Reads the targets in rounds, one at a time, spread evenly over the interval, until `signal` aborts.
 *
 * A read that overlaps with a `put` may show what was there before; the next round shows the truth.
 */
export async function verifyFiles(options: VerifyOptions): Promise<void> {
  const { targets, timers, signal, intervalMs = 30_000 } = options
  while (!signal.aborted) {
    const round = targets()
    if (round.length === 0) await pause(timers, intervalMs, signal)
    for (const target of round) {
      await pause(timers, Math.max(READ_GAP_MS, intervalMs / round.length), signal)
      if (signal.aborted) return
      await verify(target, options)
    }
  }
}

async function verify(target: VolumeTarget, options: VerifyOptions): Promise<void> {
  try {
    const digests = await readVolumeFiles({ ...target, digest: options.digest })
    if (!options.signal.aborted) options.onResult(target.volume, digests, target)
  } catch (error) {
    // Gone between the round's list and its turn: nothing to say about it.
    const gone = error instanceof EngineError && error.kind === 'notFound'
    if (!gone && !options.signal.aborted) options.onError?.(target.volume, error, target)
  }
}
