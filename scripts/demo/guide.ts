/** What to try while the demo runs. */
import { renderTable } from '../../src/cli/table.ts'

export interface Invitation {
  readonly what: string
  readonly command: string
}

export interface GuideOptions {
  readonly cluster: string
  /** the clone to work in */
  readonly clone: string
  readonly nodePort: number
  /** of the daemon's API */
  readonly url: string
  readonly trireme: string
}

/** In the order in which they make sense; each is one line for a shell, the first changes into the clone. */
export function invitations({ cluster, clone, nodePort, url, trireme }: GuideOptions): Invitation[] {
  const labels = `-f label=trireme.cluster=${cluster} -f label=io.kubernetes.container.name=web`
  const push = (message: string) => `git commit -qam '${message}' && git push -q`
  return [
    { what: 'look at it', command: `curl http://127.0.0.1:${nodePort}/` },
    { what: 'a clone of what runs', command: `cd ${clone}` },
    { what: 'roll to version 2', command: `sed -i s/demo:v1/demo:v2/ web.yaml api.yaml && ${push('Version 2')}` },
    { what: 'scale', command: `sed -i 's/replicas: 3/replicas: 5/' web.yaml && ${push('More')}` },
    { what: 'kill a container', command: `docker kill $(docker ps -q ${labels} | head -n 1)` },
    { what: 'break a commit', command: `sed -i s/demo:v./demo:crash/ web.yaml && ${push('Broken')}` },
    { what: 'take it back', command: 'git revert --no-edit HEAD && git push -q' },
    { what: 'ask for the status', command: `${trireme} status --server ${url}` },
    { what: 'see the metrics', command: `curl ${url}/metrics` },
  ]
}

export function renderGuide(options: GuideOptions): string {
  const rows = invitations(options).map(({ what, command }) => [`  ${what}`, command])
  return `Try, in another terminal:\n${renderTable([], rows)}\nCtrl-C ends the demo and removes everything it made, the clone too.\n`
}
