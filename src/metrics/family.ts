/** Metrics as data: what a scrape computes from the status is a list of samples of declared families. */

export interface Family {
  readonly type: 'gauge' | 'counter'
  readonly help: string
  readonly labels: readonly string[]
}

export type Families = Readonly<Record<string, Family>>

export interface Sample {
  /** name of a family */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export function gauge(help: string, labels: readonly string[] = []): Family {
  return { type: 'gauge', help, labels }
}

export function counter(help: string, labels: readonly string[] = []): Family {
  return { type: 'counter', help, labels }
}

export function sample(name: string, labels: Readonly<Record<string, string>>, value: number | boolean): Sample {
  return { name, labels, value: Number(value) }
}

/** One sample for each of `values`, 1 for the one that holds and 0 for the others, as kube-state-metrics writes enumerations. */
export function oneOf(
  name: string,
  labels: Readonly<Record<string, string>>,
  label: string,
  values: readonly string[],
  actual: string,
): Sample[] {
  return values.map((value) => sample(name, { ...labels, [label]: value }, value === actual))
}
