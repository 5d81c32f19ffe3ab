import { existsSync, statSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { pages, readText, root, withoutFences } from './pages.ts'

/** As GitHub makes them. */
function anchorsOf(page: string): ReadonlySet<string> {
  const headings = [...withoutFences(readText(page)).matchAll(/^#{1,6} (.+)$/gm)].map(([, text]) => text ?? '')
  return new Set(
    headings.map((text) =>
      text
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  )
}

/** What is wrong with one link of a page, `''` when nothing is. */
function faultOf(page: string, link: string): string {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : new URL(path, new URL(page, root)).href.slice(root.href.length)
  if (!existsSync(new URL(target, root))) return `${link}: there is no ${target}`
  if (anchor === undefined || anchor === '') return ''
  if (statSync(new URL(target, root)).isDirectory()) return `${link}: a folder has no headings`
  return anchorsOf(target).has(anchor) ? '' : `${link}: ${target} has no heading #${anchor}`
}

describe('links to files and headings lead somewhere', () => {
  test.each(pages)('%s', (page) => {
    const links = [...withoutFences(readText(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link ?? '')
    const faults = links
      .filter((link) => !/^[a-z]+:/.test(link))
      .map((link) => faultOf(page, link))
      .filter((fault) => fault !== '')
    expect(faults).toEqual([])
  })
})

describe('files that a page names are there', () => {
  test.each(['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'])('%s', (page) => {
    const named = [...readText(page).matchAll(/`((?:src|test|scripts|images|docs|manifests|bin)\/[\w./-]+)`/g)]
    const missing = named.map(([, path]) => path ?? '').filter((path) => !existsSync(new URL(path, root)))
    expect(missing).toEqual([])
  })
})

test('every invariant of the architecture names a test that holds it', () => {
  const section =
    readText('ARCHITECTURE.md')
      .split(/^## /m)
      .find((part) => part.startsWith('Invariants')) ?? ''
  const rows = section
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| --- ') && !line.startsWith('| invariant '))
  expect(rows.length).toBeGreaterThan(10)
  expect(rows.filter((row) => !/`(test\/[^`]+\.test\.ts|npm run (check|bench:scale))` ?[^|]*\|$/.test(row))).toEqual([])
})
