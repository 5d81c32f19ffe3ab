/** The message that a container leaves when it ends. @see Kubernetes pkg/kubelet/kuberuntime getTerminationMessage */
import type { MessageSource } from '../reconcilers/observed.ts'
import { unpackFiles } from './archive.ts'
import { type Engine, EngineError } from './engine.ts'
import { printable, readTail } from './tails.ts'

const MESSAGE_BYTES = 4096
const LOG_LINES = 80
const LOG_BYTES = 2048
/** A larger file is no message, and is not read at all. */
const FILE_BYTES = 1 << 20

/**
 * The end of the file at `path`, or else of the log where that is asked for; `''` when there is neither. Secret values are
 * taken out before anything is cut: half a secret is a secret.
 *
 * @throws EngineError other than `notFound`
 */
export async function readMessage(
  engine: Engine,
  containerId: string,
  { path, fromLog }: MessageSource,
  redact: (text: string) => string,
): Promise<string> {
  const written = await readFile(engine, containerId, path)
  const message = lastBytes(redact(written).split('\n').map(printable).join('\n').trim(), MESSAGE_BYTES)
  if (message !== '' || !fromLog) return message
  const lines = await readTail({ engine, containerId, lines: LOG_LINES, maxLineBytes: LOG_BYTES, redact })
  return lastBytes(lines.join('\n').trim(), LOG_BYTES)
}

/** What lies in /dev is gone with the container: Docker keeps it in memory. */
async function readFile(engine: Engine, containerId: string, path: string): Promise<string> {
  if (path.startsWith('/dev/')) return ''
  try {
    const [file] = await unpackFiles(await engine.getArchive(containerId, path, FILE_BYTES), { maxBytes: FILE_BYTES })
    return file === undefined ? '' : Buffer.from(file.bytes).toString('utf8')
  } catch (error) {
    if (error instanceof EngineError && error.kind === 'notFound') return ''
    throw error
  }
}

/** Whole characters only: the later bytes of one begin with 10. */
function lastBytes(text: string, most: number): string {
  const bytes = Buffer.from(text, 'utf8')
  let start = Math.max(0, bytes.length - most)
  while (start > 0 && start < bytes.length && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1
  return bytes.subarray(start).toString('utf8')
}
