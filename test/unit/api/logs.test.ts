import { expect, test } from 'vitest'
import { ApiError } from '../../../src/api/error.ts'
import { selectLogs } from '../../../src/api/logs.ts'
import { parseSelector } from '../../../src/model/selector.ts'
import { cluster, container, cronJobStatus, jobStatus, pod, workload } from '../../support/status.ts'

const status = cluster({
  workloads: [
    workload({ pods: [pod({ name: 'web-b', containers: [container(), container({ name: 'side' })] }), pod({ name: 'web-a' })] }),
    workload({ namespace: 'blue', name: 'api', pods: [pod({ namespace: 'blue', name: 'api-1' })] }),
    workload({ namespace: 'green', name: 'api', pods: [pod({ namespace: 'green', name: 'api-2' })] }),
    workload({ kind: 'Pod', name: 'once', pods: [pod({ name: 'once' })] }),
    workload({ name: 'idle', pods: [] }),
    workload({ kind: 'CronJob', name: 'tick', pods: [], cronJob: cronJobStatus() }),
    workload({ kind: 'Job', name: 'tick-1', pods: [pod({ name: 'tick-1-a' })], job: jobStatus({ owner: 'CronJob/shop/tick' }) }),
    workload({ kind: 'Job', name: 'sums', pods: [pod({ name: 'sums-a' })], job: jobStatus() }),
  ],
})

function select(target: string, as: 'workload' | 'pod' | 'any' = 'any', name = ''): string {
  try {
    return selectLogs(status, { target, as, container: name, allContainers: false })
      .map((each) => `${each.namespace}/${each.pod}/${each.container}`)
      .join(' ')
  } catch (error) {
    if (error instanceof ApiError) return `${error.status} ${error.message}`
    throw error
  }
}

for (const { target, as, name, want } of [
  { target: 'web', want: 'shop/web-a/app shop/web-b/app shop/web-b/side' },
  { target: 'cronjob/tick', want: 'shop/tick-1-a/app' },
  { target: 'job/sums', want: 'shop/sums-a/app' },
  { target: 'web', name: 'side', want: 'shop/web-b/side' },
  { target: 'deployment/web', name: 'app', want: 'shop/web-a/app shop/web-b/app' },
  { target: 'deploy/web', name: 'side', want: 'shop/web-b/side' },
  { target: 'Deployment/shop/web', name: 'side', want: 'shop/web-b/side' },
  { target: 'shop/web-b', want: 'shop/web-b/app shop/web-b/side' },
  { target: 'pod/web-a', want: 'shop/web-a/app' },
  { target: 'once', want: 'shop/once/app' },
  { target: 'green/api', want: 'green/api-2/app' },
  { target: 'api', want: '400 "api" names more than one: blue/api, green/api' },
  { target: 'web', name: 'none', want: '404 "web" has no container "none"; there are app, side' },
  { target: 'web', as: 'pod' as const, want: '404 there is no pod "web"' },
  { target: 'web-a', as: 'workload' as const, want: '404 there is no workload "web-a"' },
  { target: 'pod/web', want: '404 there is no workload or pod "pod/web"' },
  { target: 'a/b/c/d', want: '404 there is no workload or pod "a/b/c/d"' },
  { target: 'idle', want: '404 "idle" has no containers at the moment' },
])
  test(`${target}${as ? ` as ${as}` : ''}${name ? ` -c ${name}` : ''}`, () => expect(select(target, as, name)).toBe(want))

test('labels select pods wherever they belong, in order of namespace and name', () => {
  const labelled = (selector: string): string[] =>
    selectLogs(status, { target: '', as: 'any', selector: parseSelector(selector), container: 'app', allContainers: false }).map(
      ({ namespace, pod }) => `${namespace}/${pod}`,
    )
  expect(labelled('app=web')).toEqual([
    'blue/api-1',
    'green/api-2',
    'shop/once',
    'shop/sums-a',
    'shop/tick-1-a',
    'shop/web-a',
    'shop/web-b',
  ])
  expect(() => labelled('app=cart')).toThrow('no pod has labels like these')
})

test('init containers are there by name or when all are asked for', () => {
  const starting = pod({
    initContainers: [container({ name: 'migrate', role: 'init' }), container({ name: 'proxy', role: 'sidecar' })],
  })
  const named = (name: string, allContainers = false): string[] =>
    selectLogs(cluster({ workloads: [workload({ pods: [starting] })] }), {
      target: 'web',
      as: 'any',
      container: name,
      allContainers,
    }).map((target) => target.container)
  expect(named('')).toEqual(['proxy', 'app'])
  expect(named('', true)).toEqual(['migrate', 'proxy', 'app'])
  expect(named('migrate')).toEqual(['migrate'])
})

test('more containers than can be read at once are refused', () => {
  const pods = Array.from({ length: 101 }, (_, index) => pod({ name: `web-${index}` }))
  const all = cluster({ workloads: [workload({ pods })] })
  expect(() => selectLogs(all, { target: 'web', as: 'any', container: '', allContainers: false })).toThrow(
    '101 containers are more than 100 at once: ask for fewer',
  )
})
