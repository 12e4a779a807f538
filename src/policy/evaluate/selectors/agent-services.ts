import { isRecord } from '../../../lib/record.ts';
import { type Backend, type ClusterObjects, serviceOf } from './cluster-objects.ts';

/**
 * Adds an entry of the agent's GET /service: one address and port of a service with its backends. Each becomes a service of
 * its own, because the agent has one list of backends per address.
 */
export function takeAgentService(entry: Record<string, unknown>, into: ClusterObjects): void {
  const spec = partOf(partOf(entry, 'status'), 'realized');
  const given = Object.keys(spec).length > 0 ? spec : partOf(entry, 'spec');
  const frontend = partOf(given, 'frontend-address');
  const { ip, port, protocol } = frontend;
  if (typeof ip !== 'string' || typeof port !== 'number' || frontend.scope === 'internal') return;
  const flags = partOf(given, 'flags');
  const listed = given['backend-addresses'];
  const namespace = String(flags.namespace ?? '');
  const name = `${flags.name ?? ip}:${port}/${protocol ?? 'TCP'} at ${ip}`;
  const service = serviceOf(into, namespace, name);
  // A port of the node is no address of its own: other ports of the node are not the service's.
  const atNode = flags.type === 'NodePort' || flags.type === 'HostPort';
  // Older agents do not tell protocols apart.
  const known = { name: '', protocol: String(protocol || 'ANY'), target: port };
  service.ports.push({ ...known, port, nodePort: atNode ? port : undefined });
  if (!atNode) service.ips.push({ address: ip, outer: flags.type !== 'ClusterIP' });
  service.keepsClient = flags.trafficPolicy === 'Local' || flags.extTrafficPolicy === 'Local';
  for (const backend of Array.isArray(listed) ? listed.filter(isRecord) : [])
    if (typeof backend.ip === 'string' && typeof backend.port === 'number')
      service.backends.push(backendAt(backend.ip, backend.port, known.protocol));
}

function backendAt(ip: string, port: number, protocol: string): Backend {
  return { ip, ports: [{ name: '', port, protocol }] };
}

function partOf(value: Record<string, unknown>, key: string): Record<string, unknown> {
  const part = value[key];
  return isRecord(part) ? part : {};
}
