/** Services: their addresses, and who has a port of the host. */
import { mutantsOf } from './mutant.ts'

export const services = [
  ...mutantsOf(
    'src/reconcilers/cluster.ts',
    ['a freed address is given out at once', 'const start = hashNumber(id) % room', 'const start = 0 * room'],
    [
      'pods get addresses of the gateway and the router',
      'range.first + kept + ((start + step) % room)',
      'range.first + ((start + step) % room)',
    ],
    ['the last address of a range is given out', 'range.size - kept - 1', 'range.size - kept'],
    [
      'an address outside of the range is given out on request',
      'requested !== undefined && isInRange(requested, cluster.serviceRange) && !used(requested)',
      'requested !== undefined && !used(requested)',
    ],
    [
      'an address that is used is given out on request',
      'isInRange(requested, cluster.serviceRange) && !used(requested)',
      'isInRange(requested, cluster.serviceRange)',
    ],
    [
      'a range that is nearly full has no address left',
      'for (let step = 0; step < room; step++) {',
      'for (let step = 0; step < 1; step++) {',
    ],
    ['pods and Services share a range', 'first: subnet.first + half, size: half }', 'first: subnet.first, size: half }'],
  ),
  ...mutantsOf(
    'src/reconcilers/hostports.ts',
    ['who has a port loses it to an older Service', '      holds(first) - holds(claim) ||\n', ''],
    [
      'a port of a load balancer goes before a node port',
      'isOwnPort(claim) - isOwnPort(first)',
      'isOwnPort(first) - isOwnPort(claim)',
    ],
    [
      'the youngest Service gets a port',
      '(claim.createdAt ?? fresh) - (first.createdAt ?? fresh)',
      '(first.createdAt ?? fresh) - (claim.createdAt ?? fresh)',
    ],
    ['a Service whose memory is lost loses its ports', 'claim.held ?? runsEdge(claim.key, id, nodes)', 'claim.held ?? false'],
    [
      'an edge that has ended holds a port',
      "state === 'running' && labels[LABEL.service] === key",
      'labels[LABEL.service] === key',
    ],
    ['two Services get one port', 'if (first === mine && !granted.has(port.id)) granted', 'if (!granted.has(port.id)) granted'],
    [
      'what a Service has given up is free before its edge is gone',
      'if (wanted === undefined && held !== true) return undefined',
      'if (wanted === undefined) return undefined',
    ],
    ['a Service that is not published claims ports', "(type !== 'NodePort' && type !== 'LoadBalancer') || memory", 'memory'],
  ),
  ...mutantsOf(
    'src/reconcilers/service.ts',
    [
      'a port is given up before its edge is gone',
      '(memory.hostPorts ?? []).filter((id) => served.has(id))',
      '(memory.hostPorts ?? []).filter((id) => served.size < 0 && served.has(id))',
    ],
    [
      'a Service that left Git is forgotten before its edges are gone',
      'memory: left ? input.memory : undefined',
      'memory: undefined',
    ],
    [
      'a Service changes its address',
      "known.clusterIP !== '' && (clusterIP === undefined || chosen !== clusterIP)",
      "known.clusterIP !== '' && chosen === clusterIP",
    ],
    [
      'a node port that somebody outside has is kept for ever',
      "portFailure(failures, key, node, id)?.kind === 'portTaken',",
      "portFailure(failures, key, node, id)?.kind === 'notFound',",
    ],
    [
      'a node port changes in every pass',
      'port.nodePort ?? kept ?? firstFreePort(`${input.key}:${name}`, free)',
      'port.nodePort ?? firstFreePort(`${input.key}:${name}:${input.now}`, free)',
    ],
    [
      'two Services choose one node port',
      '.every((protocol) => input.portClaims(portId(protocol, candidate)).length === 0)',
      '.every((protocol) => input.portClaims(portId(protocol, candidate)).length >= 0)',
    ],
    [
      'node ports are not kept',
      'known.clusterIP === address && canonicalText(known.nodePorts) === canonicalText(nodePorts)',
      'known.clusterIP === address',
    ],
  ),
  ...mutantsOf(
    'src/reconcilers/edge.ts',
    [
      'edges of ports that a Service has no more stay',
      'const others = [...found].filter(([id]) => !ids.has(id))',
      'const others = [...found].filter(([id]) => ids.size < 0 && !ids.has(id))',
    ],
    [
      'an edge that leads elsewhere now is left as it is',
      '  if (view.labels[LABEL.spec] !== spec.labels[LABEL.spec])\n    return [...removals',
      '  if (view.labels[LABEL.spec] === undefined)\n    return [...removals',
    ],
    [
      'an edge is published before it has its rules',
      '  return mended.length > 0 ? mended : proveEdge(input, node, view)',
      '  return mended',
    ],
    [
      'an edge counts as published before it has its rules',
      'view.labels[LABEL.spec] === spec.labels[LABEL.spec] && isProved(sight, view)',
      'view.labels[LABEL.spec] === spec.labels[LABEL.spec]',
    ],
    ['edges on an engine out of reach are worked on', '    .filter(({ reachable }) => reachable)\n', ''],
  ),
]
