import { UserError } from '../../errors.ts';
import { POD_NAMESPACE } from '../../model/label.ts';
import type { LabNode } from '../world/world.ts';

/** What can be wrong in a cluster on purpose, so that something may find it. */
const FAULTS = {
  dns: 'the DNS does not answer',
  'dns-names': 'the DNS says of every name that it does not exist',
  policy: 'the last node drops what reaches its pods, whatever the policies say',
  'policy-object': 'a forgotten policy denies port 8080 to everybody',
  service: 'the first node does not translate the addresses of Services',
  'service-backend': 'Services lead to a backend that is dead',
  'node-to-node': 'packets between the first node and the last one are lost',
} as const;
export type Fault = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS) as Fault[];

/** What is planted leaves what the cluster itself needs alone. */
export const SPARED_NAMESPACE = 'kube-system';

/** Refuses faults that this cluster cannot have. */
export function checkFaults(faults: ReadonlySet<Fault>, nodes: readonly LabNode[]): void {
  if (faults.has('node-to-node') && nodes.length < 2)
    throw new UserError('the fault node-to-node takes two nodes', {
      hint: 'Give the cluster more: --nodes 2.',
    });
}

/** The object of the fault policy-object. */
export const FORGOTTEN_POLICY = {
  apiVersion: 'cilium.io/v2',
  kind: 'CiliumClusterwideNetworkPolicy',
  metadata: { name: 'forgotten' },
  spec: {
    description: 'Planted by the lab: --fault policy-object.',
    endpointSelector: {
      matchExpressions: [{ key: `k8s:${POD_NAMESPACE}`, operator: 'NotIn', values: [SPARED_NAMESPACE] }],
    },
    ingress: [{ fromEntities: ['all'] }],
    ingressDeny: [{ fromEntities: ['all'], toPorts: [{ ports: [{ port: '8080', protocol: 'TCP' }] }] }],
  },
};

/** Rules of nft that lose what comes from a node and its pods. */
export function lossRules(from: LabNode): string {
  return `table inet fault {
  chain lost {
    type filter hook prerouting priority -300
    iifname "eth0" ip saddr { ${from.ipv4}, ${from.podCIDR} } drop
  }
}
`;
}
