import Table from 'cli-table3'
import type { ScaleRow } from './rows.ts'
import type { Measured } from './scenario.ts'

export function renderTerminal(measured: readonly Measured[], rows: readonly ScaleRow[]): string {
  const table = new Table({ head: head(measured), style: { head: [], border: [] } })
  table.push(...rows.map(cells))
  return table.toString()
}

export function renderMarkdown(measured: readonly Measured[], rows: readonly ScaleRow[]): string {
  const titles = head(measured)
  const lines = [titles, titles.map(() => '---'), ...rows.map(cells)]
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n')
}

function head(measured: readonly Measured[]): string[] {
  const sizes = measured.map(({ pods, workloads }) => `${count(pods)} pods, ${count(workloads)} workloads`)
  return ['what', ...sizes, 'growth']
}

function cells({ what, unit, values, growth }: ScaleRow): string[] {
  return [what, ...values.map((value) => amount(value, unit)), growth === undefined ? '' : `n^${growth.toFixed(2)}`]
}

function amount(value: number, unit: ScaleRow['unit']): string {
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0
  return `${count(Number(value.toFixed(digits)))}${unit.startsWith('/') ? unit : ` ${unit}`}`
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}
