/** Values that nobody is to see. */
import { mutantsOf } from './mutant.ts'

export const secrets = [
  ...mutantsOf(
    'src/diff/conceal.ts',
    ['stringData of a Secret is shown', '(data|stringData)', '(data)'],
    [
      'the copy that kubectl leaves behind is shown',
      'secretPaths.some((secret) => secret.test(path))',
      'secretPaths.slice(0, 1).some((secret) => secret.test(path))',
    ],
    ['a value of a Secret is shown', '  if (!isMap(value)) return hiddenText\n', '  if (!isMap(value)) return value\n'],
    ['what a Secret held before is shown', 'lastApplied: conceal(path, lastApplied)', 'lastApplied'],
    ['what a Secret holds is shown', 'observed: conceal(path, observed)', 'observed'],
    [
      'a Secret that comes or goes as a whole is shown',
      'return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, conceal(childPath(path, field), inner)]))',
      'return value',
    ],
  ),
  ...mutantsOf(
    'src/runtime/vault.ts',
    [
      'values in base64 are not redacted',
      "return [bytes.toString('base64').replace(/=+$/, ''), bytes.toString('base64url')]",
      'return []',
    ],
    ['values in a URL are not redacted', "return [text, url, url.replaceAll('%20', '+'),", 'return [text,'],
    ['values in JSON are not redacted', 'JSON.stringify(text).slice(1, -1), ', ''],
    [
      'a value without its last line break is not redacted',
      'return [text, text.trim(), ...lines',
      'return [text, ...lines.slice(0, 0), ...lines',
    ],
    [
      'single lines of a key are not redacted',
      'return [text, text.trim(), ...lines.filter((line) => line.length >= REDACT_MIN_LINE)]',
      'return [text, text.trim(), ...lines.filter((line) => line.length < 0)]',
    ],
    ['a short value inside a longer one shows the rest of it', 'b.length - a.length ||', 'a.length - b.length ||'],
    [
      'a value that came later is not redacted',
      '      values.set(digest, bytes.slice())\n      forgetNeedles()\n',
      '      values.set(digest, bytes.slice())\n',
    ],
    ['values that are still used are forgotten', '        if (digests.has(digest)) continue\n', ''],
    ['values that nobody uses are kept', '        values.delete(digest)\n', ''],
    [
      'a value that is part of a name is not redacted in what programs write',
      'needles ??= needlesOf(values.values())',
      'needles ??= needlesOf(withoutNames([...values.values()], names))',
    ],
    ['equal values have equal digests on every installation', "createHmac('sha256', key)", "createHmac('sha256', '')"],
  ),
  ...mutantsOf(
    'src/logging.ts',
    ['log lines are not redacted', 'destination.write(redact(line))', 'destination.write(line)'],
    ['a field that is called password is logged', 'neverLogged.flatMap((name) => [name, `*.${name}`])', '[]'],
  ),
  ...mutantsOf('src/controller/failures.ts', [
    'what an engine said of a secret is told',
    'message: redact(error instanceof Error ? error.message : String(error))',
    'message: error instanceof Error ? error.message : String(error)',
  ]),
  ...mutantsOf(
    'src/controller/node.ts',
    ['the last words of a container are told with its secrets', 'redact: options.redact })', 'redact: (text) => text })'],
    [
      'last words are read before the secrets in them are known',
      '!tails.has(id) && secrets.every(options.knows)',
      '!tails.has(id)',
    ],
  ),
  ...mutantsOf('src/reconcilers/podstatus.ts', [
    'what is bound today stands for what a pod of a lost store was given',
    '  if (templateHash(set.template, set.config) !== set.hash) return undefined\n',
    '',
  ]),
]
