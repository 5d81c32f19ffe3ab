import Table from 'cli-table3'
import type { Row } from './bench.ts'

/** The rows as one table for a terminal, with the notes below it. */
export function renderTable(rows: readonly Row[]): string {
  const table = new Table({ head: ['what', 'Trireme', 'against', '', 'ratio', 'aim', ''], style: { head: [], border: [] } })
  for (const row of rows) {
    table.push([
      row.what,
      amount(row.trireme, row.unit),
      row.other === undefined ? '' : row.other.name,
      row.other === undefined ? '' : amount(row.other.value, row.unit),
      row.other === undefined || row.other.value === 0 ? '' : (row.trireme / row.other.value).toFixed(2),
      row.aim,
      row.met ? 'met' : 'MISSED',
    ])
  }
  const notes = rows.flatMap(({ what, note }) => (note === undefined ? [] : [`  ${what}: ${note}`]))
  return `${table.toString()}\n${notes.join('\n')}\n`
}

/** The same for a document. */
export function renderMarkdown(rows: readonly Row[]): string {
  const lines = rows.map(({ what, trireme, other, unit, aim, met }) => {
    const ratio = other === undefined || other.value === 0 ? '' : (trireme / other.value).toFixed(2)
    const against = other === undefined ? '' : `${other.name}: ${amount(other.value, unit)}`
    return `| ${what} | ${amount(trireme, unit)} | ${against} | ${ratio} | ${aim}${met ? '' : ' (missed)'} |`
  })
  return ['| what | Trireme | against | ratio | aim |', '| --- | --- | --- | --- | --- |', ...lines].join('\n')
}

function amount(value: number, unit: Row['unit']): string {
  const digits = unit === 's' ? 2 : unit === '%' ? 1 : 0
  return `${value.toFixed(digits)}${unit === '' ? '' : ` ${unit}`}`
}
