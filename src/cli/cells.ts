/** What the cells of all status tables share. */
import type colors from 'picocolors'
import { brief } from './table.ts'

type Ink = ReturnType<typeof colors.createColors>

export interface TableOptions {
  /** ms since the epoch */
  readonly now: number
  /** of the terminal; `undefined` when it is none: nothing is cut then */
  readonly columns: number | undefined
  readonly ink: Ink
}

export function paintWord(word: string, ink: Ink): string {
  if (['Available', 'Running', 'Ready', 'Succeeded', 'Completed', 'Complete', 'Scheduled', 'Bound'].includes(word))
    return ink.green(word)
  if (/^Init:\d+\/\d+$/.test(word) || word === 'PodInitializing') return ink.yellow(word)
  if (
    [
      'Progressing',
      'Pending',
      'Waiting',
      'Terminating',
      'Paused',
      'Suspended',
      'NoEndpoints',
      'ContainerCreating',
      'Retained',
    ].includes(word)
  )
    return ink.yellow(word)
  return ink.red(word)
}

/** Cut so that a line has a chance to fit beside `taken` columns of others. */
export function cut(text: string, columns: number | undefined, taken: number): string {
  return brief(text, columns === undefined ? Number.POSITIVE_INFINITY : Math.max(20, columns - taken))
}
