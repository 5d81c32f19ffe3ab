/** The controller of each kind of workload. */
import type { Controller } from './controller.ts'
import { daemonSet } from './daemonset.ts'
import { job } from './job.ts'
import { replicated } from './replicated.ts'
import { statefulSet } from './statefulset.ts'

const controllers: Readonly<Record<string, Controller>> = {
  Deployment: replicated,
  ReplicaSet: replicated,
  ReplicationController: replicated,
  StatefulSet: statefulSet,
  DaemonSet: daemonSet,
  Pod: replicated,
  Job: job,
}

/** @param kind of a workload key; errors: a kind without a controller is a mistake of the caller */
export function controllerOf(kind: string): Controller {
  const found = controllers[kind]
  if (found === undefined) throw new Error(`no controller for ${kind}`)
  return found
}
