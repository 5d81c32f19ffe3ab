/**
 * Seccomp and AppArmor profiles.
 * @see Kubernetes pkg/apis/core/validation/validation.go, `validateSeccompProfileField` and `validateAppArmorProfileField`
 */
import { has, mapAt, type Raw, textAt } from '../raw.ts'
import type { Report } from '../report.ts'
import type { FieldPath } from '../types/meta.ts'

/** @param at of the object that has the `securityContext` */
export function checkProfiles(owner: Raw, at: FieldPath, report: Report): void {
  for (const key of ['seccompProfile', 'appArmorProfile']) {
    const profile = mapAt(owner, 'securityContext', key)
    const path = [...at, 'securityContext', key, 'localhostProfile']
    const name = (textAt(profile, 'localhostProfile') ?? '').trim()
    if (textAt(profile, 'type') === 'Localhost') {
      if (name === '') report(path, 'MissingField', 'type Localhost needs the name of a profile')
      else if (key === 'seccompProfile' && leavesFolder(name))
        report(path, 'BadPath', 'expected a path below the folder of the profiles, without a leading / and without ..')
    } else if (has(profile, 'localhostProfile')) report(path, 'UnknownField', 'only possible with type Localhost')
  }
}

function leavesFolder(name: string): boolean {
  return name.startsWith('/') || name.split('/').includes('..')
}
