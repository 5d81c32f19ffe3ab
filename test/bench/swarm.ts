/** The same things done by Docker's own Swarm, on the same engine. */
import type Docker from 'dockerode'
import { until } from './wait.ts'

/** The parts of a task that matter here. */
export interface Task {
  readonly ID: string
  readonly DesiredState: string
  readonly Status: { readonly State: string; readonly ContainerStatus?: { readonly ContainerID?: string } }
  readonly Spec: { readonly ContainerSpec: { readonly Env?: readonly string[] } }
}

export interface SwarmSpec {
  readonly name: string
  readonly image: string
  readonly command: readonly string[]
  readonly replicas: number
  readonly network: string
  readonly env: readonly string[]
}

/**
 * A service as quick as Swarm can be: no pause before a restart, nor between the steps of an update, which starts the
 * new before it stops the old, two at a time. Names resolve to task addresses, for that works on every kernel.
 */
function serviceSpec({ name, image, command, replicas, network, env }: SwarmSpec) {
  return {
    Name: name,
    TaskTemplate: {
      ContainerSpec: { Image: image, Command: [...command], Env: [...env], Init: true, StopGracePeriod: 10e9 },
      RestartPolicy: { Condition: 'any' as const, Delay: 0 },
      Networks: [{ Target: network }],
    },
    Mode: { Replicated: { Replicas: replicas } },
    UpdateConfig: { Parallelism: 2, Delay: 0, Order: 'start-first' as const, Monitor: 0, FailureAction: 'pause' as const },
    EndpointSpec: { Mode: 'dnsrr' as const },
  }
}

export async function createService(docker: Docker, spec: SwarmSpec): Promise<void> {
  await docker.createService(serviceSpec(spec) as Docker.CreateServiceOptions)
}

export async function updateService(docker: Docker, spec: SwarmSpec): Promise<void> {
  const service = docker.getService(spec.name)
  const { Version } = await service.inspect()
  await service.update({ ...serviceSpec(spec), version: Version.Index })
}

export async function tasksOf(docker: Docker, service: string): Promise<readonly Task[]> {
  return (await docker.listTasks({ filters: { service: [service] } })) as Task[]
}

/** Tasks that run and are to go on running. */
export async function runningTasks(docker: Docker, service: string): Promise<readonly Task[]> {
  return (await tasksOf(docker, service)).filter(
    ({ DesiredState, Status }) => DesiredState === 'running' && Status.State === 'running',
  )
}

export async function removeService(docker: Docker, name: string): Promise<void> {
  await docker.getService(name).remove()
  await until(`service ${name} is gone`, async () => {
    const label = `com.docker.swarm.service.name=${name}`
    return (await docker.listContainers({ all: true, filters: { label: [label] } })).length === 0
  })
}
