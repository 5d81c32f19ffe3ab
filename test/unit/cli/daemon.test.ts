/** Verbs that ask a running daemon, against the real API server on loopback. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestApi, type TestApi } from '../../support/api.ts'
import { capture, runWith } from '../../support/cli.ts'
import { busyCluster, cluster, epochMs } from '../../support/status.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api.close())

const lines = (text: string) => text.split('\n')

describe('status', () => {
  test('tables, without colour in a pipe', async () => {
    const { code, stdout, stderr } = await runWith(['status', '--server', api.url])
    expect([code, stderr]).toEqual([0, ''])
    expect(lines(stdout)).toEqual([
      'SOURCE   BRANCH   ATTEMPTED   APPLIED    HEALTHY    FETCHED   MESSAGE',
      'shop     main     b1b2b3b4    b1b2b3b4   a1a2a3a4   9m ago    fetch: timeout',
      '',
      'NAMESPACE   NAME                          READY   UP-TO-DATE   AVAILABLE   AGE   CONDITION   MESSAGE',
      'shop        web                           1/2     1            1           10m   Available',
      'shop        cart                          2/2     1            2           10m   Failed      cart-9-b1: CrashLoopBackOff: exit code 1',
      'shop        statefulset/db                2/3     1            2           10m   Available',
      'shop        daemonset/agent               1/2     1            1           10m   Available',
      'shop        replicationcontroller/older   1/1     1            1           10m   Available',
      'shop        replicaset/plain              1/1     1            1           10m   Available',
      'ops         pod/once                      1/1     1            1           10m   Available',
      '',
      'NAMESPACE   JOB       COMPLETIONS   ACTIVE   FAILED   DURATION   AGE   CONDITION   MESSAGE',
      'shop        migrate   0/3           0        7        40s        10m   Failed',
      '',
      'NAMESPACE   POD              READY   STATUS             RESTARTS   AGE     IP           NODE',
      'shop        web-7c9f-x2k1q   1/1     Running            0          9m59s   10.88.0.10   alpha',
      'shop        cart-9-b1        0/1     CrashLoopBackOff   4          9m59s   10.88.0.10   alpha',
      'shop        cart-9-b2        0/2     ImagePullBackOff   0          9m59s   10.88.0.10   alpha',
      'ops         once             0/1     Completed          0          9m59s   10.88.0.10   alpha',
      '',
      'NAMESPACE   SERVICE   TYPE           CLUSTER-IP         PORTS    ENDPOINTS   CONDITION',
      'shop        web       ClusterIP      10.88.128.1        80/TCP   1/2         Ready',
      'shop        edge      NodePort       10.88.128.1        80/TCP   1/1         PortConflict: port 80 is taken',
      'shop        mail      ExternalName   mail.example.org   <none>   0/0         Ready',
      '',
      'NAMESPACE   CLAIM   STATUS     REQUEST   CLASS      VOLUME                            PODS   MESSAGE',
      'shop        data    Bound      1Gi       standard   trireme-default-claim-shop_data   db-0',
      'shop        old     Retained   -         -          trireme-default-claim-shop_data   -      left Git',
      'shop        new     Pending    1Gi       standard   -                                 -      no PersistentVolume fits',
      '',
      'NODE    STATUS                         ENGINE     CPUS   MEMORY   PODS   ROUTER',
      'alpha   Ready                          20.10.24   2      8.0Gi    1      10.88.0.2',
      'beta    NotReady: connection refused   20.10.24   2      8.0Gi    1      engine unreachable',
      '',
      'NOT ENFORCED              FILE        REASON',
      'serviceaccount/shop/web   sa.yaml:1   there is no Kubernetes API to authorise',
      '',
    ])
  })

  test('JSON is what the API serves', async () => {
    const { stdout } = await runWith(['status', '-o', 'json'], { env: { TRIREME_SERVER: api.url } })
    expect(JSON.parse(stdout)).toEqual(busyCluster())
  })

  test('nothing yet', async () => {
    const empty = JSON.stringify(cluster({ sources: [], workloads: [], services: [], nodes: [] }))
    const { stdout } = await runWith(['status'], { request: async () => new Response(empty) })
    expect(stdout).toBe('nothing yet: the first pass is not done\n')
  })

  test('what a container says cannot drive the terminal', async () => {
    const [first] = busyCluster().workloads
    const hostile = JSON.stringify(cluster({ workloads: [{ ...first!, message: 'x\u001b[2Jy\u0007' }] }))
    const { stdout } = await runWith(['status'], { request: async () => new Response(hostile) })
    expect(stdout).toContain('x [2Jy')
    expect(stdout).not.toMatch(/(?!\n)\p{Cc}/u)
  })

  test('--watch goes on through an outage until interrupted, and clears only a terminal', async () => {
    const stop = new AbortController()
    const stdout = capture(true)
    let turns = 0
    const outcome = await runWith(['status', '--watch', '--server', api.url], {
      stdout,
      signal: stop.signal,
      request: async (url, init) => (turns === 1 ? Promise.reject(new Error('gone')) : fetch(url, init)),
      sleep: async () => {
        turns += 1
        if (turns === 3) stop.abort()
      },
    })
    expect(outcome.code).toBe(0)
    expect(stdout.text().split('\u001b[H\u001b[2J')).toHaveLength(4)
    expect(outcome.stderr).toMatch(/^no daemon answers at .*: gone\n/)
  })
})

describe('events', () => {
  test('as a table', async () => {
    expect((await runWith(['events', '--server', api.url])).stdout).toBe(
      'LAST SEEN           TYPE      REASON    NAMESPACE   OBJECT          MESSAGE\n' +
        '10m (x3 over 11m)   Warning   BackOff   shop        pod/cart-9-b1   restarting in 40s\n',
    )
  })

  test('as JSON, limited', async () => {
    const { stdout } = await runWith(['events', '--server', api.url, '-o', 'json'])
    expect(JSON.parse(stdout)).toMatchObject([{ reason: 'BackOff', at: epochMs }])
    expect((await runWith(['events', '--server', api.url, '-n', '0'])).stdout).toBe('no events yet\n')
  })
})

describe('logs', () => {
  test('of a workload, with its options', async () => {
    const asked: string[] = []
    const request: typeof fetch = async (url, init) => {
      asked.push(String(url))
      return fetch(url, init)
    }
    const argv = ['logs', 'deployment/web', '-f', '--tail', '5', '-c', 'app', '--previous', '--server', api.url]
    expect(await runWith(argv, { request: (url, init) => request(url, init) })).toEqual({
      code: 0,
      stdout: '[web-7c9f-x2k1q/app] hello\n',
      stderr: '',
    })
    expect(new URL(asked[0] ?? '').search).toBe('?target=deployment%2Fweb&follow=true&tail=5&container=app&previous=true')
  })

  test('of pods with labels, with times, since a while', async () => {
    const asked: string[] = []
    const argv = ['logs', '-l', 'app=web', '--all-containers', '--since', '1h2m3s', '--timestamps', '--server', api.url]
    const request: typeof fetch = async (url) => {
      asked.push(String(url))
      return new Response('')
    }
    expect(await runWith(argv, { request: (url, init) => request(url, init) })).toMatchObject({ code: 0 })
    expect(new URL(asked[0] ?? '').search).toBe('?selector=app%3Dweb&allContainers=true&sinceSeconds=3723&timestamps=true')
  })

  test('of nothing that exists', async () => {
    expect(await runWith(['logs', 'nope', '--server', api.url])).toEqual({
      code: 2,
      stdout: '',
      stderr: 'error: there is no workload or pod "nope"\n',
    })
  })

  test('an interrupt ends it well, a broken connection does not', async () => {
    const broken = () => new Response(new ReadableStream({ pull: (controller) => controller.error(new Error('reset')) }))
    expect(await runWith(['logs', 'web'], { request: async () => broken() })).toMatchObject({
      code: 2,
      stderr: 'error: the connection to the daemon ended before the log did\n',
    })
    const stop = new AbortController()
    const request = async () => {
      stop.abort()
      return broken()
    }
    expect(await runWith(['logs', 'web'], { request, signal: stop.signal })).toMatchObject({ code: 0, stderr: '' })
  })
})

describe('the daemon', () => {
  test.each(['status', 'events', 'logs web'])('is not there: %s says how to start it', async (verb) => {
    const closed = await startTestApi()
    await closed.close()
    const { code, stderr } = await runWith([...verb.split(' '), '--server', closed.url])
    expect(code).toBe(2)
    expect(stderr).toContain(`no daemon answers at ${closed.url}: nothing listens there`)
    expect(stderr).toContain('trireme run --repo <url>')
  })

  test('is something else', async () => {
    const request = async () => new Response('<html>Bad gateway</html>', { status: 502 })
    expect((await runWith(['status'], { request })).stderr).toBe(
      'error: http://127.0.0.1:9440 answered 502: <html>Bad gateway</html>\n',
    )
  })

  test('has no address', async () => {
    expect((await runWith(['status', '--server', 'localhost'])).stderr).toMatch(/^error: --server must be an http address/)
  })
})
