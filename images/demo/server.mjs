/**
 * The demo application, in one of its roles.
 *
 * ROLE=web       a page with this pod's name, its version, MESSAGE, and a greeting fetched from the api
 * ROLE=api       GET /greeting: JSON `{greeting, pod, version, count, time}`, behind `Authorization: Bearer <token>`;
 *                visits are counted by the store where STORE_HOST names one
 * ROLE=store     POST /visits counts one more, GET /visits tells how many: kept in the folder DATA
 * ROLE=exporter  GET /metrics: what the store has in DATA, for Prometheus
 * ROLE=report    asks the store, prints one line and ends
 *
 * All servers answer /version, /healthz (200 while the process lives) and /readyz (200 until SIGTERM). On SIGTERM
 * open requests finish, then the server exits 0.
 *
 * Environment: PORT (8080), VERSION, MESSAGE, API_HOST (`api`, a port may follow), STORE_HOST, DATA (/data), TOKEN or TOKEN_FILE.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { request as ask, createServer } from 'node:http'
import { hostname } from 'node:os'

const env = process.env
const role = env.ROLE ?? 'web'
const version = env.VERSION ?? 'v1'
const pod = hostname()
let ready = true
let count = 0

if (version === 'crash') {
  console.error('fatal: this version cannot start: settings.json: unexpected end of input')
  process.exit(1)
}

/** Read on each use: a secret that is mounted as a file may change under a running pod. */
const token = () => (env.TOKEN_FILE ? readFileSync(env.TOKEN_FILE, 'utf8').trim() : (env.TOKEN ?? ''))

function sendJson(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`)
}

async function greetFromApi(request, response) {
  if (token() !== '' && request.headers.authorization !== `Bearer ${token()}`)
    return sendJson(response, 401, { error: 'wrong token' })
  count += 1
  // Without its store it counts for itself: a greeting is worth more than a number.
  const stored = env.STORE_HOST ? await fetchJson(`http://${env.STORE_HOST}/visits`, { method: 'POST', timeout: 500 }) : {}
  const visits = stored.visits ?? count
  sendJson(response, 200, { greeting: `Hello number ${visits}`, pod, version, count: visits, time: new Date().toISOString() })
}

const visitsFile = `${env.DATA ?? '/data'}/visits`
const readVisits = () => (existsSync(visitsFile) ? Number(readFileSync(visitsFile, 'utf8')) : 0)

function keepVisits(request, response) {
  const visits = readVisits() + (request.method === 'POST' ? 1 : 0)
  if (request.method === 'POST') {
    // Whoever reads meanwhile finds the old number or the new one, whole.
    writeFileSync(`${visitsFile}.new`, `${visits}\n`)
    renameSync(`${visitsFile}.new`, visitsFile)
  }
  sendJson(response, 200, { visits, pod })
}

function exportVisits(response) {
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' })
  response.end(
    `# HELP shop_visits_total Visits counted by the store.\n# TYPE shop_visits_total counter\nshop_visits_total ${readVisits()}\n`,
  )
}

const fetchGreeting = () =>
  fetchJson(`http://${env.API_HOST ?? 'api'}/greeting`, { headers: { authorization: `Bearer ${token()}` }, timeout: 2000 })

/** A fresh connection each time: a kept one would stay with a pod that is leaving. Resolves to `{error}` on any failure. */
function fetchJson(url, options) {
  return new Promise((resolve) => {
    const request = ask(url, { agent: false, ...options }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (chunk) => {
        text += chunk
      })
      answer.on('end', () =>
        resolve(answer.statusCode === 200 ? JSON.parse(text) : { error: `${url} answered ${answer.statusCode}` }),
      )
    })
    request.on('timeout', () => request.destroy(new Error(`no answer in ${options.timeout} ms`)))
    request.on('error', (error) => resolve({ error: `${url}: ${error.message}` }))
    request.end()
  })
}

const escapeHtml = (text) =>
  String(text).replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c])

async function greetFromWeb(response) {
  const api = await fetchGreeting()
  const greeting = api.error ?? `${api.greeting}, says ${api.pod} (${api.version})`
  response.writeHead(api.error ? 502 : 200, { 'content-type': 'text/html; charset=utf-8' }).end(`<!doctype html>
<title>Trireme demo</title>
<h1>${escapeHtml(env.MESSAGE ?? 'Hello from Trireme')}</h1>
<p>pod <b>${escapeHtml(pod)}</b>, version <b>${escapeHtml(version)}</b></p>
<p>${escapeHtml(greeting)}</p>
`)
}

const server = createServer((request, response) => {
  // A connection that is kept open would send its next request to a pod that is leaving.
  if (!ready) response.setHeader('connection', 'close')
  const { pathname } = new URL(request.url, 'http://pod')
  if (pathname === '/healthz') return sendJson(response, 200, { healthy: true })
  if (pathname === '/readyz') return sendJson(response, ready ? 200 : 503, { ready })
  if (pathname === '/version') return sendJson(response, 200, { role, version, pod })
  if (role === 'web' && pathname === '/') return void greetFromWeb(response)
  if (role === 'api' && pathname === '/greeting') return void greetFromApi(request, response)
  if (role === 'store' && pathname === '/visits') return keepVisits(request, response)
  if (role === 'exporter' && pathname === '/metrics') return exportVisits(response)
  sendJson(response, 404, { error: `no ${pathname} here` })
})

/**
 * Leaves without dropping a request: whoever keeps a connection gets `connection: close` with the next
 * answer and goes elsewhere. Closing such a connection ourselves could cross a request on its way here, so
 * that is only done to those that stay silent.
 */
process.once('SIGTERM', () => {
  console.log('SIGTERM: finishing open requests')
  ready = false
  const latest = Date.now() + 3000
  const timer = setInterval(() => {
    server.getConnections((_, open) => {
      if (open > 0 && Date.now() < latest) return
      clearInterval(timer)
      server.close(() => process.exit(0))
    })
  }, 50)
})

if (role === 'report') {
  const { visits, error } = await fetchJson(`http://${env.STORE_HOST ?? 'store'}/visits`, { timeout: 2000 })
  console.log(error ?? `${visits} visits so far`)
  process.exit(error ? 1 : 0)
}

const port = Number(env.PORT ?? 8080)
server.listen(port, () => console.log(`${role} ${version} listens on ${port}`))
