/** Tars of whatever headers: links too, and what a hostile container could send. */
import tar from 'tar-stream'

export async function tarOf(...entries: readonly (Partial<tar.Header> & { name: string; body?: string | Uint8Array })[]) {
  const pack = tar.pack()
  for (const { body = '', ...header } of entries) pack.entry(header, typeof body === 'string' ? body : Buffer.from(body))
  pack.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of pack) chunks.push(chunk as Buffer)
  return new Uint8Array(Buffer.concat(chunks))
}
