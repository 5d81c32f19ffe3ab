/** Seeing to places in volumes: owners, modes, and folders that are mounted by themselves. */
import type { Ownership, Place } from '../reconcilers/plan.ts'
import { type Engine, EngineError } from './engine.ts'

/** A large volume takes long to be given to a group: ms. */
const TIMEOUT_MS = 600_000
const MOST_OUTPUT_BYTES = 4096

/**
 * Runs in the sandbox, which has nothing but the volumes of its pod: whatever a link there leads to, it is not the node.
 * An empty volume that nobody has owned yet is opened for whoever the containers run as. A part is walked to folder by
 * folder, and its modes are those of the volume, as the kubelet does it.
 */
const SCRIPT = `set -eu
root=$1 gid=$2 mismatch=$3
shift 3
cd -P "$root"
if [ "$gid" != - ]; then
  if [ -z "$(ls -A)" ] && [ "$(stat -c %u:%g .)" = 0:0 ]; then chmod 0777 .; fi
  if [ "$gid" != 0 ]; then
    if [ "$mismatch" != yes ] || [ "$(stat -c %g .)" != "$gid" ]; then
      chgrp -hR "$gid" .
      chmod -R g+rwX .
      find . -type d -exec chmod g+s {} +
    fi
  fi
fi
mode=$(stat -c %a .)
for part; do
  cd -P "$root"
  rest=$part/
  while [ -n "$rest" ]; do
    name=\${rest%%/*} rest=\${rest#*/}
    if [ -L "./$name" ]; then
      echo "the way to the subPath $part leads over the link $name, which could lead to any place of the node"
      exit 3
    fi
    [ -e "./$name" ] || mkdir -m "$mode" "./$name"
    if [ -n "$rest" ]; then cd -P "./$name"; fi
  done
done`

/** @throws EngineError `failed` with what is wrong with the place, or whatever the engine says */
export async function seeToPlace(engine: Engine, sandbox: string, { folder, parts, own }: Place): Promise<void> {
  const command = ['sh', '-c', SCRIPT, 'sh', folder, ...ownershipWords(own), ...parts]
  const { exitCode, output } = await engine.exec(sandbox, command, { timeoutMs: TIMEOUT_MS, maxBytes: MOST_OUTPUT_BYTES })
  if (exitCode === 0) return
  const said = output.trim() === '' ? `code ${exitCode}` : output.trim()
  throw new EngineError('failed', `volume ${folder.split('/').at(-1)} cannot be prepared: ${said}`)
}

function ownershipWords(own: Ownership | undefined): [string, string] {
  return own === undefined ? ['-', 'no'] : [String(own.gid), own.onMismatch ? 'yes' : 'no']
}
