import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import type { Deps } from '../../../src/cli/deps.ts'
import { program } from '../../../src/cli/program.ts'
import { configOptions } from '../../../src/options.ts'
import { capture } from '../../support/cli.ts'
import { pages, readText, root } from './pages.ts'

const deps = { version: '0.0.0', stdout: capture(), stderr: capture() } as unknown as Deps
const verbs = new Map(program(deps, () => undefined).commands.map((command) => [command.name(), command]))

function flagsOf(command: Command): ReadonlySet<string> {
  return new Set([...command.options.flatMap(({ short, long }) => [short, long]), '-h', '--help'].flatMap((flag) => flag ?? []))
}

/** `trireme <verb> …` as written, up to the end of the command; backslashes join lines. */
function commandLines(text: string): { readonly verb: string; readonly words: readonly string[] }[] {
  const joined = text.replace(/\\\n\s*/g, ' ')
  return [...joined.matchAll(/\btrireme(?::[\w.]+)? ([a-z]+)\b([^\n`|;&#]*)/g)]
    .filter(([, verb]) => verbs.has(verb ?? ''))
    .map(([, verb = '', rest = '']) => ({ verb, words: rest.split(/\s+/).filter((word) => word !== '') }))
}

const files = [...pages, 'manifests/operator/run.sh', 'manifests/operator/trireme.service']

describe('every flag of a command line in the documents exists', () => {
  test.each(files)('%s', (page) => {
    const wrong = commandLines(readText(page)).flatMap(({ verb, words }) => {
      const known = flagsOf(verbs.get(verb) as Command)
      const flags = words.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.split('=')[0] ?? '')
      return flags.filter((flag) => !known.has(flag)).map((flag) => `trireme ${verb} ${flag}`)
    })
    expect(wrong).toEqual([])
  })
})

describe('every flag, variable and key in the text exists', () => {
  const flags = new Set([...verbs.values()].flatMap((command) => [...flagsOf(command)]))
  const variables = new Set([...configOptions.map(({ env }) => env), 'TRIREME_CONFIG', 'TRIREME_SERVER'])
  /** of other programs */
  const foreign = new Set(['--images', '--only', '--exit', '--dry-run', '--omit', '--fast', '--quick'])

  test.each(pages)('%s', (page) => {
    const text = readText(page)
    const named = [...text.matchAll(/`(--[a-z][a-z-]*)[^`]*`/g)].map(([, flag]) => flag ?? '')
    expect(named.filter((flag) => !flags.has(flag) && !foreign.has(flag))).toEqual([])
    const set = [...text.matchAll(/`(TRIREME_[A-Z_]+)`/g)].map(([, name]) => name ?? '')
    expect(set.filter((name) => !variables.has(name))).toEqual([])
  })
})

test('the README names every verb, and no other', () => {
  const line = /^The verbs: (.*)$/m.exec(readText('README.md'))?.[1] ?? ''
  const named = [...line.matchAll(/`([a-z]+)`/g)].map(([, verb]) => verb ?? '')
  expect(named.sort()).toEqual([...verbs.keys()].sort())
})

describe('every npm script and script file that a page names exists', () => {
  const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> }
  test.each(pages)('%s', (page) => {
    const text = readText(page)
    const named = [...text.matchAll(/\bnpm run ([a-z][a-z:]*)/g)].map(([, name]) => name ?? '')
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([])
    const paths = [...text.matchAll(/\b(scripts\/[\w/-]+\.(?:ts|mjs)|manifests\/operator\/[\w.-]+)/g)].map(
      ([, path]) => path ?? '',
    )
    expect(paths.filter((path) => !existsSync(new URL(path, root)))).toEqual([])
  })
})
