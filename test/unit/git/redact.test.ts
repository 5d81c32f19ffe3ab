import { expect, test } from 'vitest'
import { redactor } from '../../../src/git/redact.ts'

const redact = redactor(['p@ss/w', 'p@ss'], 'ada')

for (const { name, text, want } of [
  { name: 'as it is', text: 'bad p@ss/w here', want: 'bad *** here' },
  { name: 'percent-encoded', text: 'https://h/?x=p%40ss%2Fw', want: 'https://h/?x=***' },
  { name: 'in an Authorization header', text: `Basic ${btoa('ada:p@ss')}`, want: 'Basic ***' },
  { name: 'base64 alone', text: btoa('p@ss/w'), want: '***' },
  { name: 'any user and password of a URL', text: "at 'https://bob:other@host/x'", want: "at 'https://***@host/x'" },
  { name: 'a token as user', text: 'https://ghp_abc@host/x', want: 'https://***@host/x' },
  { name: 'nothing in plain text', text: 'fatal: no such branch a@b', want: 'fatal: no such branch a@b' },
  { name: 'nothing of the ssh account git', text: 'ssh://git@host/x', want: 'ssh://git@host/x' },
]) {
  test(`redacts: ${name}`, () => expect(redact(text)).toBe(want))
}

test('an empty secret redacts nothing', () => expect(redactor([''], '')('plain text')).toBe('plain text'))
