import { expect, test } from 'vitest'
import { renderChanges, renderView } from '../../../../scripts/demo/view.ts'
import { cluster, container, newSha, oldSha, pod, service, source, workload } from '../../../support/status.ts'

const rolling = cluster({
  sources: [source({ healthy: oldSha })],
  workloads: [
    workload({
      desired: 2,
      ready: 1,
      healthy: false,
      condition: 'Progressing',
      message: 'pod web-2: CrashLoopBackOff: web: exited with 1',
      pods: [
        pod({ name: 'web-1', ip: '10.88.0.1' }),
        pod({
          name: 'web-2',
          ip: '',
          ready: false,
          reason: 'CrashLoopBackOff',
          restarts: 3,
          containers: [container({ image: 'shop:2' })],
        }),
        pod({ name: 'web-3', ip: '10.88.0.3', terminating: true }),
      ],
    }),
  ],
  services: [
    service({
      ports: [{ name: 'http', protocol: 'TCP', port: 80, nodePort: 30080, hostPorts: [30080], ready: 1 }],
      endpoints: [
        { pod: 'web-1', ip: '10.88.0.1', ready: true },
        { pod: 'web-2', ip: '', ready: false },
      ],
    }),
  ],
})

test('the picture has revision, rollout, pods and addresses', () => {
  expect(renderView(rolling, 200)).toBe(
    [
      `revision ${newSha.slice(0, 7)} "Raise the limit": on its way (healthy: ${oldSha.slice(0, 7)})`,
      '',
      'DEPLOYMENT   READY   UPDATED   STATE',
      'web          1/2     1         Progressing: pod web-2: CrashLoopBackOff: web: exited with 1',
      '',
      'POD     STATE              ADDRESS     IMAGE                    RESTARTS',
      'web-1   Ready              10.88.0.1   registry.example/web:2   0',
      'web-2   CrashLoopBackOff   -           shop:2                   3',
      'web-3   Terminating        10.88.0.3   registry.example/web:2   0',
      '',
      'SERVICE   ADDRESS          ON THIS HOST             PODS BEHIND IT',
      'web       10.88.128.1:80   http://127.0.0.1:30080   10.88.0.1',
      '',
    ].join('\n'),
  )
})

test('no line is wider than the terminal', () => {
  const widths = renderView(rolling, 40)
    .split('\n')
    .map((line) => line.length)
  expect(Math.max(...widths)).toBe(40)
})

test('a daemon that has seen nothing yet has a picture too', () => {
  const empty = cluster({ sources: [], workloads: [], services: [] })
  expect(renderView(empty, 80)).toContain('revision: none yet')
  expect(renderChanges(undefined, empty)).toEqual([])
})

test('lines tell only what has changed, and what is gone', () => {
  const calm = cluster()
  expect(renderChanges(calm, calm)).toEqual([])
  expect(renderChanges(undefined, calm)).toEqual([
    `source: revision ${newSha.slice(0, 7)} "Raise the limit": healthy`,
    'deployment web: 1/1 ready, 1 updated, Available',
    'pod web-7c9f-x2k1q: Ready, 10.88.0.10, registry.example/web:2',
    'service web: 10.88.128.1:80 → 10.88.0.10',
  ])
  const moved = cluster({ workloads: [workload({ pods: [pod({ name: 'web-new', restarts: 1 })] })] })
  expect(renderChanges(calm, moved)).toEqual([
    'pod web-new: Ready, 10.88.0.10, registry.example/web:2, 1 restarts',
    'pod web-7c9f-x2k1q: gone',
  ])
})

test('a source in trouble says so in place of its state', () => {
  const broken = cluster({ sources: [source({ error: 'the repository is gone' })] })
  expect(renderView(broken, 200)).toContain('"Raise the limit": the repository is gone')
})
