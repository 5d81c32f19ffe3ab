/** The same application with the stub in place of every image: it listens and answers where the manifests say it would. */
import { type Document, listAt, mapAt, namespaceOf, templateOf, templatePath, textAt, valueAt } from './manifests.ts'

const IMAGE = 'trireme/stub:1'
/** Replaced by the stub's own, or of no meaning for it. */
const IMAGES_OWN = ['command', 'args', 'imagePullPolicy', 'workingDir']
/** Where a container without ports listens for the probes that asked a program of its image. */
const PROBED_PORT = 65_000
/** Kinds whose pods do their work and end. */
const ENDING = ['Job', 'CronJob']
const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe']

/** Workloads with stubs, everything else as it was. */
export function stubbed(documents: readonly Document[]): Document[] {
  const services = documents.filter((document) => textAt(document, 'kind') === 'Service')
  return documents.map((document) => {
    const path = templatePath(textAt(document, 'kind'))
    const template = templateOf(document)
    if (path === undefined || template === undefined) return document
    const targets = selecting(services, document, template).flatMap((service) => listAt(service, 'spec', 'ports'))
    const ends = ENDING.includes(textAt(document, 'kind'))
    return replaceAt(document, [...path, 'spec'], stubbedPod(mapAt(template, 'spec'), targets, ends))
  })
}

/** Services of the namespace whose selector matches the template's labels. */
export function selecting(services: readonly Document[], workload: Document, template: Document): Document[] {
  const labels = mapAt(template, 'metadata', 'labels')
  return services.filter((service) => {
    const selector = Object.entries(mapAt(service, 'spec', 'selector'))
    const fits = selector.length > 0 && selector.every(([key, value]) => labels[key] === value)
    return fits && namespaceOf(service) === namespaceOf(workload)
  })
}

/** @param ends its containers come to their end by themselves */
function stubbedPod(spec: Document, servicePorts: readonly Document[], ends: boolean): Document {
  const containers = listAt(spec, 'containers')
  const declared = new Set(containers.flatMap(portsOf))
  // A Service may aim at a port that no container declares: the first one listens there, then.
  const undeclared = servicePorts
    .filter((port) => textAt(port, 'protocol') !== 'UDP')
    .map((port) => port.targetPort ?? port.port)
    .filter((port): port is number => typeof port === 'number' && !declared.has(port))
  const taken = new Set<number>()
  const stubs = containers.map((container, index) => {
    const wanted = new Set([...portsOf(container), ...(index === 0 ? undeclared : [])])
    const executed = PROBES.some((name) => valueAt(container, name, 'exec') !== undefined)
    if (executed && wanted.size === 0) wanted.add(PROBED_PORT + index)
    const ports = [...wanted].filter((port) => !taken.has(port))
    for (const port of ports) taken.add(port)
    return ends ? endingContainer(container) : stubbedContainer(container, ports)
  })
  const inits = listAt(spec, 'initContainers').map((container) =>
    container.restartPolicy === 'Always' ? stubbedContainer(container, portsOf(container)) : endingContainer(container),
  )
  const { imagePullSecrets: _, ...rest } = spec
  return { ...rest, containers: stubs, ...(inits.length === 0 ? {} : { initContainers: inits }) }
}

/** TCP ports that a container names itself: declared, or asked by its probes. */
function portsOf(container: Document): number[] {
  const declared = listAt(container, 'ports')
    .filter((port) => textAt(port, 'protocol') !== 'UDP')
    .map((port) => port.containerPort)
  const probed = PROBES.flatMap((name) => [
    valueAt(container, name, 'httpGet', 'port'),
    valueAt(container, name, 'tcpSocket', 'port'),
    valueAt(container, name, 'grpc', 'port'),
  ])
  const numbers = [...declared, ...probed].map((port) => (/^\d+$/.test(String(port)) ? Number(port) : undefined))
  return [...new Set(numbers.filter((port) => port !== undefined))]
}

