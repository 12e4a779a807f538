import { POD_NAMESPACE } from '../../model/label.ts';
import { type LabMember, type NewObject, split } from './objects.ts';

/** The objects that the agents make themselves, as their state is. */
export function agentObjects(members: readonly LabMember[]): NewObject[] {
  const identities = new Map(
    members.flatMap(({ agent }) => agent.state.identities.map((one) => [one.id, one.labels])),
  );
  return [
    ...[...identities].map(([id, labels]) => ({
      apiVersion: 'cilium.io/v2',
      kind: 'CiliumIdentity',
      metadata: { name: String(id), labels: { [POD_NAMESPACE]: namespaceIn(labels) } },
      'security-labels': Object.fromEntries(labels.map(split)),
    })),
    ...members.flatMap(({ node, agent }) =>
      agent.state.endpoints
        .filter(({ kind }) => kind === 'pod')
        .map((endpoint) => {
          const [namespace = '', name = ''] = endpoint.pod.split('/');
          return {
            apiVersion: 'cilium.io/v2',
            kind: 'CiliumEndpoint',
            metadata: { name, namespace },
            status: {
              id: endpoint.id,
              identity: { id: endpoint.identity, labels: endpoint.labels },
              state: endpoint.state,
              networking: {
                addressing: [
                  {
                    ...(endpoint.ipv4 && { ipv4: endpoint.ipv4 }),
                    ...(endpoint.ipv6 && { ipv6: endpoint.ipv6 }),
                  },
                ],
                node: node.ipv4,
              },
              'named-ports': endpoint.ports.map(({ name: of, port, protocol }) => ({
                name: of,
                port,
                protocol,
              })),
            },
          };
        }),
    ),
  ];
}

function namespaceIn(labels: readonly string[]): string {
  return labels.map(split).find(([key]) => key === `k8s:${POD_NAMESPACE}`)?.[1] ?? '';
}
