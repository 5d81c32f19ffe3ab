import { expect, test } from 'vitest'
import { visibleFiles } from '../../../src/runtime/visible.ts'

const live = '..2026_12_01_09_30_00.123'
const old = '..2026_11_30_09_30_00.001'

/** What is seen of such a volume: `path=where it is`, and what is astray. Entries are paths, and links as `path>target`. */
function seenOf(...entries: string[]): string {
  const links = entries.filter((entry) => entry.includes('>')).map((entry) => entry.split('>'))
  const files = entries.filter((entry) => !entry.includes('>')).map((path) => ({ path }))
  const visible = visibleFiles(
    files,
    links.map(([path = '', target = '']) => ({ path, target })),
  )
  const seen = [...visible.files].map(([path, file]) => (path === file.path ? path : `${path}=${file.path}`))
  return [...seen, ...visible.astray.map((path) => `astray ${path}`)].join(', ')
}

for (const { name, entries, want } of [
  { name: 'plain files', entries: ['a', 'conf/app'], want: 'a, conf/app' },
  {
    name: 'files through their links',
    entries: [`${live}/a`, `${live}/conf/app`, `..data>${live}`, 'a>..data/a', 'conf>..data/conf'],
    want: `a=${live}/a, conf/app=${live}/conf/app`,
  },
  { name: 'no files at all', entries: [`..data>${live}`], want: '' },
  {
    name: 'an older version that was left behind, and a link that was not renamed',
    entries: [`${live}/a`, `${old}/a`, `..data>${live}`, `..data_tmp>${old}`, 'a>..data/a'],
    want: `a=${live}/a, ${old}/a, astray ..data_tmp`,
  },
  { name: 'a link that is missing', entries: [`${live}/a`, `..data>${live}`], want: `${live}/a` },
  { name: 'a file in place of its link', entries: [`${live}/a`, 'a', `..data>${live}`], want: `${live}/a, a` },
  {
    name: 'links to nothing, elsewhere, and one too many',
    entries: [`${live}/a`, `..data>${live}`, 'gone>..data/gone', 'a>/etc/passwd', 'b>..data/a'],
    want: `${live}/a, astray gone, astray a, astray b`,
  },
  {
    name: 'a link among the files',
    entries: [`${live}/a`, `${live}/conf/b>/etc/passwd`, `..data>${live}`, 'a>..data/a'],
    want: `a=${live}/a, astray ${live}/conf/b`,
  },
  { name: 'no version', entries: [`${live}/a`, 'a>..data/a'], want: `${live}/a, astray a` },
  ...['/etc', '..', '.', '', 'a', '../..', '..data', `${live}/sub`, `./${live}`].map((target) => ({
    name: `a version that is ${JSON.stringify(target)}`,
    entries: [`${live}/a`, `${live}/sub/a`, `..data>${target}`, 'a>..data/a'],
    want: `${live}/a, ${live}/sub/a, astray ..data, astray a`,
  })),
  {
    name: 'another version that is there',
    entries: [`${live}/a`, `${old}/a`, `..data>${old}`, 'a>..data/a'],
    want: `${live}/a, a=${old}/a`,
  },
])
  test(`visibleFiles: ${name}`, () => expect(seenOf(...entries)).toBe(want))
