/** The Markdown pages of the project, and pieces of them. */
import { globSync, readFileSync } from 'node:fs'

export const root = new URL('../../../', import.meta.url)

export function readText(path: string): string {
  return readFileSync(new URL(path, root), 'utf8')
}

/** Paths from the root, sorted. */
export const pages: readonly string[] = ['*.md', 'docs/**/*.md', 'manifests/**/*.md', 'images/**/*.md']
  .flatMap((pattern) => globSync(pattern, { cwd: root }))
  .sort()

/** The text of fenced blocks, joined. */
export function fenced(text: string): string {
  return [...text.matchAll(/^```[^\n]*\n([\s\S]*?)^```/gm)].map(([, body]) => body).join('\n')
}

export function withoutFences(text: string): string {
  return text.replace(/^```[^\n]*\n[\s\S]*?^```/gm, '')
}

/** The first code of each table row below a heading, up to the next heading. */
export function tableCodes(text: string, heading: string): readonly string[] {
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? ''
  return [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, code]) => code ?? '').sort()
}
