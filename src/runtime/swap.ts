/** Files that are being read, exchanged so that no reader ever sees half of one. */
import { type Engine, EngineError } from './engine.ts'
import type { ResolvedFile } from './resolve.ts'

/** No key of a ConfigMap or Secret begins with two dots. */
const BESIDES = '..trireme'
const TIMEOUT_MS = 60_000
const MOST_OUTPUT_BYTES = 4096

/** A rename takes the place of a file at once; who has it open, or mounted by itself, keeps the old one. */
const SCRIPT = `set -eu
cd -P "$1"
count=$2
shift 2
while [ "$count" -gt 0 ]; do
  mkdir -p -m 0755 "$(dirname "./$1")"
  mv -fT "./${BESIDES}/$1" "./$1"
  count=$((count - 1))
  shift
done
for path; do rm -f "./$path"; done
rm -rf ./${BESIDES}`

/** The same files in a folder of their own, from which `swapFiles` takes them. */
export function besides(files: readonly ResolvedFile[]): ResolvedFile[] {
  return files.map((file) => ({ ...file, path: `${BESIDES}/${file.path}` }))
}

/** @throws EngineError `failed` with what the script said, or whatever the engine says */
export async function swapFiles(
  engine: Engine,
  container: string,
  folder: string,
  { paths, gone }: { readonly paths: readonly string[]; readonly gone: readonly string[] },
): Promise<void> {
  const command = ['sh', '-c', SCRIPT, 'sh', folder, String(paths.length), ...paths, ...gone]
  const options = { timeoutMs: TIMEOUT_MS, maxBytes: MOST_OUTPUT_BYTES }
  const { exitCode, output } = await engine.exec(container, command, options)
  if (exitCode === 0) return
  throw new EngineError('failed', `files of ${folder} cannot be exchanged: ${output.trim() || `code ${exitCode}`}`)
}

/** Whether a file only waits there to be exchanged. */
export function isBesides(path: string): boolean {
  return path.startsWith(`${BESIDES}/`)
}
