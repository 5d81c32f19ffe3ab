/** Git's own smart HTTP server as a CGI program. */
import { spawn } from 'node:child_process'
import type { RequestListener, ServerResponse } from 'node:http'
import { dirname } from 'node:path'

/** The folder of a bare repository, as `/<its name>`. */
export function smartHttp(bare: string): RequestListener {
  return (request, response) => {
    const url = new URL(request.url ?? '/', 'http://x')
    const child = spawn('git', ['http-backend'], {
      env: {
        PATH: process.env.PATH,
        GIT_PROJECT_ROOT: dirname(bare),
        GIT_HTTP_EXPORT_ALL: '1',
        REQUEST_METHOD: request.method,
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
        HTTP_CONTENT_ENCODING: String(request.headers['content-encoding'] ?? ''),
      },
    })
    // Whoever asked may be gone, or have asked for something that ends before it is read.
    child.stdin.on('error', () => request.unpipe())
    request.pipe(child.stdin)
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk) => chunks.push(chunk))
    child.on('close', () => answerCgi(Buffer.concat(chunks), response))
  }
}

function answerCgi(output: Buffer, response: ServerResponse): void {
  const split = output.indexOf('\r\n\r\n')
  for (const line of output.toString('latin1', 0, split).split('\r\n')) {
    const [name = '', value = ''] = line.split(': ')
    if (name === 'Status') response.statusCode = Number.parseInt(value, 10)
    else response.setHeader(name, value)
  }
  response.end(output.subarray(split + 4))
}
