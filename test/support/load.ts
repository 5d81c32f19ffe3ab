/** Requests without a pause, each over a connection of its own, until told to stop. */
import { get } from 'node:http'

export interface LoadResult {
  readonly ok: number
  /** what went wrong, with the time since the start: ms */
  readonly failed: readonly string[]
  /** how often each body came */
  readonly answers: ReadonlyMap<string, number>
}

export interface Load {
  /** answers so far */
  ok(): number
  stop(): Promise<LoadResult>
}

/** @param options.workers requests under way at once */
export function startLoad(url: string, options: { readonly workers?: number; readonly timeoutMs?: number } = {}): Load {
  const { workers = 4, timeoutMs = 5_000 } = options
  const startedAt = performance.now()
  const answers = new Map<string, number>()
  const failed: string[] = []
  let ok = 0
  let stopped = false

  async function work(): Promise<void> {
    while (!stopped) {
      try {
        const body = await ask(url, timeoutMs)
        answers.set(body, (answers.get(body) ?? 0) + 1)
        ok += 1
      } catch (error) {
        failed.push(`${Math.round(performance.now() - startedAt)} ms: ${(error as Error).message}`)
      }
    }
  }

  const working = Promise.all(Array.from({ length: workers }, work))
  return {
    ok: () => ok,
    async stop() {
      stopped = true
      await working
      return { ok, failed, answers }
    },
  }
}

/** The body of one answer over a new connection. Errors: no connection, no answer in time, or a status that is no 2xx. */
export function ask(url: string, timeoutMs = 5_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: timeoutMs }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        body += chunk
      })
      response.on('error', reject)
      response.on('end', () => {
        const status = response.statusCode ?? 0
        if (status >= 200 && status < 300) resolve(body.trim())
        else reject(new Error(`${url} answered ${status}`))
      })
    })
    request.on('timeout', () => request.destroy(new Error(`no answer in ${timeoutMs} ms`)))
    request.on('error', reject)
  })
}
