import { expect, test } from 'vitest'
import { impuritiesOf } from '../../../scripts/check/purity.ts'

for (const { name, source, want } of [
  { name: 'the clock', source: 'const now = Date.now()', want: ['a.ts:1: Date.now; take it as an argument'] },
  { name: 'a date made of nothing', source: '\nconst now = new Date( )', want: ['a.ts:2: new Date(); take it as an argument'] },
  { name: 'chance', source: 'return Math.random()', want: ['a.ts:1: Math.random; take it as an argument'] },
  { name: 'the environment', source: 'const home = process.env.HOME', want: ['a.ts:1: process.env; take it as an argument'] },
  { name: 'a timer', source: 'setTimeout(next, 10)', want: ['a.ts:1: a bare timer; take it as an argument'] },
  {
    name: 'a socket',
    source: "import { connect } from 'node:net'",
    want: ['a.ts:1: node:net beyond isIP; take it as an argument'],
  },
  { name: 'the shape of an address', source: "import { isIP, isIPv4 } from 'node:net'", want: [] },
  { name: 'a timer that was handed in', source: 'clock.setTimeout(next, 10)', want: [] },
  { name: 'a date made of a number', source: 'new Date(now).toISOString()', want: [] },
  { name: 'a word in a comment', source: '/** Never\n * Date.now. */\nconst a = 1 // Math.random is banned', want: [] },
  {
    name: 'code after a URL',
    source: "const a = 'http://x'; const b = Date.now()",
    want: ['a.ts:1: Date.now; take it as an argument'],
  },
]) {
  test(`impuritiesOf: ${name}`, () => expect(impuritiesOf('a.ts', source)).toEqual(want))
}