function stubbedContainer(container: Document, ports: readonly number[]): Document {
  const kept = Object.entries(container).filter(([field]) => !IMAGES_OWN.includes(field))
  const env = listAt(container, 'env').filter(({ name }) => !['PORTS', 'PATHS', 'PATH'].includes(String(name)))
  const paths = PROBES.map((name) => textAt(container, name, 'httpGet', 'path').replace(/[?#].*$/, ''))
  return {
    ...Object.fromEntries(kept.map(([field, value]) => [field, stubbedField(field, value, ports[0])])),
    image: IMAGE,
    env: [
      ...env,
      { name: 'PORTS', value: ports.join(' ') },
      { name: 'PATHS', value: [...new Set(['/', ...paths.filter((path) => path.startsWith('/'))])].join(' ') },
    ],
  }
}

function endingContainer(container: Document): Document {
  return { ...stubbedContainer(container, []), command: ['true'] }
}

function stubbedField(field: string, value: unknown, port: number | undefined): unknown {
  if (PROBES.includes(field)) return stubbedProbe(mapAt(value), port)
  return field === 'lifecycle' ? stubbedHooks(mapAt(value)) : value
}

/** What asked a program of the image, or spoke a protocol the stub has not, asks whether the port is open; https is asked as http. */
function stubbedProbe(probe: Document, port: number | undefined): Document {
  const { exec, httpGet, grpc, ...rest } = probe
  if (grpc !== undefined) return { ...rest, tcpSocket: { port: valueAt(grpc, 'port') } }
  if (exec !== undefined) return { ...rest, ...(port === undefined ? { exec: { command: ['true'] } } : { tcpSocket: { port } }) }
  return httpGet === undefined ? probe : { ...rest, httpGet: { ...mapAt(httpGet), scheme: 'HTTP' } }
}

function stubbedHooks(hooks: Document): Document {
  const replaced = Object.entries(hooks).map(([name, hook]) => [
    name,
    valueAt(hook, 'exec') === undefined ? hook : { exec: { command: name === 'preStop' ? ['sleep', '1'] : ['true'] } },
  ])
  return Object.fromEntries(replaced) as Document
}

/** The document with another value at `path`. */
export function replaceAt(document: Document, path: readonly string[], value: unknown): Document {
  const [key, ...rest] = path
  if (key === undefined) return value as Document
  return { ...document, [key]: replaceAt(mapAt(document, key), rest, value) }
}

/** A reference to a ConfigMap or Secret that no document brings, with the keys that are read. */
export interface Missing {
  readonly kind: 'ConfigMap' | 'Secret'
  readonly namespace: string
  readonly name: string
  readonly keys: readonly string[]
}

/** What must be made out of band before the application can run; optional references are left out. */
export function missingReferences(documents: readonly Document[]): Missing[] {
  const present = new Set(
    documents.map((document) => `${textAt(document, 'kind')}/${namespaceOf(document)}/${textAt(document, 'metadata', 'name')}`),
  )
  const missing = new Map<string, Missing>()
  for (const document of documents)
    for (const { kind, name, keys } of references(mapAt(templateOf(document), 'spec'))) {
      const namespace = namespaceOf(document)
      const key = `${kind}/${namespace}/${name}`
      if (present.has(key)) continue
      missing.set(key, { kind, namespace, name, keys: [...new Set([...(missing.get(key)?.keys ?? []), ...keys])] })
    }
  return [...missing.values()]
}

type Reference = Omit<Missing, 'namespace'>

function references(spec: Document): Reference[] {
  const containers = [...listAt(spec, 'containers'), ...listAt(spec, 'initContainers')]
  const variables = containers.flatMap((container) => listAt(container, 'env')).map((variable) => mapAt(variable, 'valueFrom'))
  const wholes = containers.flatMap((container) => listAt(container, 'envFrom'))
  const volumes = listAt(spec, 'volumes')
  const projected = volumes.flatMap((volume) => listAt(volume, 'projected', 'sources'))
  const sources = [...variables, ...wholes, ...volumes, ...projected]
  return sources.flatMap((source) => [
    ...referenceIn(source, 'ConfigMap', ['configMapKeyRef', 'configMapRef', 'configMap']),
    ...referenceIn(source, 'Secret', ['secretKeyRef', 'secretRef', 'secret']),
  ])
}

function referenceIn(source: Document, kind: Reference['kind'], fields: readonly string[]): Reference[] {
  return fields.flatMap((field) => {
    const target = mapAt(source, field)
    const name = textAt(target, 'name') || textAt(target, 'secretName')
    if (name === '' || target.optional === true) return []
    const items = listAt(target, 'items').map((item) => textAt(item, 'key'))
    return [{ kind, name, keys: [textAt(target, 'key'), ...items].filter((key) => key !== '') }]
  })
}

/** The document that somebody would have made by hand. */
export function standIn({ kind, namespace, name, keys }: Missing): Document {
  const data = Object.fromEntries((keys.length === 0 ? ['key'] : keys).map((key) => [key, 'out-of-band']))
  const metadata = { name, namespace }
  return { apiVersion: 'v1', kind, metadata, [kind === 'Secret' ? 'stringData' : 'data']: data }
}
