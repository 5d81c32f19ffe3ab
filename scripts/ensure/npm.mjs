/** npm packages as the lock file says, the Node 24 binary among them. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findCommand, run } from './command.mjs'
import { SetupError, step } from './report.mjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const NODE = join(ROOT, 'node_modules/.bin/node')

const readPackages = (path) => JSON.parse(readFileSync(join(ROOT, path), 'utf8')).packages

/**
 * Whether what npm last installed (its own record inside node_modules) is what the lock file asks for.
 * Packages of other platforms are in the lock file and not in the record.
 */
function isInstalled() {
  try {
    const installed = readPackages('node_modules/.package-lock.json')
    const wanted = Object.entries(readPackages('package-lock.json')).filter(([path]) => path !== '')
    return wanted.every(([path, { version, optional, devOptional }]) =>
      installed[path] ? installed[path].version === version : optional === true || devOptional === true,
    )
  } catch {
    return false
  }
}

function nodeWorks() {
  try {
    return Number(execFileSync(NODE, ['-p', 'process.versions.node'], { encoding: 'utf8' }).split('.')[0]) >= 24
  } catch {
    return false
  }
}

/** Installs when the lock file asks for something else than what is there; otherwise takes milliseconds. */
export async function ensurePackages() {
  if (isInstalled() && nodeWorks()) return
  if (!findCommand('npm')) throw new SetupError('npm is missing; install it (on Debian: apt-get install npm) and run this again')
  await step('npm: installing packages from package-lock.json', () =>
    run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: ROOT }),
  )
  if (!nodeWorks())
    await step('npm: fetching Node 24', () => run('npm', ['rebuild', 'node', '--foreground-scripts'], { cwd: ROOT }))
  if (!nodeWorks()) throw new SetupError(`${NODE} does not run; see what \`npm rebuild node --foreground-scripts\` says`)
}
