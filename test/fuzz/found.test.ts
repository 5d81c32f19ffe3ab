/** What fuzzing has found, one test each, named after what failed. */
import { once } from 'node:events'
import { mkdirSync, symlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { scanFolder } from '../../src/git/folderscan.ts'
import { gitSource } from '../../src/git/repository.ts'
import { SourceError } from '../../src/git/source.ts'
import { parseRemote } from '../../src/git/url.ts'
import { parseQuantity, QuantityError } from '../../src/model/quantity.ts'
import { isBase64 } from '../../src/model/syntax.ts'
import { bindTemplate } from '../../src/reconcilers/binding.ts'
import { expand, resolveEnvironment } from '../../src/reconcilers/environment.ts'
import type { Text } from '../../src/reconcilers/plan.ts'
import { compileVolumes } from '../../src/reconcilers/volumes.ts'
import { renderTree } from '../../src/render/render.ts'
import { defaultLimits } from '../../src/render/types.ts'
import { parseYaml } from '../../src/render/yaml.ts'
import { dockerEngine } from '../../src/runtime/docker/engine.ts'
import { ConfigError, resolveText } from '../../src/runtime/resolve.ts'
import { createVault } from '../../src/runtime/vault.ts'
import { Answers, json } from '../support/answers.ts'
import { startTestApi } from '../support/api.ts'
import { deployment, load, loadText, manifestsIn, problemLines } from '../support/manifests.ts'
import { tools, treeOf } from '../support/trees.ts'
import { app, cluster, namespace, template } from '../support/world.ts'
import { makeRemote, scratch } from '../unit/git/support.ts'
import { withinASecond } from './fuzz.ts'

const signal = new AbortController().signal
const configMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n'

describe('YAML', () => {
  const documents = (text: string) => withinASecond(() => parseYaml(text, defaultLimits).documents.length)

  test('a List of 8,000 items cost a look at the whole file for each', () =>
    withinASecond(() => {
      const items = Array.from({ length: 8000 }, (_, at) => `- {apiVersion: v1, kind: ConfigMap, metadata: {name: a${at}}}\n`)
      expect(load(manifestsIn(`apiVersion: v1\nkind: List\nitems:\n${items.join('')}`)).objects.size).toBe(8000)
    }))

  test('2,000 mistakes in one List cost a reading of it each', () =>
    withinASecond(() => {
      const items = Array.from(
        { length: 2000 },
        (_, at) => `- {apiVersion: v1, kind: ConfigMap, metadata: {name: a${at}}, bad: 1}\n`,
      )
      const { problems } = loadText(`apiVersion: v1\nkind: List\nitems:\n${items.join('')}`)
      expect(problems.at(-1)).toMatchObject({ line: 2003, field: 'bad' })
    }))

  test('8,000 documents ended by dots cost a look at all of them each', async () =>
    expect(await documents('a: 1\n...\n'.repeat(8000))).toBe(8000))

  test('ten million blank lines exhausted the stack', async () => {
    expect(await documents('\n'.repeat(10_000_000))).toBe(0)
    expect(await documents(`${'\n'.repeat(10_000_000)}x`)).toBe(1)
  })

  test('300,000 broken documents were as many problems', () =>
    withinASecond(() => expect(parseYaml('%a\n---\n'.repeat(300_000), defaultLimits).problems).toHaveLength(101)))
})

describe('manifests', () => {
  test('base64 of megabytes exhausted the stack', () => {
    expect(isBase64('QUFB'.repeat(2_500_000))).toBe(true)
    expect(loadText(`${configMap}binaryData: {a: ${'QUFB'.repeat(2_500_000)}}`).problems[0]?.code).toBe('TooLarge')
  })

  test('a quantity of a million digits took seconds, and its error repeated it', () => {
    const error = (text: string) => {
      try {
        return parseQuantity(text)
      } catch (caught) {
        return caught
      }
    }
    const caught = error('9'.repeat(1_000_000))
    expect(caught).toBeInstanceOf(QuantityError)
    expect((caught as QuantityError).message.length).toBeLessThan(300)
  })

  test('a key or name of megabytes was repeated in the message', () => {
    const long = 'x '.repeat(1_000_000)
    for (const text of [`${configMap}data: {"${long}": a}`, `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "${long}"}`])
      for (const { message, field } of loadText(text).problems) expect(message.length + field.length).toBeLessThan(2000)
  })

  test.each([
    ['a probe', deployment({ container: 'livenessProbe: {tcpSocket: {port: {toString: 1}}}' })],
    ['a container port', deployment({ container: 'ports: [{containerPort: {toString: 1}}]' })],
    ['a Service port', 'apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: {toString: 1}}]}'],
    ['a share', deployment({ spec: 'strategy: {rollingUpdate: {maxSurge: {toString: 1}}}' })],
    ['a capability', deployment({ container: 'securityContext: {capabilities: {add: [{toString: 1}]}}' })],
    ['a limit', deployment({ container: 'resources: {limits: {cpu: {toString: 1}}}' })],
  ])('a map with a key toString as %s failed the whole revision', (_, text) => {
    const { objects, problems } = loadText(`${text}\n---\n${configMap}`)
    expect([...objects.keys()]).toEqual(['ConfigMap/default/a'])
    expect(problems.some(({ code }) => code === 'WrongType' || code === 'OutOfRange' || code === 'BadPercent')).toBe(true)
  })

  test('a hundred notices left no room for a refusal, so that a privileged pod ran', () => {
    const env = Array.from({ length: 150 }, () => '{name: A, value: x}').join(', ')
    const text = deployment({ container: `env: [${env}]\nsecurityContext: {privileged: true}` })
    const { objects, problems } = loadText(text)
    expect(objects.size).toBe(0)
    expect(problems.map(({ code }) => code)).toContain('PolicyViolation')
  })

  test('5 MB of manifests were half a million problems', () => {
    const fields = Array.from({ length: 100 }, (_, at) => `x${at}: 1`).join(', ')
    const text = Array.from(
      { length: 1000 },
      (_, at) =>
        `---\n{apiVersion: v1, kind: Pod, metadata: {name: a${at}}, spec: {containers: [{name: a, image: a}], ${fields}}}\n`,
    )
    const { problems, verdicts } = loadText(text.join(''))
    expect(problems.length).toBeLessThan(12_000)
    expect(verdicts.every(({ verdict, reasons }) => verdict === 'refused' && reasons.length > 0)).toBe(true)
  })

  test('a number beyond 64 bits was given to the engine', () =>
    expect(problemLines(loadText(deployment({ pod: 'terminationGracePeriodSeconds: 1e300' })).problems)).toEqual([
      'app.yaml:9 spec.template.spec.terminationGracePeriodSeconds OutOfRange',
    ]))

  test('a share of 400 digits of no replicas was not a number', () =>
    expect(
      problemLines(
        loadText(deployment({ spec: `replicas: 0\nstrategy: {rollingUpdate: {maxSurge: "${'9'.repeat(400)}%"}}` })).problems,
      )[0],
    ).toContain('BadPercent'))

  test.each(['', '.', './', 'a\\0b'])('an item of a volume with the path "%s" could never be put in', (path) =>
    expect(
      problemLines(
        loadText(deployment({ pod: `volumes: [{name: v, configMap: {name: c, items: [{key: a, path: "${path}"}]}}]` })).problems,
      ),
    ).toEqual(['app.yaml:9 spec.template.spec.volumes[0].configMap.items[0].path BadPath']),
  )
})

test('a volume with a source called constructor could not be checked', () => {
  const text = deployment({ pod: 'volumes: [{name: v, constructor: {}}]' })
  expect(problemLines(loadText(text).problems)).toContain('app.yaml:9 spec.template.spec.volumes[0].constructor UnknownField')
})

describe('what every object inherits', () => {
  const nothing = { configMaps: {}, secrets: {} }
  const facts = {
    uid: 'u',
    name: 'web-1',
    namespace,
    ip: '10.88.1.1',
    node: 'alpha',
    hostIp: '10.88.0.1',
    nodeMemoryBytes: 0,
    nodeCpus: 0,
    template: template(),
    labels: {},
  }

  test('a ConfigMap called constructor counted as there', () => {
    const of = template({ containers: [app({ envFrom: [{ configMapRef: { name: 'constructor' } }] })] })
    const { missing } = bindTemplate(of, namespace, { configMap: () => undefined, secret: () => undefined })
    expect(missing).toEqual([`ConfigMap ${namespace}/constructor does not exist (envFrom of container app)`])
  })

  test.each([
    ['a key', { configMapKeyRef: { name: 'conf', key: 'constructor', optional: true } }, []],
    ['a secret key', { secretKeyRef: { name: 'constructor', key: 'name', optional: true } }, []],
    ['a label', { fieldRef: { fieldPath: "metadata.labels['constructor']" } }, [{ name: 'A', value: '' }]],
  ])('a variable from %s called constructor was a function', (_, valueFrom, want) => {
    const [container] = template({ containers: [app({ env: [{ name: 'A', valueFrom }] })] }).spec.containers
    expect(
      resolveEnvironment(container!, facts, { ...nothing, configMaps: { conf: { data: {}, binaryData: {} } } }, new Map()),
    ).toEqual(want)
  })

  test('a volume with an item called toString could not be planned', () => {
    const of = template({
      spec: { volumes: [{ name: 'v', configMap: { name: 'conf', optional: true, items: [{ key: 'toString', path: 'a' }] } }] },
    })
    const config = { ...nothing, configMaps: { conf: { data: { a: '1' }, binaryData: {} } } }
    expect(compileVolumes(cluster(), { ...facts, template: of }, 'o', config)[0]?.files).toEqual([])
  })
})

describe('memory', () => {
  test('variables that each name the last one twice doubled without end', () => {
    const values = new Map<string, Text>([['V0', 'x']])
    for (let at = 1; at < 60; at += 1) values.set(`V${at}`, expand(`$(V${at - 1})$(V${at - 1})`, values))
    for (const value of values.values()) expect(String(value).length).toBeLessThan(200_000)
    expect(values.get('V10')).toBe('x'.repeat(1024))
  })

  test('a large secret value named a thousand times in one argument filled the memory', () => {
    const vault = createVault(new Uint8Array(32))
    vault.put('d', Buffer.alloc(1024 * 1024, 97))
    const part = { namespace, name: 'keys', key: 'token', digest: 'd' }
    expect(() => resolveText({ parts: Array.from({ length: 1000 }, () => part) }, vault)).toThrow(ConfigError)
  })

  test('a template of thirty characters made helm use up the memory of the host', async () => {
    const chart = {
      'Chart.yaml': 'apiVersion: v2\nname: x\nversion: 1.0.0\n',
      'templates/a.yaml': 'a: {{ repeat 5000000000 "x" }}\n',
    }
    const { problems } = await renderTree(treeOf(chart), { timeoutMs: 20_000 }, tools)
    expect(problems[0]?.message).toMatch(/KiB of memory/)
  })

  test('a repository of a few kilobytes made Git list a thousand million files', async () => {
    const remote = makeRemote()
    const list = (mode: string, kind: string, oid: string) =>
      remote.write(['mktree'], Array.from({ length: 10 }, (_, at) => `${mode} ${kind} ${oid}\te${at}.yaml\n`).join(''))
    let tree = list('100644', 'blob', remote.write(['hash-object', '-w', '--stdin'], 'a: 1\n'))
    for (let level = 0; level < 8; level += 1) tree = list('040000', 'tree', tree)
    remote.git('push', '--quiet', remote.bare, `${remote.git('commit-tree', '-m', 'x', tree)}:refs/heads/main`)
    const source = gitSource({
      name: 'x',
      url: remote.bare,
      branch: 'main',
      path: '.',
      mirrorDir: scratch(),
      timeoutMs: 60_000,
      environment: process.env,
    })
    const { revision } = await source.poll(signal)
    await expect(source.tree(revision.sha, signal)).rejects.toMatchObject({ kind: 'refused' })
  })
})

test('thirty folders that link to the next one twice were a thousand million folders', async () => {
  const dir = scratch()
  for (let at = 0; at < 30; at += 1) {
    mkdirSync(join(dir, `d${at}`))
    for (const name of ['x', 'y']) symlinkSync(join('..', `d${at + 1}`), join(dir, `d${at}`, name))
  }
  mkdirSync(join(dir, 'd30'))
  await expect(scanFolder(dir, { maxFileBytes: 1000, maxTotalBytes: 1000, maxFiles: 500 })).rejects.toMatchObject({
    kind: 'refused',
  })
})

describe('builds', () => {
  test('a file whose name is too long for this machine failed the whole render without naming it', async () => {
    const name = `${'a'.repeat(300)}.yaml`
    const { problems } = await renderTree(treeOf({ 'kustomization.yaml': 'resources: []', [name]: 'a' }), {}, tools)
    expect(problems[0]).toMatchObject({ code: 'KustomizeFailed', message: expect.stringContaining(`${name} cannot be copied`) })
  })

  test('ten thousand kustomizations were ten thousand processes', async () => {
    const files = Object.fromEntries(Array.from({ length: 501 }, (_, at) => [`k${at}/kustomization.yaml`, '']))
    const { problems } = await renderTree(treeOf(files), {}, tools)
    expect(problems.map(({ code }) => code)).toEqual(['TooLarge'])
  })
})

describe('addresses', () => {
  test('an address pasted into an address kept the password in its path', () =>
    expect(() => parseRemote('https://https://user:s3cret@example.org/repo.git', { allowFile: true })).toThrow(SourceError))

  test('an address that is refused for a dash was quoted with its password', () =>
    expect(() => parseRemote('- https://user:s3cret@example.org/repo.git', { allowFile: true })).toThrow(
      /^(?!.*s3cret).*begins with "-"/,
    ))
})

describe('the API', () => {
  test('a caller that hangs up in the middle of a webhook counted as a failure of the daemon', async () => {
    const api = await startTestApi()
    const socket = connect(api.port, '127.0.0.1')
    socket.write('POST /api/v1/webhook HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\nX-Gitlab-Token: x\r\n\r\nabc')
    socket.end()
    socket.resume()
    await once(socket, 'close')
    await api.close()
    expect(api.failures).toEqual([])
  })
})

describe('the engine', () => {
  let answers: Answers
  beforeAll(() => {
    answers = new Answers()
  })
  afterAll(() => answers.close())

  test('an error with a status above 599 and an odd body ended the process', async () => {
    answers.answer({ 'GET /info': json({ message: { toString: 1 } }, 999) })
    const engine = dockerEngine({ node: 'n', host: answers.host, timeoutMs: 2000 })
    await expect(engine.info()).rejects.toMatchObject({ kind: 'failed' })
  })
})
