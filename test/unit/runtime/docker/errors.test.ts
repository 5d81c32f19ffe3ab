import { expect, test } from 'vitest'
import { answeredError, connectionError } from '../../../../src/runtime/docker/errors.ts'

/** Messages as engines 20.10 to 29 word them. */
for (const [status, said, kind] of [
  [
    409,
    'Conflict. The container name "/a" is already in use by container "f9". You have to remove (or rename) that container to be able to reuse that name.',
    'conflict',
  ],
  [409, 'removal of container f9 is already in progress', 'inProgress'],
  [409, 'cannot join network of a non running container: 4d', 'conflict'],
  [409, 'Container 74 is restarting, wait until the container is running', 'conflict'],
  [409, 'Container f9 is not running', 'conflict'],
  [500, 'Container f9 is not paused', 'conflict'],
  [
    500,
    'driver failed programming external connectivity on endpoint t4 (59): Bind for 0.0.0.0:18099 failed: port is already allocated',
    'portTaken',
  ],
  [
    500,
    'driver failed programming external connectivity on endpoint t4 (59): Error starting userland proxy: listen tcp4 0.0.0.0:80: bind: address already in use',
    'portTaken',
  ],
  [
    500,
    'failed to set up container networking: driver failed programming external connectivity on endpoint a (1): failed to bind host port for 0.0.0.0:80:172.17.0.2:80/tcp: address already in use',
    'portTaken',
  ],
  [403, 'Address already in use', 'addressTaken'],
  [500, "Invalid address 10.77.0.7: It does not belong to any of this network's subnets", 'invalid'],
  [404, 'No such container: feed', 'notFound'],
  [404, 'network nonet not found', 'notFound'],
  [404, 'Could not find the file /x in container d3', 'notFound'],
  [404, 'No such image: not/there:1', 'imageNotFound'],
  [500, 'container 04 is not connected to the network tn', 'notFound'],
  [403, 'error while removing network: network tn id 70 has active endpoints', 'conflict'],
  [403, 'endpoint with name t8 already exists in network tn', 'conflict'],
  [409, 'network with name tn already exists', 'conflict'],
  [403, 'Pool overlaps with other one on this address space', 'conflict'],
  [403, 'cannot create network 2e (br-2e): conflicts with network 4c (br-4c): networks have overlapping IPv4', 'conflict'],
  [409, 'remove v1: volume is in use - [d3]', 'conflict'],
  [400, 'CPU cfs quota can not be less than 1ms (i.e. 1000)', 'invalid'],
  [500, 'mkdir /var/lib/docker/overlay2/1: no space left on device', 'noSpace'],
  [500, 'something else', 'failed'],
] as const) {
  test(`${status} ${said.slice(0, 70)} is ${kind}`, () => {
    const error = answeredError({ op: 'startContainer', name: 'web' }, status, said)
    expect(error.kind).toBe(kind)
    expect(error.message).toBe(`startContainer web: ${said}`)
  })
}

for (const [cause, kind, says] of [
  [
    Object.assign(new Error('connect ECONNREFUSED /x'), { code: 'ECONNREFUSED' }),
    'unreachable',
    'connection refused; is dockerd running?',
  ],
  [Object.assign(new Error('connect EACCES /x'), { code: 'EACCES' }), 'unreachable', 'permission denied; run as root'],
  [new Error('socket hang up'), 'unreachable', 'socket hang up'],
  [new Error('unable to verify the first certificate'), 'unreachable', 'certificate'],
  [new TypeError('boom'), 'failed', 'boom'],
  ['odd', 'failed', 'odd'],
] as const) {
  test(`a connection that fails with ${String(cause)} is ${kind}`, () => {
    const error = connectionError({ op: 'info', name: 'x' }, 'unix:///x', cause)
    expect(error.kind).toBe(kind)
    expect(error.message).toContain(says)
  })
}
