import { type DaemonPod, type DaemonRules, daemonsComplete, planDaemons } from '../../../src/reconcilers/daemons.ts'
import { movesText, table } from './movetable.ts'

const nodes = ['a', 'b', 'c', 'd']
const one: DaemonRules = { nodes, next: 'r2', rolling: { surge: 0, unavailable: 1 } }
const two: DaemonRules = { ...one, rolling: { surge: 0, unavailable: 2 } }
const surging: DaemonRules = { ...one, rolling: { surge: 1, unavailable: 0 } }

/** Pods in words, `<node><set>` and a mark: `!` not available, `-` leaving, `x` ended. */
function pods(text: string): DaemonPod[] {
  return text.split(' ').flatMap((word, index): DaemonPod[] => {
    const [, node = '', set = '', mark = ''] = /^(\w)(r\d)(.?)$/.exec(word) ?? []
    if (node === '') return []
    const available = mark === ''
    return [{ uid: word, node, set, createdAt: index, ready: available, available, leaving: mark === '-', over: mark === 'x' }]
  })
}

function moves(rules: DaemonRules, seen: string): string {
  const { create, remove } = planDaemons(rules, pods(seen))
  return movesText(create, remove)
}

table('planDaemons', moves, [
  { rules: one, name: 'a pod on each node', seen: '', want: '+a, +b, +c, +d' },
  { rules: one, name: 'none while the last one is still leaving', seen: 'ar2- br2 cr2 dr2', want: '' },
  { rules: one, name: 'one that has ended goes first', seen: 'ar2x br2 cr2 dr2', want: '-ar2x over' },
  { rules: one, name: 'a node that takes none any more', seen: 'ar2 br2 cr2 dr2 er2', want: '-er2 surplus' },
  { rules: one, name: 'of two on a node the one that serves stays', seen: 'ar2! ar2 br2 cr2 dr2', want: '-ar2! surplus' },
  { rules: one, name: 'one node at a time', seen: 'ar1 br1 cr1 dr1', want: '-ar1 stale' },
  { rules: one, name: 'none while a new one does not serve', seen: 'ar2! br1 cr1 dr1', want: '' },
  { rules: one, name: 'none while one is missing', seen: 'br1 cr1 dr1', want: '+a' },
  {
    rules: one,
    name: 'old ones that do not serve go whatever the bounds say',
    seen: 'ar1! br1! cr1 dr1',
    want: '-ar1! stale, -br1! stale',
  },
  { rules: two, name: 'as many as may be unavailable', seen: 'ar1 br1 cr1 dr1', want: '-ar1 stale, -br1 stale' },
  { rules: two, name: 'those that do not serve count', seen: 'ar1! br1 cr1 dr1', want: '-ar1! stale, -br1 stale' },
  { rules: surging, name: 'a new one beside the old one', seen: 'ar1 br1 cr1 dr1', want: '+a' },
  { rules: surging, name: 'no more than may be', seen: 'ar1 ar2! br1 cr1 dr1', want: '' },
  { rules: surging, name: 'the old one goes once the new one serves', seen: 'ar1 ar2 br1 cr1 dr1', want: '+b, -ar1 stale' },
  {
    rules: surging,
    name: 'an old one that does not serve surges beyond the bounds',
    seen: 'ar1! br1! cr1 cr2! dr1',
    want: '+a, +b',
  },
  { rules: { ...one, rolling: null }, name: 'OnDelete replaces none', seen: 'ar1! br1 cr1', want: '+d' },
])

table('complete', (rules: DaemonRules, seen) => daemonsComplete(rules, pods(seen)), [
  { rules: one, seen: 'ar2 br2 cr2 dr2', want: true },
  { rules: one, seen: 'ar2 br2 cr2', want: false },
  { rules: one, seen: 'ar2 br2 cr2 dr1', want: false },
  { rules: one, seen: 'ar2 br2 cr2 dr2 dr1', want: false },
  { rules: one, seen: 'ar2 br2 cr2 dr2 dr1-', want: true },
  { rules: { ...one, rolling: null }, seen: 'ar1 br2 cr2 dr1', want: true },
])
