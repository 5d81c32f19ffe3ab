import type { Row } from '../bench.ts'
export async function benchPlan(_: { quick: boolean; say: (line: string) => void }): Promise<Row[]> {
  return []
}
