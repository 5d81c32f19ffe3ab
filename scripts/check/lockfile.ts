import { readFileSync } from 'node:fs'

interface LockedPackage {
  readonly version?: string
  readonly resolved?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** Where npm would find `name` from the package at `path`: in its own node_modules or those around it. */
function locate(packages: Readonly<Record<string, LockedPackage>>, path: string, name: string): string | undefined {
  const here = `${path === '' ? '' : `${path}/`}node_modules/${name}`
  if (packages[here]) return here
  if (path === '') return undefined
  return locate(packages, path.slice(0, path.lastIndexOf('node_modules/')).replace(/\/$/, ''), name)
}

/**
 * What keeps `npm ci` from working elsewhere: a lock file without the packages of other platforms (npm
 * leaves them out when its registry lacks them), or one that names the registry it was made with.
 */
export function lockfileFaults(packages: Readonly<Record<string, LockedPackage>>): string[] {
  return Object.entries(packages).flatMap(([path, { resolved, dependencies, optionalDependencies }]) => {
    const needed = Object.keys({ ...dependencies, ...optionalDependencies })
    const missing = needed.filter((name) => locate(packages, path, name) === undefined)
    return [
      ...missing.map((name) => `${path || 'the project'} needs ${name}, which is not in package-lock.json`),
      ...(resolved ? [`${path} names a registry: ${resolved}`] : []),
    ]
  })
}

/** The same for this project's own lock file. */
export function findLockfileFaults(): string[] {
  return lockfileFaults(JSON.parse(readFileSync('package-lock.json', 'utf8')).packages)
}
