/**
 * Files that change while they are being read, all at one moment: the layout that Kubernetes gives to volumes of config.
 * The files are in a folder that is named after the time it was written at, `..data` is a link to that folder, and each
 * name at the top is a link to what has that name in `..data`.
 *
 * @see Kubernetes pkg/volume/util/atomic_writer.go
 */
import { type Engine, EngineError } from './engine.ts'
import type { ResolvedFile } from './resolve.ts'

/** The link that decides which files there are. No key of a ConfigMap or Secret, and no path of an item, begins with two dots. */
export const DATA = '..data'
/** The first word of the script's arguments, for whoever looks at the processes of a sandbox. */
export const EXCHANGE = 'exchange'
const TIMEOUT_MS = 60_000
const MOST_OUTPUT_BYTES = 4096

/**
 * Every link is made beside its place and renamed over it, and first of all `..data`: that is the moment. Whatever does not
 * belong there afterwards goes: what left Git, older versions, what a put left behind that was cut off, what somebody made.
 * So it may be cut off anywhere, and run again. A version that is not there is never led to: after a restart under live-restore
 * Docker 20.10 puts files into another folder than the one that a running pod has in memory.
 */
const SCRIPT = `set -eu
cd -P "$1"
version=$2
lead() {
  rm -rf ./${DATA}_tmp
  ln -s "$1" ./${DATA}_tmp
  if [ -d "./$2" ] && ! [ -L "./$2" ]; then rm -rf "./$2"; fi
  mv -fT ./${DATA}_tmp "./$2"
}
[ -d "./$version" ] || { echo 'what was put has not arrived in the volume that the pod has'; exit 1; }
lead "$version" ${DATA}
for path in "./$version"/* "./$version"/.[!.]*; do
  name=\${path##*/}
  [ -e "$path" ] || continue
  [ "$(readlink "./$name")" = "${DATA}/$name" ] || lead "${DATA}/$name" "$name"
done
for path in ./* ./.[!.]* ./..?*; do
  name=\${path##*/}
  case $name in ${DATA} | "$version") continue ;; esac
  [ -e "./$version/$name" ] || rm -rf "$path"
done`

/** Such a folder's name, as Kubernetes has it: `..2026_12_01_09_30_00.123`. @param now ms since the epoch */
export function versionAt(now: number): string {
  return `..${new Date(now).toISOString().slice(0, -1).replace(/[-T:]/g, '_')}`
}

/** The same files in the folder `version`. */
export function inVersion(version: string, files: readonly ResolvedFile[]): ResolvedFile[] {
  return files.map((file) => ({ ...file, path: `${version}/${file.path}` }))
}

/**
 * Makes `version` what is read in `folder`, and removes everything else there.
 *
 * @throws EngineError `failed` with what the script said, or whatever the engine says
 */
export async function exchangeFiles(engine: Engine, container: string, folder: string, version: string): Promise<void> {
  const command = ['sh', '-c', SCRIPT, EXCHANGE, folder, version]
  const options = { timeoutMs: TIMEOUT_MS, maxBytes: MOST_OUTPUT_BYTES }
  const { exitCode, output } = await engine.exec(container, command, options)
  if (exitCode === 0) return
  throw new EngineError('failed', `files of ${folder} cannot be exchanged: ${output.trim() || `code ${exitCode}`}`)
}
