/** tcpSocket: a connection that opens is a success. */
import { connect } from 'node:net'
import { type ProbeAnswer, type ProbeBounds, type ProbeSite, resolveHost, resolvePort, success, within } from './answer.ts'

/** @see Kubernetes pkg/probe/tcp/tcp.go */
export async function probeTcp(
  action: { readonly port: number | string; readonly host?: string },
  site: ProbeSite,
  bounds: ProbeBounds,
): Promise<ProbeAnswer> {
  const host = resolveHost(action.host, site)
  if (typeof host !== 'string') return host
  const port = resolvePort(action.port, site.namedPorts)
  if (typeof port !== 'number') return port
  return within(bounds, async (signal) => {
    await connected(host, port, signal)
    return success('connected')
  })
}

function connected(host: string, port: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal })
    socket.on('error', reject)
    socket.once('connect', () => {
      resolve()
      socket.destroy()
    })
  })
}
