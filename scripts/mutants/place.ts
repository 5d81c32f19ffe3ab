/** A copy of the project in which things are broken. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Mutant } from '../../test/mutants/mutant.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface Place {
  readonly folder: string
  /** Breaks what the mutant breaks. */
  breakIt(mutant: Mutant): void
  /** Brings the file back as it was. */
  mend(mutant: Mutant): void
  remove(): void
}

/** Files as they are here, committed or not; packages are shared. */
export function makePlace(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'trireme-mutants-'))
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  for (const file of listed.split('\0').filter((name) => name !== '' && name !== 'node_modules')) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    cpSync(join(ROOT, file), join(folder, file), { verbatimSymlinks: true })
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  return {
    folder,
    breakIt: (mutant) => writeFileSync(join(folder, mutant.file), broken(mutant)),
    mend: ({ file }) => writeFileSync(join(folder, file), original(file)),
    remove: () => rmSync(folder, { recursive: true }),
  }
}

/** What is wrong with mutants themselves: a text that is not there once, or a replacement that is no TypeScript. */
export function misplaced(mutants: readonly Mutant[]): string[] {
  return mutants.flatMap((mutant) => {
    const { file, breaks, find } = mutant
    const count = original(file).split(find).length - 1
    if (count !== 1) return [`${file}: "${breaks}": the text to break is there ${count} times: ${JSON.stringify(find)}`]
    try {
      stripTypeScriptTypes(broken(mutant))
      return []
    } catch (error) {
      return [`${file}: "${breaks}": the replacement does not parse: ${error instanceof Error ? error.message : String(error)}`]
    }
  })
}

function original(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8')
}

function broken({ file, find, replace }: Mutant): string {
  return original(file).replace(find, () => replace)
}
