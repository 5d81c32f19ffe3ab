/**
 * Seccomp profiles of the operator (`seccompProfile` of type Localhost): files of the daemon's host. The engine, which may
 * be another host's, is given what is in them.
 */
import { readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { SECCOMP_FILE } from '../reconcilers/security.ts'
import type { ContainerConfig } from './engine.ts'
import { ConfigError } from './secretvalue.ts'

/** The profile of Docker has 12 KiB. */
const MOST_BYTES = 1 << 20

/**
 * The configuration with the profile that it names, read anew each time. @param root folder that names are relative to
 *
 * @throws ConfigError for a file that is not there, is too large or is not JSON
 */
export async function withSeccomp(config: ContainerConfig, root: string): Promise<ContainerConfig> {
  if (!config.securityOpt.some((option) => option.startsWith(SECCOMP_FILE))) return config
  const securityOpt = config.securityOpt.map(async (option) =>
    option.startsWith(SECCOMP_FILE) ? `seccomp=${await readProfile(root, option.slice(SECCOMP_FILE.length))}` : option,
  )
  return { ...config, securityOpt: await Promise.all(securityOpt) }
}

async function readProfile(root: string, name: string): Promise<string> {
  const file = join(root, name)
  // Git cannot say so; the label that a pod of a lost store is known by may have been written by anybody.
  if (/^\.\.(\/|$)/.test(relative(root, file)))
    throw new ConfigError(`the seccomp profile ${name} is not below the folder of the profiles, ${root}`)
  try {
    const { size } = await stat(file)
    if (size > MOST_BYTES) throw new Error(`it has ${size} bytes, and ${MOST_BYTES} are the most`)
    const text = await readFile(file, 'utf8')
    if (!isJson(text)) throw new Error('it is not JSON')
    return text
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const what = code === 'ENOENT' ? `is not there: put it on the host of the daemon` : `cannot be used: ${message}`
    throw new ConfigError(`the seccomp profile ${file} ${what}`, { cause: error })
  }
}

/** What the parser says of a text that is none holds a piece of it, which is nobody's to see. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
