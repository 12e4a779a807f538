import type { AgentService } from '../../../model/agent-lists.ts';
import { type ClusterObjects, serviceOf } from './cluster-objects.ts';

/**
 * Adds one address and port of a service with its backends. Each becomes a service of its own, because the agent has one
 * list of backends per address.
 */
export function takeAgentService(given: AgentService, into: ClusterObjects): void {
  const { ip, port, type, keepsClient, backends } = given;
  const name = `${given.name || ip}:${port}/${given.protocol || 'TCP'} at ${ip}`;
  const service = serviceOf(into, given.namespace, name);
  // A port of the node is no address of its own: other ports of the node are not the service's.
  const atNode = type === 'NodePort' || type === 'HostPort';
  // Older agents do not tell protocols apart.
  const protocol = given.protocol || 'ANY';
  service.ports.push({ name: '', protocol, target: port, port, nodePort: atNode ? port : undefined });
  if (!atNode) service.ips.push({ address: ip, outer: type !== 'ClusterIP' });
  service.keepsClient = keepsClient;
  for (const backend of backends)
    service.backends.push({ ip: backend.ip, ports: [{ name: '', port: backend.port, protocol }] });
}
