/** Tables as kubectl prints them: no borders, upper-case heads, three spaces between columns. */
import Table from 'cli-table3'

const none = { top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '' }
const lines = { 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '   ' }

/** `head` and `rows` have the same number of cells; ends with a newline. */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    chars: { ...none, ...lines },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  table.push([...head], ...rows.map((row) => [...row]))
  const text = table.toString().split('\n')
  return `${text.map((line) => line.trimEnd()).join('\n')}\n`
}

/** Age in kubectl's words: `45s`, `12m`, `3h20m`, `5d`. */
export function renderAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000))
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 10) return `${minutes}m${seconds % 60 || ''}${seconds % 60 ? 's' : ''}`
  if (minutes < 180) return `${minutes}m`
  const hours = Math.floor(minutes / 60)
  if (hours < 8) return `${hours}h${minutes % 60 || ''}${minutes % 60 ? 'm' : ''}`
  if (hours < 48) return `${hours}h`
  return `${Math.floor(hours / 24)}d`
}

/** The first line, cut to `width` characters, without control characters: what containers print must not drive the terminal. */
export function brief(text: string, width: number): string {
  const line = (text.split('\n')[0] ?? '').replace(/\p{Cc}+/gu, ' ')
  return line.length <= width ? line : `${line.slice(0, Math.max(1, width - 1))}…`
}
