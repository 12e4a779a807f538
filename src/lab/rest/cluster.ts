import type { Agent } from '../agent/agent.ts';
import { derivedNumber } from '../derive.ts';
import { nodeIds } from '../world/node-ids.ts';
import type { LabNode } from '../world/world.ts';
import { type Handlers, ok } from './call.ts';

export const clusterHandlers: Handlers = {
  'GET /cluster/nodes': ({ headers }, agent) => {
    const self = agent.world.self.fullName;
    const client = Number(headers['client-id'] ?? 0);
    // A client that comes back gets what changed since: nodes of a lab never do.
    if (client > 0 && agent.knowsClient(client))
      return ok({ 'client-id': client, 'nodes-added': null, 'nodes-removed': null, self });
    const nodes = agent.world.nodes.map((node) => nodeElement(node, agent));
    return ok({
      ...(client > 0 && { 'client-id': client }),
      'nodes-added': nodes,
      'nodes-removed': null,
      self,
    });
  },

  'GET /node/ids': (_, agent) => ok(nodeIds(agent.world)),

  'GET /lrp': (_, agent) => ok(agent.world.scenario.lrp ?? []),

  'GET /cgroup-dump-metadata': (_, agent) =>
    ok({
      'pod-metadatas': agent.state.endpoints
        .filter((endpoint) => endpoint.kind === 'pod')
        .map((endpoint) => {
          const [namespace, name] = endpoint.pod.split('/');
          const slice = `/kubepods/burstable/pod${endpoint.containerId.slice(0, 12)}`;
          return {
            name,
            namespace,
            ips: [endpoint.ipv4, endpoint.ipv6].filter((ip) => ip !== undefined),
            containers: [
              {
                'cgroup-id': 4000 + derivedNumber(60_000, 'cgroup', endpoint.pod),
                'cgroup-path': `${slice}/${endpoint.containerId}`,
              },
            ],
          };
        }),
    }),
};

/** A node as the API shows it. */
function nodeElement(node: LabNode, agent: Agent) {
  const family = (ip: string | undefined, range?: string) =>
    ip === undefined
      ? { enabled: false }
      : { enabled: true, ip, ...(range !== undefined && { 'alloc-range': range }) };
  const local = node === agent.world.self;
  return {
    name: node.fullName,
    'primary-address': {
      ipv4: family(node.ipv4, node.podCIDR),
      ipv6: family(node.ipv6, node.podCIDR6),
    },
    'health-endpoint-address': {
      ipv4: family(node.healthEndpoint.ipv4),
      ipv6: family(node.healthEndpoint.ipv6),
    },
    'secondary-addresses': [node.router.ipv4, node.router.ipv6].flatMap((ip) => (ip ? [{ ip }] : [])),
    source: local ? 'local' : 'custom-resource',
  };
}
