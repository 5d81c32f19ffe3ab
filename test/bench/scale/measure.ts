/** One size, in a process of its own: nothing of another size is warm, or left in memory. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Measured } from './scenario.ts'

const PROGRAM = fileURLToPath(new URL('scenario.ts', import.meta.url))
const exec = promisify(execFile)

/** @param dir where the daemon keeps its store, for as long as it takes */
export async function measureSize(pods: number, workloads: number, dir: string | undefined): Promise<Measured> {
  const options = ['--disable-warning=ExperimentalWarning', '--expose-gc', '--max-old-space-size=16384']
  const env = { ...process.env, ...(dir === undefined ? {} : { TMPDIR: dir }) }
  const { stdout } = await exec(process.execPath, [...options, PROGRAM, `${pods}`, `${workloads}`], { env })
  return JSON.parse(stdout) as Measured
}
